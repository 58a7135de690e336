// swift-tools-version: 6.2
import PackageDescription

// A package of its own, over the same sources (by symbolic links), so that fuzzing needs nothing of what the server
// depends on but data structures and the YAML reader (`Crypto` is the stand-in of Tests/Sanitizers), and unsafe flags stay out of the main
// package. The dialects are instrumented for the fuzzer, the policy below them is not.
let sanitize = ["-sanitize=fuzzer,address"]
let features: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

func fuzzer(_ name: String, _ subject: Target.Dependency = "FuzzProperties") -> Target {
  .executableTarget(
    name: name, dependencies: ["FuzzDriver", subject],
    swiftSettings: features + [.unsafeFlags(sanitize + ["-parse-as-library"])],
    // The default linker of some toolchains fails on the sanitizer's debug information.
    linkerSettings: [.unsafeFlags(sanitize + ["-use-ld=lld"])])
}

let package = Package(
  name: "sluice-fuzzing",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .target(
      name: "SluicePolicy",
      dependencies: [
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
      ],
      swiftSettings: features + [.strictMemorySafety()]),
    .target(name: "Crypto", swiftSettings: features),
    .target(
      name: "SluiceDialects", dependencies: ["SluicePolicy", "Crypto"],
      swiftSettings: features + [.strictMemorySafety(), .unsafeFlags(sanitize)]),
    .target(
      name: "SluiceConfiguration",
      dependencies: ["SluicePolicy", "SluiceDialects", .product(name: "Yams", package: "Yams")],
      swiftSettings: features + [.unsafeFlags(sanitize)]),
    .target(
      name: "FuzzProperties", dependencies: ["SluiceDialects"], swiftSettings: features + [.unsafeFlags(sanitize)]),
    .target(name: "FuzzDriver", dependencies: ["FuzzProperties"], swiftSettings: features + [.unsafeFlags(sanitize)]),
    fuzzer("FuzzRequestHead"),
    fuzzer("FuzzResponseHead"),
    fuzzer("FuzzChunked"),
    fuzzer("FuzzSSE"),
    fuzzer("FuzzJSON"),
    fuzzer("FuzzStreams"),
    fuzzer("FuzzDocuments"),
    fuzzer("FuzzConfiguration", "SluiceConfiguration"),
  ],
  swiftLanguageModes: [.v6]
)
