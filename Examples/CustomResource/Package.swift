// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "CustomResourceExample",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "sluice", path: "../.."),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    .executableTarget(
      name: "CustomResourceExample",
      dependencies: [
        .product(name: "SluicePolicy", package: "sluice"),
        .product(name: "SluiceRuntime", package: "sluice"),
        .product(name: "SluiceTesting", package: "sluice"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ])
  ]
)
