// swift-tools-version: 6.2
import PackageDescription

// A package of its own over the same sources (the folders are links): benchmarks see what `package` access shows, build
// without TLS, and never burden a program that depends on Sluice.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "sluice-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .target(name: "CAllocationCounter"),
    // A stand-in: nothing that is measured here signs or hashes.
    .target(name: "Crypto", swiftSettings: settings),
    .target(
      name: "SluicePolicy",
      dependencies: [
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
      ], swiftSettings: settings),
    .target(
      name: "SluiceDialects",
      dependencies: ["SluicePolicy", "Crypto", .product(name: "HTTPTypes", package: "swift-http-types")],
      swiftSettings: settings),
    .target(
      name: "SluiceRuntime",
      dependencies: [
        "SluicePolicy", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Logging", package: "swift-log"), .product(name: "Metrics", package: "swift-metrics"),
      ], swiftSettings: settings),
    .target(
      name: "SluiceTesting",
      dependencies: [
        "SluicePolicy", "SluiceRuntime", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ], swiftSettings: settings),
    .executableTarget(
      name: "PoolBenchmarks",
      dependencies: [
        "CAllocationCounter", "SluicePolicy", "SluiceDialects", "SluiceRuntime", "SluiceTesting",
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
