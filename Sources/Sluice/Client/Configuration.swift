public import Foundation
import Logging
import NIOCore
public import SluiceConfiguration

extension Sluice {
  /// Where the configuration comes from.
  public struct Configuration: Sendable {
    enum Origin: Sendable {
      case discovered, file(String), yaml(String), built(SluiceConfiguration)
    }

    let origin: Origin
    let environment: [String: String]

    /// As the `sluice` command finds it: the file that `SLUICE_CONFIG` names, `./sluice.yaml`, else the API keys in the
    /// environment and the model servers that answer on this machine.
    public static func discovered(
      environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> Configuration {
      Configuration(origin: .discovered, environment: environment)
    }

    /// A YAML file. `${VARIABLES}` in it come from the environment.
    public static func file(
      _ path: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> Configuration {
      Configuration(origin: .file(path), environment: environment)
    }

    /// The text of such a file; relative paths in it start at the working directory.
    public static func yaml(
      _ text: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> Configuration {
      Configuration(origin: .yaml(text), environment: environment)
    }

    /// Built in code.
    public static func built(_ configuration: SluiceConfiguration) -> Configuration {
      Configuration(origin: .built(configuration), environment: ProcessInfo.processInfo.environment)
    }

    func load(on loop: any EventLoop, logger: Logger) async throws -> SluiceConfiguration {
      let options = LoadOptions(environment: environment)
      let loaded: LoadedConfiguration
      switch origin {
      case .built(let configuration): return configuration
      case .file(let path): loaded = try SluiceConfigurationFile.load(path: path, options: options).get()
      case .yaml(let text):
        loaded = try SluiceConfigurationFile.load(text: text, name: "configuration", options: options).get()
      case .discovered:
        switch ConfigurationSearch.source(option: nil, environment: environment) {
        case .file(let path): loaded = try SluiceConfigurationFile.load(path: path, options: options).get()
        case .discovery:
          let finder = LocalServerFinder(loop: loop, logger: logger)
          loaded = try await Discovery.configuration(options: options) { await finder.answers($0) }.get()
        }
      }
      for warning in loaded.warnings { logger.debug("\(warning)") }
      return loaded.configuration
    }
  }
}
