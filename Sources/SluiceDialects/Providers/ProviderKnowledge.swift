package import SluicePolicy

/// What has to be known about one provider's protocol: one namespace without values per provider, its functions spread
/// over the same files in each folder (`Requests`, `Responses`, `Stream`, `Errors`, `Limits`, `Probe`, `Models`,
/// `Options`). All of it is pure.
///
/// `ProviderDialect` holds the namespace as a metatype: a call costs one indirect jump and allocates nothing.
package protocol ProviderKnowledge: SendableMetatype {
  // MARK: Addressing

  /// The surface whose clients this provider answers without translation; nothing when none is its own.
  static var surface: Surface? { get }
  /// In the convention of the provider's own SDK: with `/v1` for OpenAI, without for Anthropic. May name options in
  /// braces (`{region}`); empty where there is no default.
  static var defaultBaseURL: String { get }
  /// The environment variables the provider's own SDK reads.
  static var environment: ProviderEnvironment { get }
  /// Requests per minute and key to assume while neither the configuration nor the provider's headers say more.
  static var defaultRequestsPerMinute: Int { get }
  /// What may stand below `options:` of a pool.
  static var options: [ProviderOption] { get }
  /// The endpoint itself lists its models at `UpstreamCall(.models)`.
  static var listsModels: Bool { get }
  /// A key is needed; false for servers of one's own.
  static var needsCredential: Bool { get }

  /// The provider itself answers this operation in the client's own protocol: it is passed through.
  static func speaks(_ operation: Operation, _ options: ProviderOptions) -> Bool
  /// The provider's own operation for a task that another surface's client asked for; nothing when it cannot.
  static func operation(for task: Operation.Purpose, streams: Bool, _ options: ProviderOptions) -> Operation?

  /// Appends path and query of the upstream request line; the base path is there already.
  static func appendTarget(_ call: UpstreamCall, _ options: ProviderOptions, to target: inout [UInt8])
  /// Appends the credential's header lines. Providers that sign each request leave this empty; see
  /// `signer`.
  static func appendCredential(_ credential: UpstreamCredential, to lines: inout [UInt8])
  /// For credentials that sign each request instead of being sent.
  static func signer(_ credential: UpstreamCredential, _ options: ProviderOptions) -> RequestSigner?
  /// Appends the header lines the provider demands and the client did not send.
  static func appendMissingHeaders(
    client: HeaderView, _ call: UpstreamCall, _ options: ProviderOptions, to head: inout [UInt8])
  /// The free call that proves the path and, where it can, the key.
  static func probe(_ options: ProviderOptions) -> ProbeCall
  /// The same for credentials that sign.
  static func signedProbe(_ options: ProviderOptions) -> ProbeCall

  /// In the convention of `defaultBaseURL`, as the options want it.
  static func standardBaseURL(_ options: ProviderOptions) -> String
  /// Why a host may not be used with these options; nothing when it may.
  static func refusal(host: String, _ options: ProviderOptions) -> String?
  /// The provider's own name for a model, for example of its deployment.
  static func upstreamModel(_ model: String, _ options: ProviderOptions) -> String
  /// What the options add to a request that is passed through; nothing when the client says it itself.
  static func addition(
    to body: ByteSlice, _ fields: RequestFields, _ operation: Operation, _ options: ProviderOptions
  ) -> BodySplice?
  /// Brings the end of a base path into the form that `appendTarget` continues: people write it in several.
  static func adjustBase(_ target: inout [UInt8])

  // MARK: Answers

  /// What a failed answer means. `status` is 200 for an error inside a stream.
  static func verdict(status: Int, _ error: ProviderErrorBody) -> FailureVerdict
  /// How the request has to be signed so that it works, where the answer says so.
  static func remedy(_ error: ProviderErrorBody, _ headers: HeaderView, now: UnixTime) -> CredentialRemedy?
  /// A wait that the error body itself names, for providers that say it there and not in headers.
  static func wait(in error: ProviderErrorBody) -> Interval?
  /// What the answer's headers say about the error beside the body, for providers that name its type there.
  static func note(_ headers: HeaderView, in error: inout ProviderErrorBody)
  /// A wait in headers of the provider's own, after the usual ones.
  static func wait(_ headers: HeaderView, now: UnixTime) -> Interval?
  /// What a probe's answer says beyond its status; nothing where the status says it all.
  static func probeVerdict(status: Int, _ body: ByteSlice) -> FailureClass?
  /// The provider's own account of the limits, from the headers of any answer.
  static func rateLimits(_ headers: HeaderView, now: UnixTime) -> RateLimitView
  /// What the headers of a whole answer say about its usage, for providers that tell it there.
  static func read(_ headers: HeaderView, _ operation: Operation, into reader: inout AnswerReader)
  /// The operation behind a path of the provider's own that no surface has; nothing when it is not known.
  static func nativeOperation(_ path: ByteSlice, _ options: ProviderOptions) -> Operation?
  /// One whole document of an answer.
  static func read(_ document: ByteSlice, _ operation: Operation, into reader: inout AnswerReader)
  /// One event of a stream.
  static func readEvent(
    name: ByteSlice?, data: ByteSlice, _ operation: Operation, into state: inout StreamState)
  /// The stream's events say that it came to its proper end.
  static func isWhole(_ state: StreamState, _ operation: Operation) -> Bool
  /// How streams of this operation are cut into events.
  static func framing(_ operation: Operation) -> StreamFraming
  /// The counters in the one meaning for all providers.
  static func usage(_ counters: UsageCounters) -> TokenUsage?
  /// The member of a whole answer that holds its usage.
  static var usageMember: StaticString { get }
  /// Nothing when the body is not a model list.
  static func models(_ body: ByteSlice) -> ModelPage?
}

