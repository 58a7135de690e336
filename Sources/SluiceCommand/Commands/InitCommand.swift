import ArgumentParser
import Foundation
import SluiceConfiguration

/// `sluice init`: writes a starter configuration from what the environment offers.
struct InitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Write a starter configuration from what is discovered.",
    discussion: "Keys stay in the environment: the file holds ${VARIABLES}, never their values.")

  @Argument(help: "Where to write it.") var file = ConfigurationSearch.fileName
  @Flag(help: "Overwrite an existing file.") var force = false

  func run() async throws {
    let pools = await Discovery.pools(
      environment: ProcessInfo.processInfo.environment, probe: ConfigurationLoader.answers)
    if !force && FileManager.default.fileExists(atPath: file) {
      throw CommandFailure("\(file) exists; pass --force to overwrite it")
    }
    do {
      try Data(Starter.render(pools).utf8).write(to: URL(filePath: file))
    } catch {
      throw CommandFailure("cannot write \(file): \(error.localizedDescription)")
    }
    Terminal.line("wrote \(file)")
    for pool in pools { Terminal.line("  pool \(pool.name): \(pool.reason)") }
    if pools.isEmpty {
      Terminal.line("  nothing was found in the environment; set OPENAI_API_KEY or ANTHROPIC_API_KEY, or edit the file")
    }
    Terminal.line("next: sluice check \(file) && sluice serve --config \(file)")
  }
}
