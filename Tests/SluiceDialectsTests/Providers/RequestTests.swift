import SluiceDialects
import SluicePolicy
import Testing

@Suite("Upstream requests")
struct RequestTests {
  static func target(_ dialect: ProviderDialect, _ base: String, _ path: String, _ query: String? = nil) -> String {
    var bytes: [UInt8] = []
    withBytes(path) { path in
      withBytes(query ?? "") { text in
        dialect.appendUpstreamTarget(
          basePath: ProviderDialect.normalizedBasePath(base),
          UpstreamCall(.native, passed: .init(path: path, query: query == nil ? nil : text)), to: &bytes)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func baseURLsMeanWhatTheSDKsMean() {
    #expect(Self.target(.openai, "/v1", "/v1/chat/completions") == "/v1/chat/completions")
    #expect(Self.target(.openai, "/v1/", "/v1/models", "limit=2") == "/v1/models?limit=2")
    #expect(Self.target(.openai, "", "/v1/models/a%2Fb") == "/models/a%2Fb")
    #expect(
      Self.target(.openai, "/proxy/openai/v1", "/v1/responses/r1/cancel") == "/proxy/openai/v1/responses/r1/cancel")
    #expect(Self.target(.anthropic, "/", "/v1/messages", "beta=true") == "/v1/messages?beta=true")
    #expect(Self.target(.anthropic, "/proxy", "/v1/messages") == "/proxy/v1/messages")
  }

  @Test func credentialsBecomeHeaderLines() throws {
    let full = UpstreamCredential("sk-1", organization: "org-1", project: "p-1")
    #expect(
      String(decoding: try ProviderDialect.openai.prepare(full).lines, as: UTF8.self)
        == "authorization: Bearer sk-1\r\nopenai-organization: org-1\r\nopenai-project: p-1\r\n")
    let key = try ProviderDialect.anthropic.prepare(UpstreamCredential("sk-2")).lines
    #expect(String(decoding: key, as: UTF8.self) == "x-api-key: sk-2\r\n")
    let token = try ProviderDialect.anthropic.prepare(UpstreamCredential("t", kind: .bearer)).lines
    #expect(String(decoding: token, as: UTF8.self) == "authorization: Bearer t\r\n")
  }

  @Test("credentials that would break a head are refused", arguments: ["", "a b", "a\r\nx: y", "é", "a\u{0}"])
  func badCredential(_ secret: String) {
    #expect(throws: InvalidCredential.self) { try ProviderDialect.openai.prepare(UpstreamCredential(secret)) }
  }

  @Test func badOrganizationsAreRefusedToo() {
    #expect(throws: InvalidCredential.self) {
      try ProviderDialect.openai.prepare(UpstreamCredential("k", organization: "a\nb"))
    }
  }

  @Test func secretsNeverShow() throws {
    let credential = UpstreamCredential("sk-secret")
    let prepared = try ProviderDialect.openai.prepare(credential)
    for text in ["\(credential)", String(reflecting: credential), "\(prepared)", String(reflecting: prepared)] {
      #expect(!text.contains("secret"))
    }
    var dump = ""
    Swift.dump(credential, to: &dump)
    Swift.dump(prepared, to: &dump)
    #expect(!dump.contains("secret") && !dump.contains("115"))
  }

