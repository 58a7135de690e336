internal import SluiceDialects

extension ConfigurationDecoder {
  /// Options of which each alone says who asks; a key beside them would contradict it.
  private static let credentialOptions = ["access_key_id", "secret_access_key", "session_token", "profile"]

  /// AWS credentials in the options stand together, and alone; without them and without keys they come from where AWS's
  /// own tools have them, as far as that can be seen now.
  mutating func checkAWS(_ pool: ObjectReader, _ options: ProviderOptions, isKeyless: Bool) {
    let reader = pool.nested("options")
    let given = Self.credentialOptions.filter { reader.isGiven($0) }
    if let name = given.first, !isKeyless {
      problems.error(at: reader.position(of: name), "'\(name)' and 'keys' exclude each other")
    }
    let parts = given.filter { $0 != "profile" }
    if let part = parts.first, given.contains("profile") {
      problems.error(at: reader.position(of: "profile"), "'profile' and '\(part)' exclude each other")
    }
    for needed in ["access_key_id", "secret_access_key"] where !parts.isEmpty && options[text: needed] == nil {
      problems.error(at: reader.position(of: parts[0]), "'\(needed)' is missing beside '\(parts[0])'")
    }
    if isKeyless, parts.isEmpty {
      checkSources(options, at: given.isEmpty ? pool.position : reader.position(of: given[0]))
    }
  }

  /// What is not supported shows here, at its own file and line, not with the first request. Files that change later
  /// are looked at again when they are read.
  private mutating func checkSources(_ options: ProviderOptions, at position: SourcePosition) {
    guard AWSCredentialPlan.bearerToken(options: options, environment: self.options.environment) == nil else { return }
    switch AWSCredentialPlan(options: options, environment: self.options.environment).sources.first {
    case .refused(let reason): problems.error(at: position, reason)
    case .files(let source):
      switch AWSFiles.find(source, self.options.files) {
      case .refused(let problem):
        problems.error(at: SourcePosition(file: problem.path, line: problem.line, column: 1), problem.message)
      case .nothing(let reason) where source.isNamed: problems.error(at: position, reason)
      case .nothing, .found: break
      }
    case .fixed, .metadata, nil: break
    }
  }
}
