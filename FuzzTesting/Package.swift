// swift-tools-version: 6.2
import PackageDescription

// A package of its own, over the same sources (by symbolic links), so that fuzzing needs none of the server's
// dependencies and unsafe flags stay out of the main package.
let sanitize = ["-sanitize=fuzzer,address"]
let features: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

func fuzzer(_ name: String) -> Target {
  .executableTarget(
    name: name, dependencies: ["FuzzDriver", "FuzzProperties"],
    swiftSettings: features + [.unsafeFlags(sanitize + ["-parse-as-library"])],
    // The default linker of some toolchains fails on the sanitizer's debug information.
    linkerSettings: [.unsafeFlags(sanitize + ["-use-ld=lld"])])
}

/// The parsers import nothing, so they build without the rest of their target, which is left out by name.
let parsers = ["Framing", "JSON"]
let others = ["Errors", "Exchange", "Providers", "Routing", "Surfaces"]

let package = Package(
  name: "sluice-fuzzing",
  platforms: [.macOS(.v15)],
  targets: [
    .target(
      name: "SluiceDialects", exclude: others, sources: parsers,
      swiftSettings: features + [.strictMemorySafety(), .unsafeFlags(sanitize)]),
    .target(
      name: "FuzzProperties", dependencies: ["SluiceDialects"], swiftSettings: features + [.unsafeFlags(sanitize)]),
    .target(name: "FuzzDriver", dependencies: ["FuzzProperties"], swiftSettings: features + [.unsafeFlags(sanitize)]),
    fuzzer("FuzzRequestHead"),
    fuzzer("FuzzResponseHead"),
    fuzzer("FuzzChunked"),
    fuzzer("FuzzSSE"),
    fuzzer("FuzzJSON"),
  ],
  swiftLanguageModes: [.v6]
)
