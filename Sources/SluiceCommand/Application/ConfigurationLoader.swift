import Foundation
import SluiceConfiguration
import SluiceHTTP

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

  /// Whether a model server answers at its usual place, within half a second.
  static func answers(_ server: LocalServer) async -> Bool {
    await withTaskGroup(of: Bool.self) { tasks in
      tasks.addTask {
        guard let origin = try? HTTPOrigin(url: server.baseURL) else { return false }
        let request = OneRequest(url: server.baseURL, path: origin.basePath + "/models", token: nil)
        return (try? await request.send().status) == 200
      }
      tasks.addTask {
        try? await Task.sleep(for: .milliseconds(500))
        return false
      }
      let first = await tasks.next() ?? false
      tasks.cancelAll()
      return first
    }
  }
}
