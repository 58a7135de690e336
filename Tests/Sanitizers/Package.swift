// swift-tools-version: 6.2
import PackageDescription

// The targets whose tests run under the thread and address sanitizers, over the sources of the real package (links),
// without anything that brings a BoringSSL along: instrumented, those alone would not fit into a CI machine.
// Started by `run.sh`, which also chooses the lock that the thread sanitizer understands.

let common: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let posix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let embedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
  name: "sluice-sanitizers",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .target(
      name: "SluicePolicy",
      dependencies: [
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
      ],
      swiftSettings: common + [.strictMemorySafety()]),
    .target(
      name: "SluiceRuntime",
      dependencies: [
        "SluicePolicy", nio, logging, .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: common),
    .target(
      name: "SluiceTesting", dependencies: ["SluicePolicy", "SluiceRuntime", nio, embedded], swiftSettings: common),
    .testTarget(
      name: "StressTests", dependencies: ["SluicePolicy", "SluiceRuntime", "SluiceTesting", nio, posix],
      swiftSettings: common),
    .testTarget(
      name: "PrimitiveTests",
      dependencies: ["SluicePolicy", "SluiceRuntime", "SluiceTesting", nio, posix, embedded], swiftSettings: common),
  ],
  swiftLanguageModes: [.v6]
)
