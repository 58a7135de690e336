// swift-tools-version: 6.2
import PackageDescription

// The pool simulation alone, over the same sources (the folders are links): optimised it runs thousands of seeds in seconds,
// and it builds in half a minute because nothing else is in here.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "sluice-simulation",
  platforms: [.macOS(.v15)],
  dependencies: [.package(url: "https://github.com/apple/swift-collections", from: "1.6.0")],
  targets: [
    .target(
      name: "SluicePolicy",
      dependencies: [
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
      ], swiftSettings: settings),
    .target(name: "SluiceSimulation", dependencies: ["SluicePolicy"], swiftSettings: settings),
    .testTarget(
      name: "SimulationTests", dependencies: ["SluicePolicy", "SluiceSimulation"], exclude: ["Seeds.txt"],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
