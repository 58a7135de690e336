public import ArgumentParser
import Foundation
public import Logging
import ServiceLifecycle
import SluiceConfiguration
import UnixSignals

/// `sluice serve`: runs the gateway until SIGTERM or SIGINT, then drains.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run the gateway.",
    discussion: """
      Without --config, $SLUICE_CONFIG or ./sluice.yaml, pools are discovered from the environment variables of the providers' \
      own SDKs. SIGTERM and SIGINT drain, SIGHUP reloads the configuration.
      """)

  @Option(help: "Configuration file (default: $SLUICE_CONFIG, else ./sluice.yaml, else discovery).") var config: String?
  @Option(help: "Listen here instead of where the file says: HOST:PORT or unix:/path; may be given more than once.")
  var listen: [String] = []
  @Flag(help: "Allow listening beyond this machine without access keys and admin token.") var insecure = false
  @OptionGroup var logging: LogOptions

  func run() async throws {
    let logger = logging.makeLogger()
    let loader = ConfigurationLoader(path: config, listen: listen, insecure: insecure)
    let loaded = try await loader.load().loadedOrFailure()
    for warning in loaded.warnings { logger.warning("configuration", metadata: ["problem": "\(warning)"]) }
    let host = try GatewayHost(loaded, loader: loader, logger: logger)
    try await GatewayRun(host: host, logger: logger).run(announce: { urls in
      for url in urls { Terminal.line("sluice \(SluiceVersion.current) listening on \(url)") }
      Terminal.line(
        "pools: \(loaded.configuration.pools.map(\.name).joined(separator: ", ")); dashboard: \(urls.first ?? "")/dashboard"
      )
    })
  }
}

extension Result where Success == LoadedConfiguration, Failure == ConfigurationProblems {
  /// Each problem on a line of its own, as compilers print them.
  func loadedOrFailure() throws -> LoadedConfiguration {
    switch self {
    case .success(let loaded): return loaded
    case .failure(let problems):
      for problem in problems.problems { Terminal.diagnostic(problem) }
      throw ExitCode.failure
    }
  }
}

/// `--log-level` and `--log-format`, shared by the commands that run servers.
struct LogOptions: ParsableArguments {
  @Option(help: "trace, debug, info, notice, warning, error or critical (default: $SLUICE_LOG_LEVEL, else info).")
  var logLevel: Logger.Level?
  @Option(help: "text or json (default: $SLUICE_LOG_FORMAT, else text).") var logFormat: LogFormat?

  func validate() throws { _ = try (level, format) }

  private var level: Logger.Level { get throws { try logLevel ?? Self.environment("SLUICE_LOG_LEVEL") ?? .info } }
  private var format: LogFormat { get throws { try logFormat ?? Self.environment("SLUICE_LOG_FORMAT") ?? .text } }

  private static func environment<Value: ExpressibleByArgument>(_ name: String) throws -> Value? {
    guard let text = ProcessInfo.processInfo.environment[name], !text.isEmpty else { return nil }
    guard let value = Value(argument: text) else {
      throw ValidationError(
        "$\(name): '\(text.prefix(80))' is none of \(Value.allValueStrings.joined(separator: ", "))")
    }
    return value
  }

  func makeLogger() -> Logger {
    // Both were validated.
    let (level, format) = ((try? level) ?? .info, (try? format) ?? .text)
    LoggingSystem.bootstrap { label in
      switch format {
      case .text:
        var handler = StreamLogHandler.standardError(label: label)
        handler.logLevel = level
        return handler
      case .json: return JSONLogHandler(label: label, logLevel: level)
      }
    }
    return Logger(label: "sluice")
  }
}

enum LogFormat: String, ExpressibleByArgument, CaseIterable { case text, json }
extension Logger.Level: @retroactive ExpressibleByArgument {}
