import ArgumentParser
import Foundation

/// Where the running gateway is, for commands that talk to one.
struct GatewayOptions: ParsableArguments {
  @Option(name: .customLong("url"), help: "The gateway (default: $SLUICE_URL, else http://127.0.0.1:8080).")
  var givenURL: String?

  @Option(name: .customLong("key"), help: "Access key (default: $SLUICE_API_KEY).") var givenKey: String?

  @Option(name: .customLong("token"), help: "Admin token (default: $SLUICE_ADMIN_TOKEN).") var givenToken: String?

  var url: String { givenURL ?? Self.environment("SLUICE_URL") ?? "http://127.0.0.1:8080" }
  var key: String? { givenKey ?? Self.environment("SLUICE_API_KEY") }
  var token: String? { givenToken ?? Self.environment("SLUICE_ADMIN_TOKEN") }

  private static func environment(_ name: String) -> String? {
    ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }
}
