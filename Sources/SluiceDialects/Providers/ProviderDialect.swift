package import SluicePolicy

/// Everything the gateway knows about one provider's protocol, as pure functions. One enum namespace per provider
/// holds the knowledge (`Providers/<name>/`, the same files in each folder); this value picks the right one by a
/// switch, so that a call costs a jump and no existential.
package struct ProviderDialect: Hashable, Sendable {
  package let provider: Provider
  /// Which of the implemented dialects answers.
  let family: Family

  enum Family: UInt8, Hashable, Sendable { case openai, anthropic }

  package init(_ provider: Provider) throws(UnsupportedProvider) {
    self.provider = provider
    switch provider {
    case .openai: family = .openai
    case .anthropic: family = .anthropic
    case .azureOpenAI, .gemini, .cohere, .mistral, .huggingface, .local, .bedrock:
      throw UnsupportedProvider(name: provider.rawValue, isKnown: true)
    }
  }

  /// - Parameter name: as written in a configuration file.
  package init(name: String) throws(UnsupportedProvider) {
    guard let provider = Provider(rawValue: name) else { throw UnsupportedProvider(name: name, isKnown: false) }
    try self.init(provider)
  }

  package static let openai = ProviderDialect(.openai, family: .openai)
  package static let anthropic = ProviderDialect(.anthropic, family: .anthropic)

  private init(_ provider: Provider, family: Family) {
    self.provider = provider
    self.family = family
  }

  /// The surface whose clients this provider answers without translation.
  package var surface: Surface {
    switch family {
    case .openai: .openai
    case .anthropic: .anthropic
    }
  }

  /// In the convention of the provider's own SDK: with `/v1` for OpenAI, without for Anthropic.
  package var defaultBaseURL: String {
    switch family {
    case .openai: OpenAI.defaultBaseURL
    case .anthropic: Anthropic.defaultBaseURL
    }
  }

  /// The environment variables the provider's own SDK reads.
  package var environment: ProviderEnvironment {
    switch family {
    case .openai: OpenAI.environment
    case .anthropic: Anthropic.environment
    }
  }

  /// Requests per minute and key to assume while neither the configuration nor the provider's headers say more.
  package var defaultRequestsPerMinute: Int {
    switch family {
    case .openai: OpenAI.defaultRequestsPerMinute
    case .anthropic: Anthropic.defaultRequestsPerMinute
    }
  }
}

/// What one provider's SDK reads from the environment, in order of precedence.
package struct ProviderEnvironment: Hashable, Sendable {
  /// API keys.
  package var keys: [String]
  /// Tokens sent as `authorization: Bearer`, where that is not what keys do.
  package var bearerTokens: [String] = []
  package var baseURL: String?
  package var organization: String?
  package var project: String?
}

// MARK: - Requests

extension ProviderDialect {
  /// Appends the path for the upstream request line: the base path, then the operation's own path as the client sent
  /// it, so that ids keep their encoding. The query is kept.
  ///
  /// - Parameters:
  ///   - basePath: of the endpoint's base URL, without a trailing slash; empty for none.
  ///   - clientPath: the path the surface matcher accepted.
  ///   - query: without the question mark.
  package func appendUpstreamTarget(
    basePath: [UInt8], clientPath: ByteSlice, query: ByteSlice?, to target: inout [UInt8]
  ) {
    target.append(contentsOf: basePath)
    switch family {
    case .openai: OpenAI.upstreamPath(clientPath).append(to: &target)
    case .anthropic: Anthropic.upstreamPath(clientPath).append(to: &target)
    }
    guard let query, !query.isEmpty else { return }
    target.append(0x3F)
    query.append(to: &target)
  }

  /// The path part of a base URL in the form `appendUpstreamTarget` wants: no trailing slash, "" for none.
  package static func normalizedBasePath(_ path: String) -> [UInt8] {
    var bytes = Array(path.utf8)
    while bytes.last == 0x2F { bytes.removeLast() }
    return bytes
  }

