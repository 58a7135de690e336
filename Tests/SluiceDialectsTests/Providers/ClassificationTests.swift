import SluiceDialects
import SluicePolicy
import Testing

@Suite("Failure classes")
struct ClassificationTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var file: String
    var expected: FailureClass
    var reach: FailureReach
    var disables = false
    var testDescription: String { file }
  }

  static let openai: [Row] = [
    Row(file: "error.400.context_length.json", expected: .contextLength, reach: .request),
    Row(file: "error.400.unsupported_parameter.json", expected: .caller, reach: .request),
    Row(file: "error.401.invalid_api_key.json", expected: .credential, reach: .key, disables: true),
    Row(file: "error.403.unsupported_country.json", expected: .credential, reach: .key, disables: true),
    Row(file: "error.404.model_not_found.json", expected: .caller, reach: .keyAndModel),
    Row(file: "error.429.credit_balance_exhausted.json", expected: .quota, reach: .key, disables: true),
    Row(file: "error.429.insufficient_quota.json", expected: .quota, reach: .key, disables: true),
    Row(file: "error.429.rate_limit.json", expected: .rateLimited, reach: .key),
    Row(file: "error.429.slow_down.json", expected: .rateLimited, reach: .key),
    Row(file: "error.500.server_error.json", expected: .server, reach: .endpoint),
    Row(file: "error.503.overloaded.json", expected: .overloaded, reach: .endpoint),
    Row(file: "error.503.server_is_overloaded.json", expected: .overloaded, reach: .endpoint),
  ]

  static let anthropic: [Row] = [
    Row(file: "error.400.context_length.json", expected: .contextLength, reach: .request),
    Row(file: "error.400.invalid_request.json", expected: .caller, reach: .request),
    Row(file: "error.400.sampling_params.json", expected: .caller, reach: .request),
    Row(file: "error.401.json", expected: .credential, reach: .key, disables: true),
    Row(file: "error.402.json", expected: .quota, reach: .key, disables: true),
    Row(file: "error.403.json", expected: .credential, reach: .keyAndModel),
    Row(file: "error.404.json", expected: .caller, reach: .keyAndModel),
    Row(file: "error.413.json", expected: .caller, reach: .request),
    Row(file: "error.429.rate_limit.json", expected: .rateLimited, reach: .key),
    Row(file: "error.429.spend_limit.json", expected: .quota, reach: .key, disables: true),
    Row(file: "error.500.json", expected: .server, reach: .endpoint),
    Row(file: "error.504.json", expected: .timeout, reach: .endpoint),
    Row(file: "error.529.json", expected: .overloaded, reach: .endpoint),
  ]

  static func classify(
    _ dialect: ProviderDialect, _ status: Int, _ body: [UInt8], headers: HeaderView = .none
  ) -> ProviderFailure {
    body.withSlice { dialect.classify(status: status, headers: headers, body: $0, now: .sample) }
  }

  @Test("OpenAI samples", arguments: openai)
  func openAISample(_ row: Row) throws { try check(row, .openai, "openai") }

  @Test("Anthropic samples", arguments: anthropic)
  func anthropicSample(_ row: Row) throws { try check(row, .anthropic, "anthropic") }

  private func check(_ row: Row, _ dialect: ProviderDialect, _ folder: String) throws {
    let status = try #require(Int(row.file.split(separator: ".")[1]))
    let failure = Self.classify(dialect, status, try Fixture.bytes("\(folder)/\(row.file)"))
    #expect(failure.failureClass == row.expected)
    #expect(failure.reach == row.reach)
    #expect(failure.disablesKey == row.disables)
    #expect(failure.status == status)
    #expect(!(failure.message ?? "").isEmpty)
  }

  @Test func everySampleIsInATable() throws {
    let isError = { (name: String) in name.hasPrefix("error.") }
    #expect(try Fixture.names("openai", where: isError) == Self.openai.map(\.file).sorted())
    #expect(try Fixture.names("anthropic", where: isError) == Self.anthropic.map(\.file).sorted())
  }

  @Test(
    "bodies that say nothing leave it to the status", arguments: ["", "<html>bad gateway</html>", "{", "[]", "null"])
  func bareStatus(_ body: String) {
    let expected: [(Int, FailureClass, FailureClass)] = [
      (400, .caller, .caller), (401, .credential, .credential), (402, .quota, .quota),
      (403, .credential, .credential), (404, .caller, .caller), (408, .timeout, .timeout), (409, .caller, .caller),
      (413, .caller, .caller), (422, .caller, .caller), (429, .rateLimited, .rateLimited),
      (500, .server, .server), (502, .server, .server), (503, .overloaded, .overloaded),
      (504, .timeout, .timeout), (529, .overloaded, .overloaded), (301, .protocolError, .protocolError),
    ]
    for (status, openai, anthropic) in expected {
      #expect(Self.classify(.openai, status, Array(body.utf8)).failureClass == openai, "openai \(status)")
      #expect(Self.classify(.anthropic, status, Array(body.utf8)).failureClass == anthropic, "anthropic \(status)")
    }
  }

  @Test func codeCountsMoreThanTypeAndStatus() {
    let body = #"{"error":{"message":"m","type":"invalid_request_error","code":"insufficient_quota"}}"#
    #expect(Self.classify(.openai, 400, Array(body.utf8)).failureClass == .quota)
    let typed = #"{"error":{"message":"m","type":"tokens","code":null}}"#
    #expect(Self.classify(.openai, 400, Array(typed.utf8)).failureClass == .rateLimited)
    let ramp = #"{"error":{"type":"rate_limit_error","message":"m","details":{"error_code":"ramp_limit_exceeded"}}}"#
    #expect(Self.classify(.anthropic, 429, Array(ramp.utf8)).failureClass == .rateLimited)
  }

  @Test func oneRequestAboveTheWholeLimitIsTheCallersFault() {
    let body = """
      {"error":{"message":"Request too large for gpt-5.4 on tokens per min (TPM): Limit 30000, Requested 41000.",\
      "type":"tokens","param":null,"code":"rate_limit_exceeded"}}
      """
    let failure = Self.classify(.openai, 429, Array(body.utf8))
    #expect(failure.failureClass == .caller)
    #expect(failure.reach == .request)
  }

  @Test func errorsInOtherShapes() {
    for body in [#"{"error":"text"}"#, #"{"message":"text","code":429}"#, #"{"error":{"message":"text","code":7}}"#] {
      #expect(Self.classify(.openai, 500, Array(body.utf8)).message == "text", "\(body)")
    }
  }

  @Test func messagesAreBounded() {
    let body = #"{"error":{"message":"\#(String(repeating: "é", count: 5000))","code":"x"}}"#
    #expect((Self.classify(.openai, 500, Array(body.utf8)).message ?? "").utf8.count <= 515)
  }

  @Test func hintsComeFromTheHeaders() throws {
    let openai = try Fixture.bytes("openai/headers.429.txt")
    let body = try Fixture.bytes("openai/error.429.rate_limit.json")
    let first = try #require(
      withHead(openai) { head, headers in Self.classify(.openai, head.status, body, headers: headers) })
    #expect(first.retryAfter == .milliseconds(120))
    #expect(first.shouldRetry == true)
    let anthropic = try Fixture.bytes("anthropic/headers.429.txt")
    let second = try #require(
      withHead(anthropic) { head, headers in
        Self.classify(.anthropic, head.status, [], headers: headers)
      })
    #expect(second.retryAfter == .seconds(12))
  }

  @Test func aLimitWithoutAHintWaitsForTheResetOfWhatIsUsedUp() throws {
    let head =
      "HTTP/1.1 429 X\r\ncontent-length: 0\r\nx-ratelimit-remaining-requests: 5\r\n"
      + "x-ratelimit-reset-requests: 1h\r\nx-ratelimit-remaining-tokens: 0\r\nx-ratelimit-reset-tokens: 2.5s\r\n\r\n"
    let failure = try #require(
      withHead(Array(head.utf8)) { _, headers in Self.classify(.openai, 429, [], headers: headers) })
    #expect(failure.retryAfter == .milliseconds(2500))
  }
}
