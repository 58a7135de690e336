package import SluicePolicy

/// Everything the gateway knows about one provider's protocol, with the options of one pool, as pure functions. The
/// knowledge itself stands in one namespace per provider; see `ProviderKnowledge`.
package struct ProviderDialect: Sendable {
  package let provider: Provider
  package let options: ProviderOptions
  let knowledge: any ProviderKnowledge.Type

  package init(_ provider: Provider, options: ProviderOptions = .none) throws(UnsupportedProvider) {
    guard let knowledge = provider.knowledge else {
      throw UnsupportedProvider(name: provider.rawValue, isKnown: true)
    }
    self.init(provider, knowledge, options)
  }

  /// - Parameter name: as written in a configuration file.
  package init(name: String) throws(UnsupportedProvider) {
    guard let provider = Provider(rawValue: name) else { throw UnsupportedProvider(name: name, isKnown: false) }
    try self.init(provider)
  }

  package static let openai = ProviderDialect(.openai, OpenAI.self, .none)
  package static let anthropic = ProviderDialect(.anthropic, Anthropic.self, .none)

  private init(_ provider: Provider, _ knowledge: any ProviderKnowledge.Type, _ options: ProviderOptions) {
    self.provider = provider
    self.knowledge = knowledge
    self.options = options
  }

  /// The surface whose clients this provider answers without translation.
  package var surface: Surface { knowledge.surface ?? .openai }

  /// In the convention of the provider's own SDK: with `/v1` for OpenAI, without for Anthropic.
  package var defaultBaseURL: String { knowledge.defaultBaseURL }

  /// The base URL that goes with this pool's options, those that it names in braces filled in; empty when one of them is
  /// not given, or where nothing is usual.
  package var baseURL: String {
    var text = ""
    var rest = Substring(knowledge.standardBaseURL(options))
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      guard let value = options[text: String(rest[rest.index(after: open)..<close])] else { return "" }
      text += rest[..<open] + value
      rest = rest[rest.index(after: close)...]
    }
    return text + rest
  }

  /// The environment variables the provider's own SDK reads.
  package var environment: ProviderEnvironment { knowledge.environment }

  /// Requests per minute and key to assume while neither the configuration nor the provider's headers say more.
  package var defaultRequestsPerMinute: Int { knowledge.defaultRequestsPerMinute }

  package var needsCredential: Bool { knowledge.needsCredential }

  package var listsModels: Bool { knowledge.listsModels }

  /// Why the host may not be used with this pool's options; nothing when it may.
  package func refusal(host: String) -> String? { knowledge.refusal(host: host, options) }

  /// The provider's own name for a model, for example of its deployment.
  package func upstreamModel(_ model: String) -> String { knowledge.upstreamModel(model, options) }

  /// What the pool's options add to a request that is passed through. The rest of the body stays as it is.
  package func addition(to body: ByteSlice, _ fields: RequestFields, _ operation: Operation) -> BodySplice? {
    options.isEmpty ? nil : knowledge.addition(to: body, fields, operation, options)
  }
}

extension ProviderDialect: Hashable {
  package static func == (left: ProviderDialect, right: ProviderDialect) -> Bool {
    left.provider == right.provider && left.options == right.options
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(provider)
    hasher.combine(options)
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
  /// Variables that set an option, by the option's name.
  package var options: [String: String] = [:]
}

// MARK: - Requests

extension ProviderDialect {
  /// The provider answers the operation in the client's own protocol: it is passed through.
  package func speaks(_ operation: Operation) -> Bool { knowledge.speaks(operation, options) }

  /// The provider's own operation for what a client of another surface asked for; nothing when it has none.
  package func operation(for task: Operation.Purpose, streams: Bool) -> Operation? {
    knowledge.operation(for: task, streams: streams, options)
  }

  /// What a request on the provider's own path is about, so that its answer can be read on its way.
  ///
  /// - Parameter path: behind the pool's name; the base URL's own `/v1` may be left out.
  package func operation(ofNative path: ByteSlice, query: ByteSlice?) -> Operation {
    if let own = knowledge.nativeOperation(path, options) { return own }
    if let known = spoken(path, query) { return known }
    guard surface == .openai, !path.hasPrefix("/v1/") else { return .native }
    var whole = Array("/v1".utf8)
    path.append(to: &whole)
    return whole.withSlice { spoken($0, nil) } ?? .native
  }

  private func spoken(_ path: ByteSlice, _ query: ByteSlice?) -> Operation? {
    let match = SurfaceMatcher.match(method: .post, path: path, headers: .none)?.refined(query: query)
    guard let match, match.inspected, speaks(match.operation) else { return nil }
    return match.operation
  }

  /// Appends path and query for the upstream request line.
  ///
  /// - Parameter basePath: of the endpoint's base URL, without a trailing slash; empty for none.
  package func appendUpstreamTarget(basePath: [UInt8], _ call: UpstreamCall, to target: inout [UInt8]) {
    target.append(contentsOf: basePath)
    knowledge.adjustBase(&target)
    knowledge.appendTarget(call, options, to: &target)
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
    knowledge.appendCredential(credential, to: &lines)
    return PreparedCredential(lines: lines, signer: knowledge.signer(credential, options))
  }

