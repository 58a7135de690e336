import SluiceConfiguration
import SluicePolicy
import Testing

/// Environment and files of a test; nothing of the machine it runs on.
struct World {
  var environment: [String: String] = ["KEY": "sk-secret-1", "KEY2": "sk-secret-2"]
  var files: [String: String] = [:]
  var insecure = false
  var listen: [String] = []

  var options: LoadOptions {
    var options = LoadOptions(environment: environment, insecure: insecure, listen: listen)
    let files = files
    options.files = FileAccess { path, limit in
      guard let text = files[path] else { return .failure(.missing) }
      return text.utf8.count > limit ? .failure(FileProblem("is too large")) : .success(Array(text.utf8))
    }
    return options
  }

  func load(_ text: String) -> Result<LoadedConfiguration, ConfigurationProblems> {
    SluiceConfigurationFile.load(text: text, name: "sluice.yaml", options: options)
  }

  /// The configuration; fails the test with its problems if there is none.
  func configuration(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> SluiceConfiguration {
    switch load(text) {
    case .success(let loaded): return loaded.configuration
    case .failure(let problems):
      Issue.record("\(problems)", sourceLocation: sourceLocation)
      throw problems
    }
  }

  /// Every problem as it is printed, warnings included.
  func problems(_ text: String) -> [String] {
    switch load(text) {
    case .success(let loaded): loaded.warnings.map(\.description)
    case .failure(let problems): problems.problems.map(\.description)
    }
  }
}

/// A file of one OpenAI pool with more lines in its pool.
func poolFile(_ lines: String..., before: String = "") -> String {
  before + "pools:\n  openai:\n    provider: openai\n    keys: [\"${KEY}\"]\n" + lines.map { "    \($0)\n" }.joined()
}

/// A file of one OpenAI pool with more lines at the top.
func topFile(_ lines: String...) -> String { poolFile(before: lines.map { "\($0)\n" }.joined()) }
