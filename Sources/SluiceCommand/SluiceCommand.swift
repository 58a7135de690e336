import ArgumentParser

/// The `sluice` executable.
@main
struct SluiceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sluice", abstract: "Keeps connections to language models open, healthy, shared and paced.",
    discussion: "Start with `sluice demo`; it needs no account and no key.", version: SluiceVersion.current,
    subcommands: [
      ServeCommand.self, DemoCommand.self, CheckCommand.self, InitCommand.self, SimulateCommand.self,
      StatusCommand.self, BenchCommand.self, ReplayCommand.self,
    ])

  static func main() async {
    do {
      var command = try parseAsRoot()
      if var async = command as? any AsyncParsableCommand {
        try await async.run()
      } else {
        try command.run()
      }
    } catch let failure as CommandFailure {
      Terminal.complain(failure.description)
      exit(withError: ExitCode.failure)
    } catch {
      exit(withError: error)
    }
  }
}