  @Test func anthropicVersionIsKeptOrDefaulted() throws {
    let kept = try #require(
      withRequest(["POST /v1/messages HTTP/1.1", "host: a", "anthropic-version: 2026-10-21"]) { head, bytes in
        var lines: [UInt8] = []
        ProviderDialect.anthropic.appendMissingHeaders(
          client: HeaderView(head.headers, in: bytes), UpstreamCall(.messages), to: &lines)
        return lines
      })
    #expect(kept.isEmpty)
    var lines: [UInt8] = []
    ProviderDialect.anthropic.appendMissingHeaders(client: .none, UpstreamCall(.messages), to: &lines)
    #expect(String(decoding: lines, as: UTF8.self) == "anthropic-version: 2023-06-01\r\n")
  }

  @Test func probesAreCompleteRequests() throws {
    let rows: [(ProviderDialect, String, String)] = [
      (.openai, "/v1", "/v1/models"), (.anthropic, "", "/v1/models"),
    ]
    for (dialect, base, path) in rows {
      var head: [UInt8] = []
      dialect.appendProbe(
        host: "api.example", basePath: ProviderDialect.normalizedBasePath(base),
        credential: try dialect.prepare(UpstreamCredential("k")), to: &head)
      let parsed = head.withUnsafeBytes { bytes -> String? in
        guard case .complete(let parsed, let consumed) = RequestHeadParser.parse(bytes, limits: HTTPLimits()),
          consumed == bytes.count, parsed.method == .get
        else { return nil }
        return parsed.path.string(in: bytes)
      }
      #expect(parsed == path)
    }
  }

  @Test func probeVerdicts() {
    let rows: [(Int, FailureClass?)] = [
      (200, nil), (204, nil), (401, .credential), (403, .credential), (404, .protocolError), (429, .rateLimited),
      (500, .server), (529, .overloaded),
    ]
    for (status, expected) in rows { #expect(ProviderDialect.openai.probeVerdict(status: status) == expected) }
  }

  @Test func providersThatComeLaterAreRefusedByName() {
    for provider in Provider.allCases where !provider.isImplemented {
      let error = #expect(throws: UnsupportedProvider.self) { try ProviderDialect(name: provider.rawValue) }
      #expect(error?.description.contains("not in this version") ?? false)
    }
    let unknown = #expect(throws: UnsupportedProvider.self) { try ProviderDialect(name: "opanai") }
    #expect(unknown?.description.contains("unknown provider") ?? false)
  }

  @Test(
    "what a client may send on",
    arguments: [
      ("content-type", true), ("accept", true), ("user-agent", true), ("anthropic-beta", true),
      ("anthropic-version", true),
      ("traceparent", true), ("idempotency-key", true), ("x-custom", true), ("x-client-request-id", true),
      ("Authorization", false), ("X-Api-Key", false), ("api-key", false), ("x-goog-api-key", false), ("cookie", false),
      ("openai-organization", false), ("openai-project", false), ("anthropic-workspace-id", false),
      ("accept-encoding", false), ("content-length", false), ("te", false), ("upgrade", false), ("keep-alive", false),
      ("proxy-authorization", false), ("proxy-foo", false), ("x-sluice-class", false), ("X-Sluice-Anything", false),
      ("X-Stainless-Retry-Count", false), ("x-stainless-lang", false), ("forwarded", false), ("x-forwarded-for", false),
      ("x-forwarded-port", false), ("x-real-ip", false), ("via", false), ("origin", false), ("referer", false),
      ("sec-fetch-mode", false), ("sec-fetch-site", false), ("x-listed", false),
    ])
  func upstreamHeader(_ name: String, _ expected: Bool) {
    let lines = ["POST / HTTP/1.1", "host: a", "connection: x-listed", "\(name): 0"]
    let found = withRequest(lines) { head, bytes in HeaderFilter.travelsUpstream(head.headers[2], in: bytes) }
    #expect(found == expected)
  }

  @Test(
    "what a provider may send back",
    arguments: [
      ("content-type", true), ("x-request-id", true), ("request-id", true), ("x-ratelimit-limit-requests", true),
      ("anthropic-ratelimit-requests-limit", true), ("retry-after", true), ("openai-processing-ms", true),
      ("x-should-retry", true), ("cf-ray", true), ("date", true),
      ("connection", false), ("keep-alive", false), ("set-cookie", false), ("strict-transport-security", false),
      ("alt-svc", false), ("server-timing", false), ("X-Sluice-Pool", false), ("access-control-allow-origin", false),
      ("content-length", false), ("proxy-authenticate", false), ("via", false), ("nel", false), ("report-to", false),
    ])
  func downHeader(_ name: String, _ expected: Bool) {
    let text = "HTTP/1.1 200 OK\r\n\(name): 0\r\n\r\n"
    let found = Array(text.utf8).withUnsafeBytes { bytes -> Bool? in
      guard case .complete(let head, _) = ResponseHeadParser.parse(bytes, requestMethod: .post, limits: HTTPLimits())
      else { return nil }
      return HeaderFilter.travelsDown(head.headers[0], in: ByteSlice(bytes))
    }
    #expect(found == expected)
  }

  @Test func environmentNamesAreTheSDKs() {
    #expect(ProviderDialect.openai.environment.keys == ["OPENAI_API_KEY"])
    #expect(ProviderDialect.anthropic.environment.bearerTokens == ["ANTHROPIC_AUTH_TOKEN"])
    #expect(ProviderDialect.openai.defaultBaseURL == "https://api.openai.com/v1")
    #expect(ProviderDialect.anthropic.defaultBaseURL == "https://api.anthropic.com")
  }
}
