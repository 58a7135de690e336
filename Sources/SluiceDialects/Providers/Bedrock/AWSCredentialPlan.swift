/// Where the credentials of one pool come from: AWS's own order, settled from the pool's options and the environment. A
/// plain value; whoever asks the sources does so elsewhere.
///
/// Order, as the official SDKs have it: the pool's own options; the environment; the shared files; the container's
/// endpoint; the instance's. A profile named in the options takes the place of the environment and of what comes after.
package struct AWSCredentialPlan: Hashable, Sendable {
  package enum Source: Hashable, Sendable {
    /// An access key that was written down, and where.
    case fixed(AWSCredentials, place: String)
    case files(AWSFileSource)
    case metadata(AWSMetadataSource)
    /// Asked for but not supported, or not to be trusted: the search ends here, and this is why.
    case refused(String)
  }

  package let sources: [Source]

  package init(sources: [Source]) { self.sources = sources }

  package init(_ credentials: AWSCredentials, place: String = "keys") {
    self.init(sources: [.fixed(credentials, place: place)])
  }

  /// - Parameter environment: of the process.
  package init(options: ProviderOptions, environment: [String: String]) {
    if let keyID = options[text: "access_key_id"], let secret = options[text: "secret_access_key"] {
      let credentials = AWSCredentials(keyID: keyID, secret: secret, sessionToken: options[text: "session_token"])
      self.init(credentials, place: "options")
    } else if let profile = options[text: "profile"] {
      self.init(sources: [.files(AWSFileSource(environment, profile: profile, isNamed: true))])
    } else {
      self.init(environment: environment)
    }
  }

  private init(environment: [String: String]) {
    let environment = environment.filter { !$0.value.isEmpty }
    var sources: [Source] = []
    if let credentials = Self.credentials(environment) {
      sources.append(.fixed(credentials, place: "environment"))
    } else if environment["AWS_WEB_IDENTITY_TOKEN_FILE"] != nil {
      sources.append(.refused("AWS_WEB_IDENTITY_TOKEN_FILE is set, but \(Self.roles)"))
    } else {
      let named = environment["AWS_PROFILE"] ?? environment["AWS_DEFAULT_PROFILE"]
      sources.append(.files(AWSFileSource(environment, profile: named ?? "default", isNamed: named != nil)))
      sources += AWSMetadataSource.all(environment)
    }
    self.init(sources: sources)
  }

  /// The endpoints that it may ask.
  package var metadataURLs: [AWSMetadataURL] {
    sources.compactMap { source in
      if case .metadata(let metadata) = source { metadata.url } else { nil }
    }
  }

  /// A bearer token of the environment wins over access keys there, as in the SDKs, but not over options.
  package static func bearerToken(options: ProviderOptions, environment: [String: String]) -> String? {
    guard options[text: "access_key_id"] == nil, options[text: "profile"] == nil else { return nil }
    return environment["AWS_BEARER_TOKEN_BEDROCK"].flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func credentials(_ environment: [String: String]) -> AWSCredentials? {
    guard let keyID = environment["AWS_ACCESS_KEY_ID"], let secret = environment["AWS_SECRET_ACCESS_KEY"] else {
      return nil
    }
    let end = environment["AWS_CREDENTIAL_EXPIRATION"].flatMap { text in
      Array(text.utf8).withSlice { DateText.rfc3339($0) }
    }
    return AWSCredentials(
      keyID: keyID, secret: secret, sessionToken: environment["AWS_SESSION_TOKEN"] ?? environment["AWS_SECURITY_TOKEN"],
      expiration: end)
  }

  /// What to do instead of having a role assumed.
  static let roles = """
    roles are not assumed here: let the container's or the instance's own role provide the credentials, or write them \
    into a profile ('aws configure export-credentials --format process' shows them)
    """

  /// What to do when none of the sources has anything.
  package static let advice = """
    no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws/credentials, or run \
    where a container or an instance has a role
    """
}

/// The shared files and the profile that is wanted from them.
package struct AWSFileSource: Hashable, Sendable {
  package var credentialsPath: String?
  package var configPath: String?
  package var profile: String
  /// Somebody asked for this profile: without it, nothing else is tried.
  package var isNamed: Bool

  package init(credentialsPath: String?, configPath: String?, profile: String, isNamed: Bool) {
    self.credentialsPath = credentialsPath
    self.configPath = configPath
    self.profile = profile
    self.isNamed = isNamed
  }

  package init(_ environment: [String: String], profile: String, isNamed: Bool) {
    self.init(
      credentialsPath: Self.path(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
      configPath: Self.path(environment, "AWS_CONFIG_FILE", "config"), profile: profile, isNamed: isNamed)
  }

  private static func path(_ environment: [String: String], _ variable: String, _ name: String) -> String? {
    let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 }
    guard let path = environment[variable], !path.isEmpty else { return home.map { "\($0)/.aws/\(name)" } }
    guard path.hasPrefix("~/"), let home else { return path }
    return home + path.dropFirst()
  }
}
