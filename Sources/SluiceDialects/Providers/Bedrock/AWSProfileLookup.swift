/// What a profile of the shared files gives, in the order in which the SDKs look: a role or single sign-on before an
/// access key, an access key before a process. What is not supported here is refused, never skipped: the credentials
/// that would be found behind it would be another account's.
package enum AWSProfileLookup {
  package enum Answer: Sendable {
    case found(AWSCredentials)
    /// Neither file has the profile, or it has no credentials.
    case nothing(String)
    case refused(Problem)
  }

  package struct Problem: Hashable, Sendable {
    package var path: String
    /// From 1.
    package var line: Int
    package var message: String

    package init(path: String, line: Int, message: String) {
      self.path = path
      self.line = line
      self.message = message
    }

    package var description: String { "\(path):\(line): \(message)" }
  }

  /// These come before an access key that stands beside them.
  private static let first = [
    "sso_session", "sso_start_url", "sso_account_id", "login_session", "web_identity_token_file", "role_arn",
    "credential_source", "source_profile",
  ]

  /// - Parameters:
  ///   - credentials: the content of the credentials file; nil if there is none.
  ///   - config: of the configuration file.
  package static func find(_ source: AWSFileSource, credentials: [UInt8]?, config: [UInt8]?) -> Answer {
    let paths = (credentials: source.credentialsPath ?? "credentials", config: source.configPath ?? "config")
    var parts: [(path: String, profile: AWSProfile)] = []
    for (path, bytes) in [(paths.credentials, credentials), (paths.config, config)] {
      guard let bytes else { continue }
      guard let profiles = AWSCredentialFiles.profiles(bytes) else {
        return .refused(Problem(path: path, line: 1, message: "the file is too long or no UTF-8 text"))
      }
      if let profile = profiles[source.profile] { parts.append((path, profile)) }
    }
    guard let head = parts.first else {
      return .nothing("neither \(paths.credentials) nor \(paths.config) has a profile '\(source.profile)'")
    }
    for key in first {
      if let problem = problem(key, parts, source) { return .refused(problem) }
    }
    let whole = parts.dropFirst().reduce(head.profile) { $0.merged(under: $1.profile) }
    if let found = whole.credentials { return .found(found) }
    if let problem = problem("credential_process", parts, source) { return .refused(problem) }
    return .nothing("the profile '\(source.profile)' in \(head.path) has no credentials")
  }

  /// The region of a profile, from either file.
  package static func region(_ profile: String, credentials: [UInt8]?, config: [UInt8]?) -> String? {
    [config, credentials].lazy.compactMap { $0.flatMap { AWSCredentialFiles.profiles($0)?[profile]?.region } }.first
  }

  private static func problem(
    _ key: String, _ parts: [(path: String, profile: AWSProfile)], _ source: AWSFileSource
  ) -> Problem? {
    for part in parts {
      guard let line = part.profile.sourceLines[key] else { continue }
      return Problem(path: part.path, line: line, message: message(key, source.profile))
    }
    return nil
  }

  private static func message(_ key: String, _ profile: String) -> String {
    let what =
      switch key {
      case "credential_process": "no program is run for credentials"
      case let key where key.hasPrefix("sso_") || key == "login_session": "nobody is signed in here"
      default: "no role is assumed here"
      }
    return """
      profile '\(profile)' uses '\(key)', which is not supported (\(what)); let a container or an instance provide the \
      credentials, or name a profile that holds an access key
      """
  }
}
