import Foundation
import Logging
import NIOPosix
import Sluice
import SluiceConfiguration

/// Finds and reads the configuration as `serve`, `check` and a reload all do: `--config`, `$SLUICE_CONFIG`, `./sluice.yaml`,
/// else the environment.
struct ConfigurationLoader: Sendable {
  var path: String?
  var listen: [String] = []
  var insecure = false
  var environment = ProcessInfo.processInfo.environment
  /// What is read instead of any file: the demo's own configuration.
  var own: DemoConfiguration?

  var source: ConfigurationSource { ConfigurationSearch.source(option: path, environment: environment) }

  func load() async -> Result<LoadedConfiguration, ConfigurationProblems> {
    let options = LoadOptions(environment: environment, insecure: insecure, listen: listen)
    if let own { return SluiceConfigurationFile.load(text: own.text, name: "demo", options: options) }
    switch source {
    case .file(let path): return SluiceConfigurationFile.load(path: path, options: options)
    case .discovery: return await Discovery.configuration(options: options, probe: Self.answers)
    }
  }

  /// Whether a model server answers at its usual place, as the library asks.
  static func answers(_ server: LocalServer) async -> Bool {
    let logger = Logger(label: "sluice", factory: { _ in SwiftLogNoOpLogHandler() })
    return await LocalServerFinder(loop: MultiThreadedEventLoopGroup.singleton.next(), logger: logger).answers(server)
  }
}
