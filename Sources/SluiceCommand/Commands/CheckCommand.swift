import ArgumentParser
import SluiceConfiguration

/// `sluice check`: every problem of a configuration file.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Validate a configuration file.",
    discussion: "Prints every problem as file:line:column: error: … and ends with status 1 if there is any.")

  @Argument(help: "The file (default: where `serve` would look).") var file: String?
  @Flag(help: "Allow listening beyond this machine without access keys and admin token.") var insecure = false

  func run() async throws {
    let loader = ConfigurationLoader(path: file, insecure: insecure)
    let loaded = try await loader.load().loadedOrFailure()
    for warning in loaded.warnings { Terminal.diagnostic(warning) }
    let pools = loaded.configuration.pools
    let endpoints = pools.reduce(0) { $0 + $1.endpoints.count }
    let name = loaded.path ?? "discovered from the environment"
    Terminal.line(
      "\(name): ok, \(pools.count) pools, \(endpoints) endpoints, \(loaded.configuration.routes.count) routes")
  }
}