  /// Appends the header lines the provider demands and the client did not send.
  package func appendMissingHeaders(client: HeaderView, _ call: UpstreamCall, to head: inout [UInt8]) {
    knowledge.appendMissingHeaders(client: client, call, options, to: &head)
  }

  /// The free call that proves an endpoint with this credential. It may go to another host than the endpoint's.
  package func probeCall(_ credential: PreparedCredential) -> ProbeCall {
    credential.signer == nil ? knowledge.probe(options) : knowledge.signedProbe(options)
  }

  /// The free call that proves the path and the key: a complete request.
  ///
  /// - Parameters:
  ///   - host: of the endpoint; the call's own host, where it has one, comes before.
  ///   - stays: the endpoint is not the provider's own (a gateway, a private endpoint, a simulator): the call's own host
  ///     would prove nothing about it, so the endpoint itself is asked.
  ///   - now: for signatures; others do not need it.
  package func appendProbe(
    host: String, basePath: [UInt8], credential: PreparedCredential, stays: Bool = false,
    now: UnixTime = UnixTime(milliseconds: 0), to head: inout [UInt8]
  ) {
    var probe = stays ? knowledge.probe(options) : probeCall(credential)
    if stays { probe.host = nil }
    let method = probe.method.name.map { "\($0)" } ?? "GET"
    let host = probe.host ?? host
    // Another host has no part in the endpoint's base path.
    var target: [UInt8] = []
    if probe.host == nil {
      target = basePath
      knowledge.adjustBase(&target)
    }
    target += probe.target.utf8
    head.append(contentsOf: method.utf8)
    head.append(Ascii.space)
    head += target
    head.append(" HTTP/1.1\r\nhost: ")
    head.append(contentsOf: host.utf8)
    head.append("\r\naccept: application/json\r\naccept-encoding: identity\r\nuser-agent: sluice\r\n")
    head.append(contentsOf: credential.lines)
    appendMissingHeaders(client: .none, UpstreamCall(.models), to: &head)
    if let type = probe.contentType {
      head.append("content-type: ")
      head.append(contentsOf: type.utf8)
      head.append("\r\n")
    }
    let body = Array(probe.body.utf8)
    if !body.isEmpty {
      head.append("content-length: ")
      head.append(decimal: body.count)
      head.append("\r\n")
    }
    if let signer = credential.signer {
      target.withSlice { target in
        body.withSlice { body in
          signer.append(
            RequestSigner.Attempt(
              method: method, target: target, host: host, contentType: probe.contentType, body: body), now: now,
            to: &head)
        }
      }
    }
    head.append("\r\n")
    head += body
  }

  /// What a probe's answer says, for providers whose status alone misleads.
  package func probeVerdict(status: Int, body: ByteSlice) -> FailureClass? {
    knowledge.probeVerdict(status: status, body) ?? probeVerdict(status: status)
  }

  /// What a probe's status says; a limited or rejected key proves the path as well as a success does.
  package func probeVerdict(status: Int) -> FailureClass? {
    switch status {
    case 200..<400: nil
    case 401, 403: .credential
    case 429: .rateLimited
    // A server of one's own without that path is up all the same.
    case 404, 405: provider == .local ? nil : .protocolError
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
    var error = ProviderErrorBody.read(body)
    knowledge.note(headers, in: &error)
    // Some services of AWS, and what stands in for them, answer in XML.
    if provider == .bedrock, error.type == nil { error.type = Bedrock.errorCode(body) }
    let verdict = knowledge.verdict(status: status, error)
    var wait = HintText.wait(headers, now: now) ?? knowledge.wait(headers, now: now) ?? knowledge.wait(in: error)
    if wait == nil, verdict.failureClass == .rateLimited { wait = rateLimits(headers, now: now).exhaustedReset }
    return ProviderFailure(
      verdict.failureClass, reach: verdict.reach, status: status, code: error.label, message: error.message,
      retryAfter: wait, shouldRetry: HintText.shouldRetry(headers), disablesKey: verdict.disablesKey,
      isBare: verdict.isBare, remedy: knowledge.remedy(error, headers, now: now))
  }

  /// An error that came inside a stream, after the 200.
  func classifyStreamError(_ error: ProviderErrorBody) -> ProviderFailure {
    let verdict = knowledge.verdict(status: 200, error)
    return ProviderFailure(
      verdict.failureClass, reach: verdict.reach, status: 200, code: error.label, message: error.message,
      retryAfter: knowledge.wait(in: error), disablesKey: verdict.disablesKey)
  }

  /// The provider's own account of the limits, from the headers of any answer.
  package func rateLimits(_ headers: HeaderView, now: UnixTime) -> RateLimitView {
    knowledge.rateLimits(headers, now: now)
  }

  /// How streams of this operation are cut into events.
  package func framing(_ operation: Operation) -> StreamFraming { knowledge.framing(operation) }

  /// One page of the provider's model list; nothing when the body is none.
  package func models(_ body: ByteSlice) -> ModelPage? { knowledge.models(body) }
}