  /// Builds the credential's header lines once, when the configuration is loaded; a request copies them.
  package func prepare(_ credential: UpstreamCredential) throws(InvalidCredential) -> PreparedCredential {
    try credential.validate()
    var lines: [UInt8] = []
    switch family {
    case .openai: OpenAI.appendCredential(credential, to: &lines)
    case .anthropic: Anthropic.appendCredential(credential, to: &lines)
    }
    return PreparedCredential(lines: lines)
  }

  /// Appends the header lines the provider demands and the client did not send.
  package func appendMissingHeaders(client: HeaderView, to head: inout [UInt8]) {
    switch family {
    case .openai: break
    case .anthropic: Anthropic.appendMissingHeaders(client: client, to: &head)
    }
  }

  /// The free call that proves the path and the key: a complete request head without a body.
  package func appendProbe(
    host: String, basePath: [UInt8], credential: PreparedCredential, to head: inout [UInt8]
  ) {
    head.append("GET ")
    head.append(contentsOf: basePath)
    switch family {
    case .openai: head.append(OpenAI.probeTarget)
    case .anthropic: head.append(Anthropic.probeTarget)
    }
    head.append(" HTTP/1.1\r\nhost: ")
    head.append(contentsOf: host.utf8)
    head.append("\r\naccept: application/json\r\naccept-encoding: identity\r\nuser-agent: sluice\r\n")
    head.append(contentsOf: credential.lines)
    appendMissingHeaders(client: .none, to: &head)
    head.append("\r\n")
  }

  /// What a probe's status says; a limited or rejected key proves the path as well as a success does.
  package func probeVerdict(status: Int) -> FailureClass? {
    switch status {
    case 200..<400: nil
    case 401, 403: .credential
    case 429: .rateLimited
    case 529: .overloaded
    case 500...: .server
    default: .protocolError
    }
  }
}

// MARK: - Answers

extension ProviderDialect {
  /// What a failed answer means: by the provider's code first, then its error type, then the status, its text last.
  ///
  /// - Parameters:
  ///   - headers: of the answer.
  ///   - body: as much of the error body as was collected; may be empty or not JSON at all.
  ///   - now: the wall clock, for hints that are dates.
  package func classify(status: Int, headers: HeaderView, body: ByteSlice, now: UnixTime) -> ProviderFailure {
    let error = ProviderErrorBody.read(body)
    let verdict: FailureVerdict =
      switch family {
      case .openai: OpenAI.verdict(status: status, error)
      case .anthropic: Anthropic.verdict(status: status, error)
      }
    var wait = HintText.wait(headers, now: now)
    if wait == nil, verdict.failureClass == .rateLimited { wait = rateLimits(headers, now: now).exhaustedReset }
    return ProviderFailure(
      verdict.failureClass, reach: verdict.reach, status: status, code: error.label, message: error.message,
      retryAfter: wait, shouldRetry: HintText.shouldRetry(headers), disablesKey: verdict.disablesKey)
  }

  /// An error that came inside a stream, after the 200.
  func classifyStreamError(_ error: ProviderErrorBody) -> ProviderFailure {
    let verdict: FailureVerdict =
      switch family {
      case .openai: OpenAI.verdict(status: 200, error)
      case .anthropic: Anthropic.verdict(status: 200, error)
      }
    return ProviderFailure(
      verdict.failureClass, reach: verdict.reach, status: 200, code: error.label, message: error.message,
      disablesKey: verdict.disablesKey)
  }

  /// The provider's own account of the limits, from the headers of any answer.
  package func rateLimits(_ headers: HeaderView, now: UnixTime) -> RateLimitView {
    switch family {
    case .openai: OpenAI.rateLimits(headers)
    case .anthropic: Anthropic.rateLimits(headers, now: now)
    }
  }
}