extension ProviderKnowledge {
  package static var options: [ProviderOption] { [] }
  package static func standardBaseURL(_ options: ProviderOptions) -> String { defaultBaseURL }
  package static func refusal(host: String, _ options: ProviderOptions) -> String? { nil }
  package static func upstreamModel(_ model: String, _ options: ProviderOptions) -> String { model }
  package static func adjustBase(_ target: inout [UInt8]) {}
  package static func addition(
    to body: ByteSlice, _ fields: RequestFields, _ operation: Operation, _ options: ProviderOptions
  ) -> BodySplice? { nil }
  package static var needsCredential: Bool { true }
  package static func remedy(
    _ error: ProviderErrorBody, _ headers: HeaderView, now: UnixTime
  ) -> CredentialRemedy? { nil }
  package static var listsModels: Bool { true }
  package static func wait(in error: ProviderErrorBody) -> Interval? { nil }
  package static func signer(_ credential: UpstreamCredential, _ options: ProviderOptions) -> RequestSigner? { nil }
  package static func signedProbe(_ options: ProviderOptions) -> ProbeCall { probe(options) }
  package static func note(_ headers: HeaderView, in error: inout ProviderErrorBody) {}
  package static func wait(_ headers: HeaderView, now: UnixTime) -> Interval? { nil }
  package static func probeVerdict(status: Int, _ body: ByteSlice) -> FailureClass? { nil }
  package static var usageMember: StaticString { "usage" }
  package static func read(_ headers: HeaderView, _ operation: Operation, into reader: inout AnswerReader) {}
  package static func nativeOperation(_ path: ByteSlice, _ options: ProviderOptions) -> Operation? { nil }
  package static func isWhole(_ state: StreamState, _ operation: Operation) -> Bool { state.sawEndMark }
  package static func framing(_ operation: Operation) -> StreamFraming { .serverSentEvents }
  package static func models(_ body: ByteSlice) -> ModelPage? { ModelList.parse(body) }
  package static func rateLimits(_ headers: HeaderView, now: UnixTime) -> RateLimitView { RateLimitView() }
  package static func appendMissingHeaders(
    client: HeaderView, _ call: UpstreamCall, _ options: ProviderOptions, to head: inout [UInt8]
  ) {}
}

/// How an answer's stream is cut into events.
package enum StreamFraming: UInt8, Hashable, Sendable {
  /// `text/event-stream`.
  case serverSentEvents
  /// One JSON document per line.
  case lines
  /// AWS's binary messages with checksums.
  case awsEventStream
  /// One JSON array, written piece by piece.
  case jsonArray

  /// What an event stream lets pass as nothing.
  package static let comment: StaticString = ": keepalive\n\n"

  /// What an answer's `content-type` says; nothing for what may be any document.
  package init?(contentType: ByteSlice) {
    let essence = contentType[0..<(contentType.firstIndex(of: 0x3B) ?? contentType.count)].trimmed
    if essence.equalsIgnoringCase("text/event-stream") {
      self = .serverSentEvents
    } else if essence.equalsIgnoringCase("application/vnd.amazon.eventstream") {
      self = .awsEventStream
    } else if essence.equalsIgnoringCase("application/x-ndjson") {
      self = .lines
    } else {
      return nil
    }
  }

  /// What has to stand between one event's end and the next event.
  package var separator: StaticString { self == .jsonArray ? "," : "" }

  /// What a request for such a stream accepts.
  package var mediaType: StaticString {
    switch self {
    case .serverSentEvents: "text/event-stream"
    case .lines: "application/x-ndjson"
    case .awsEventStream: "application/vnd.amazon.eventstream"
    case .jsonArray: "application/json"
    }
  }
}

/// The free call that proves an endpoint.
package struct ProbeCall: Hashable, Sendable {
  /// Without the base path; begins with a slash.
  package var target: String
  package var method: HTTPMethodToken
  package var body: String
  /// Another host than the endpoint's; nothing for the endpoint's own.
  package var host: String?
  /// Of the body.
  package var contentType: String?

  package init(
    _ target: String, method: HTTPMethodToken = .get, body: String = "", host: String? = nil, contentType: String? = nil
  ) {
    self.contentType = contentType
    self.target = target
    self.method = method
    self.body = body
    self.host = host
  }
}
