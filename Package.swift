// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors where the project itself is built and tested (the Makefile sets SLUICE_STRICT); a program
// that depends on Sluice is never stopped by a warning of a newer compiler.
let strict = Context.environment["SLUICE_STRICT"] != nil

let common: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  ] + (strict ? [.treatAllWarnings(as: .error)] : [])

/// Pure decision code: every use of unsafe memory has to be spelled out.
let pure: [SwiftSetting] = common + [.strictMemorySafety()]

/// A product of another package, by the names used below.
func product(_ name: String) -> Target.Dependency {
  let home: [String: String] = [
    "ArgumentParser": "swift-argument-parser", "Crypto": "swift-crypto", "DequeModule": "swift-collections",
    "HTTPTypes": "swift-http-types", "HeapModule": "swift-collections", "Logging": "swift-log",
    "Metrics": "swift-metrics", "NIOCore": "swift-nio", "NIOEmbedded": "swift-nio", "NIOHTTP1": "swift-nio",
    "NIOHPACK": "swift-nio-http2", "NIOHTTP2": "swift-nio-http2", "NIOPosix": "swift-nio", "NIOSSL": "swift-nio-ssl",
    "NIOTLS": "swift-nio", "ServiceLifecycle": "swift-service-lifecycle",
    "UnixSignals": "swift-service-lifecycle", "Yams": "Yams",
  ]
  return .product(name: name, package: home[name]!)
}

/// One target: what it may import of ours, and of others. `docs/ARCHITECTURE.md` explains the table.
func target(
  _ name: String, _ ours: [String] = [], _ others: [String] = [], settings: [SwiftSetting] = common
) -> Target {
  .target(
    name: name, dependencies: ours.map { .target(name: $0) } + others.map(product), swiftSettings: settings)
}

func tests(
  _ name: String, _ ours: [String], _ others: [String] = [], exclude: [String] = [], resources: [Resource]? = nil
) -> Target {
  .testTarget(
    name: name, dependencies: ours.map { .target(name: $0) } + others.map(product), exclude: exclude,
    resources: resources, swiftSettings: common)
}

let package = Package(
  name: "sluice",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Sluice", targets: ["Sluice"]),
    .library(name: "SluicePolicy", targets: ["SluicePolicy"]),
    .library(name: "SluiceRuntime", targets: ["SluiceRuntime"]),
    .library(name: "SluiceTesting", targets: ["SluiceTesting"]),
    .executable(name: "sluice", targets: ["SluiceCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // Pure: values in, values out.
    target("SluicePolicy", [], ["DequeModule", "HeapModule"], settings: pure),
    target("SluiceDialects", ["SluicePolicy"], ["HTTPTypes", "Crypto"], settings: pure),
    target("SluiceConfiguration", ["SluicePolicy", "SluiceDialects"], ["Yams"]),
    target("SluiceSimulation", ["SluicePolicy"]),

    // The monitor.
    target("SluiceRuntime", ["SluicePolicy"], ["NIOCore", "ServiceLifecycle", "Logging", "Metrics"]),

    // I/O at the edge.
    target(
      "SluiceHTTP", ["SluicePolicy", "SluiceDialects", "SluiceRuntime"],
      ["NIOCore", "NIOHPACK", "NIOHTTP2", "NIOPosix", "NIOSSL", "NIOTLS", "Logging"]),
    target(
      "SluiceGateway", ["SluicePolicy", "SluiceDialects", "SluiceRuntime", "SluiceHTTP"],
      ["NIOCore", "NIOPosix", "NIOSSL", "Logging", "Crypto"]),
    target(
      "SluiceAdmin",
      ["SluicePolicy", "SluiceDialects", "SluiceConfiguration", "SluiceRuntime", "SluiceHTTP", "SluiceGateway"],
      ["NIOCore", "NIOPosix", "ServiceLifecycle", "Logging"]),
    target(
      "SluiceSimulator", ["SluicePolicy", "SluiceDialects"],
      ["NIOCore", "NIOHPACK", "NIOHTTP1", "NIOHTTP2", "NIOPosix", "NIOSSL", "Logging"]),

    // For users.
    target("SluiceTesting", ["SluicePolicy", "SluiceRuntime"], ["NIOCore", "NIOEmbedded"]),
    target(
      "Sluice", ["SluicePolicy", "SluiceDialects", "SluiceConfiguration", "SluiceRuntime", "SluiceHTTP"],
      ["NIOCore", "NIOPosix", "ServiceLifecycle", "Logging"]),
    .executableTarget(
      name: "SluiceCommand",
      dependencies: [
        "Sluice", "SluicePolicy", "SluiceDialects", "SluiceConfiguration", "SluiceRuntime", "SluiceHTTP",
        "SluiceGateway", "SluiceAdmin", "SluiceSimulator", "SluiceSimulation",
      ] + ["ArgumentParser", "NIOCore", "NIOPosix", "ServiceLifecycle", "UnixSignals", "Logging"].map(product),
      swiftSettings: common),

    // Tests; ConformanceTests, ModelTests and Sanitizers are programs of their own.
    tests("SluicePolicyTests", ["SluicePolicy"]),
    tests("SluiceFramingTests", ["SluicePolicy", "SluiceDialects"], ["NIOCore", "NIOEmbedded", "NIOHTTP1"]),
    tests("SluiceDialectsTests", ["SluicePolicy", "SluiceDialects"]),
    tests("SluiceConfigurationTests", ["SluicePolicy", "SluiceDialects", "SluiceConfiguration"]),
    .testTarget(
      name: "SimulationTests", dependencies: ["SluicePolicy", "SluiceSimulation"], exclude: ["Seeds.txt"],
      swiftSettings: common),
    tests(
      "SluiceRuntimeTests", ["SluicePolicy", "SluiceRuntime", "SluiceTesting"],
      ["NIOCore", "NIOPosix", "NIOEmbedded", "Logging", "Metrics", "ServiceLifecycle"]),
    tests(
      "SluiceHTTPTests", ["SluicePolicy", "SluiceDialects", "SluiceRuntime", "SluiceHTTP", "SluiceTesting"],
      ["NIOCore", "NIOHPACK", "NIOHTTP2", "NIOPosix", "NIOEmbedded", "NIOSSL", "Logging"]),
    tests(
      "SluiceGatewayTests", ["SluicePolicy", "SluiceDialects", "SluiceRuntime", "SluiceHTTP", "SluiceGateway"],
      ["NIOCore", "NIOHPACK", "NIOHTTP2", "NIOPosix", "NIOSSL", "Logging"]),
    tests(
      "SluiceSimulatorTests", ["SluicePolicy", "SluiceDialects", "SluiceSimulator"],
      ["NIOCore", "NIOHPACK", "NIOHTTP1", "NIOHTTP2", "NIOPosix", "NIOSSL", "Logging"]),
    tests(
      "SluiceTests",
      [
        "SluicePolicy", "SluiceDialects", "SluiceConfiguration", "SluiceRuntime", "SluiceHTTP", "SluiceSimulator",
        "Sluice",
      ], ["NIOCore", "NIOPosix", "Logging"]),
    tests("StructureTests", [], exclude: ["AllowedExceptions.txt"]),
  ],
  swiftLanguageModes: [.v6]
)
