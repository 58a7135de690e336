// swift-tools-version: 6.2
import PackageDescription

// What runs under the sanitizers, over the sources and tests of the real package (links). `run.sh` says for which of
// them: each package holds only what that sanitizer tests, since building what stands below is most of the time it
// takes. Threads: the runtime, where everything concurrent lives. Addresses: the parsers, which read what strangers
// send through unsafe memory; they need neither event loops nor anything else of the server.

let common: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let collections = Package.Dependency.package(url: "https://github.com/apple/swift-collections", from: "1.6.0")

let policy = Target.target(
  name: "SluicePolicy",
  dependencies: [
    .product(name: "DequeModule", package: "swift-collections"),
    .product(name: "HeapModule", package: "swift-collections"),
  ],
  swiftSettings: common + [.strictMemorySafety()])

func threads() -> (dependencies: [Package.Dependency], targets: [Target]) {
  let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
  let posix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
  let embedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
  let tested: [Target.Dependency] = ["SluicePolicy", "SluiceRuntime", "SluiceTesting", nio, posix, embedded]
  return (
    [
      .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
      .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
      .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
      .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    [
      .target(
        name: "SluiceRuntime",
        dependencies: [
          "SluicePolicy", nio, .product(name: "Logging", package: "swift-log"),
          .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
          .product(name: "Metrics", package: "swift-metrics"),
        ],
        swiftSettings: common),
      .target(
        name: "SluiceTesting", dependencies: ["SluicePolicy", "SluiceRuntime", nio, embedded], swiftSettings: common),
      .testTarget(name: "StressTests", dependencies: tested, swiftSettings: common),
      .testTarget(name: "PrimitiveTests", dependencies: tested, swiftSettings: common),
    ]
  )
}

func addresses() -> (dependencies: [Package.Dependency], targets: [Target]) {
  // Those that compare with another parser; mutations run under this sanitizer in FuzzTesting.
  let comparing = ["DifferentialTests.swift", "FuzzSmokeTests.swift", "Support/LlhttpReader.swift"]
  return (
    [],
    [
      .target(name: "Crypto", swiftSettings: common),
      .target(
        name: "SluiceDialects", dependencies: ["SluicePolicy", "Crypto"],
        swiftSettings: common + [.strictMemorySafety()]),
      .testTarget(
        name: "SluiceFramingTests", dependencies: ["SluicePolicy", "SluiceDialects"], exclude: comparing,
        swiftSettings: common),
      .testTarget(
        name: "SluiceDialectsTests", dependencies: ["SluicePolicy", "SluiceDialects"], swiftSettings: common),
    ]
  )
}

let tested = Context.environment["SLUICE_SANITIZER"] == "address" ? addresses() : threads()

let package = Package(
  name: "sluice-sanitizers",
  platforms: [.macOS(.v15)],
  dependencies: [collections] + tested.dependencies,
  targets: [policy] + tested.targets,
  swiftLanguageModes: [.v6]
)
