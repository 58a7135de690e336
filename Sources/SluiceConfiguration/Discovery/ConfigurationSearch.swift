/// Where configuration comes from.
package enum ConfigurationSource: Hashable, Sendable {
  /// This file; it is an error if it cannot be read.
  case file(String)
  /// There is no file: look at the environment.
  case discovery
}

/// `--config`, `$SLUICE_CONFIG`, `./sluice.yaml`, else discovery.
package enum ConfigurationSearch {
  package static let fileName = "sluice.yaml"
  package static let variable = "SLUICE_CONFIG"

  /// `option` is what `--config` said. Only the file of the standard name may be missing.
  package static func source(
    option: String?, environment: [String: String], files: FileAccess = .system
  ) -> ConfigurationSource {
    if let option { return .file(option) }
    if let path = environment[variable], !path.isEmpty { return .file(path) }
    if case .failure(let problem) = files.read("./" + fileName, DocumentLimits().bytes), problem == .missing {
      return .discovery
    }
    return .file("./" + fileName)
  }
}
