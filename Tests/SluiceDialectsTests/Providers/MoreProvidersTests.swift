import SluiceDialects
import SluicePolicy
import Testing

/// Gemini and Cohere as providers: addresses, errors, limits, usage, streams, lists.
@Suite("More providers")
struct MoreProvidersTests {
  static func dialect(_ name: String, _ options: [String: ProviderOptions.Value] = [:]) throws -> ProviderDialect {
    try ProviderDialect(try #require(Provider(rawValue: name)), options: ProviderOptions(options))
  }

  // MARK: Errors

  struct Row: Sendable, CustomTestStringConvertible {
    var file: String
    var expected: FailureClass
    var reach: FailureReach
    var disables = false
    var wait: Interval?
    var testDescription: String { file }
  }

  static let rows: [Row] = [
    Row(file: "gemini/error.400.api_key_invalid.json", expected: .credential, reach: .key, disables: true),
    Row(file: "gemini/error.400.context_length.json", expected: .contextLength, reach: .request),
    Row(file: "gemini/error.400.field_violation.json", expected: .caller, reach: .request),
    Row(file: "gemini/error.403.json", expected: .credential, reach: .keyAndModel),
    Row(file: "gemini/error.404.json", expected: .caller, reach: .keyAndModel),
    Row(file: "gemini/error.429.bare.json", expected: .rateLimited, reach: .key),
    Row(file: "gemini/error.429.per_minute.json", expected: .rateLimited, reach: .key, wait: .seconds(7)),
    Row(file: "gemini/error.429.quota.json", expected: .quota, reach: .keyAndModel, wait: .seconds(3600)),
    Row(file: "gemini/error.500.json", expected: .server, reach: .endpoint),
    Row(file: "gemini/error.503.json", expected: .overloaded, reach: .endpoint),
    Row(file: "gemini/error.504.json", expected: .timeout, reach: .endpoint),
    Row(file: "gemini/error.stream-array.429.json", expected: .rateLimited, reach: .key),
    Row(file: "cohere/error.400.context_length.json", expected: .contextLength, reach: .request),
    Row(file: "cohere/error.400.json", expected: .caller, reach: .request),
    Row(file: "cohere/error.401.json", expected: .credential, reach: .key, disables: true),
    Row(file: "cohere/error.403.json", expected: .credential, reach: .keyAndModel),
    Row(file: "cohere/error.404.json", expected: .caller, reach: .keyAndModel),
    Row(file: "cohere/error.422.json", expected: .caller, reach: .request),
    Row(file: "cohere/error.429.json", expected: .rateLimited, reach: .key),
    Row(file: "cohere/error.498.json", expected: .credential, reach: .key, disables: true),
    Row(file: "cohere/error.499.json", expected: .server, reach: .endpoint),
    Row(file: "cohere/error.500.json", expected: .server, reach: .endpoint),
    Row(file: "cohere/error.501.json", expected: .server, reach: .endpoint),
    Row(file: "cohere/error.503.json", expected: .overloaded, reach: .endpoint),
    Row(file: "cohere/error.504.json", expected: .timeout, reach: .endpoint),
  ]

  @Test("error samples", arguments: rows)
  func classify(_ row: Row) throws {
    let parts = row.file.split(separator: "/")
    let words = parts[1].split(separator: ".")
    let status = try #require(words.compactMap { Int($0) }.first)
    let failure = ClassificationTests.classify(
      try Self.dialect(String(parts[0])), status, try Fixture.bytes(row.file))
    #expect(failure.failureClass == row.expected)
    #expect(failure.reach == row.reach)
    #expect(failure.disablesKey == row.disables)
    #expect(failure.retryAfter == row.wait)
    #expect(!(failure.message ?? "").isEmpty)
  }

  @Test("every sample is in the table", arguments: ["gemini", "cohere"])
  func complete(_ folder: String) throws {
    let names = try Fixture.names(folder, where: { $0.hasPrefix("error.") }).map { "\(folder)/\($0)" }
    #expect(names == Self.rows.map(\.file).filter { $0.hasPrefix(folder) }.sorted())
  }

  @Test func aMonthlyTrialLimitDoesNotRecover() throws {
    let body = #"{"message":"You are using a Trial key, which is limited to 1000 API calls / month."}"#
    let failure = ClassificationTests.classify(try Self.dialect("cohere"), 429, Array(body.utf8))
    #expect(failure.failureClass == .quota && failure.disablesKey)
  }

  @Test("Cohere's reset is a moment, believed for a minute", arguments: [(12, 12), (600, 60), (-5, 0)])
  func reset(_ ahead: Int, _ expected: Int) throws {
    let now = Int(UnixTime.sample.milliseconds / 1000)
    let head = Array("HTTP/1.1 429 X\r\ncontent-length: 0\r\nx-ratelimit-reset: \(now + ahead)\r\n\r\n".utf8)
    let dialect = try Self.dialect("cohere")
    let failure = try #require(
      withHead(head) { _, headers in ClassificationTests.classify(dialect, 429, [], headers: headers) })
    #expect(failure.retryAfter == .seconds(Int64(expected)))
  }

  // MARK: Requests

  private func target(_ dialect: ProviderDialect, _ call: UpstreamCall) -> String {
    var bytes: [UInt8] = []
    dialect.appendUpstreamTarget(basePath: [], call, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func translatedTargets() throws {
    let gemini = try Self.dialect("gemini")
    #expect(target(gemini, UpstreamCall(.generateContent, model: "g-1")) == "/v1beta/models/g-1:generateContent")
    #expect(
      target(gemini, UpstreamCall(.streamGenerateContent, model: "tunedModels/a b", streams: true))
        == "/v1beta/tunedModels/a%20b:streamGenerateContent?alt=sse")
    let stable = try Self.dialect("gemini", ["api_version": .text("v1")])
    #expect(target(stable, UpstreamCall(.batchEmbedContents, model: "e")) == "/v1/models/e:batchEmbedContents")
    let preview = try Self.dialect("gemini", ["api_version": .text("beta")])
    #expect(target(preview, UpstreamCall(.embedContent, model: "e")) == "/v1beta/models/e:embedContent")
    #expect(preview.probeCall(try preview.prepare(UpstreamCredential("k"))).target == "/v1beta/models?pageSize=1")
    #expect(preview.environment.options == ["api_version": "GOOGLE_GENAI_API_VERSION"])
    #expect(target(stable, UpstreamCall(.models)) == "/v1/models?pageSize=1000")
    let cohere = try Self.dialect("cohere")
    #expect(target(cohere, UpstreamCall(.cohereChat)) == "/v2/chat")
    #expect(target(cohere, UpstreamCall(.cohereEmbed)) == "/v2/embed")
  }

  @Test func geminiClientsKeepTheirPathButNotTheirKey() throws {
    let gemini = try Self.dialect("gemini")
    let rows: [(String, String?, Bool, String)] = [
      ("/v1/models/g:generateContent", nil, true, "/v1/models/g:generateContent"),
      ("/v1/models/g%3AgenerateContent", "key=secret&alt=sse", true, "/v1/models/g%3AgenerateContent?alt=sse"),
      ("/v1/models/alias:generateContent", "alt=sse&key=s&x=1", false, "/v1/models/real:generateContent?alt=sse&x=1"),
      ("/v1beta/files", "key=s", true, "/v1beta/files"),
    ]
    for (path, query, keeps, expected) in rows {
      withBytes(path) { path in
        withBytes(query ?? "") { query in
          let passed = UpstreamCall.Passed(path: path, query: query, keepsModel: keeps)
          let operation: SluiceDialects.Operation = expected.contains("files") ? .native : .generateContent
          #expect(target(gemini, UpstreamCall(operation, model: "real", passed: passed)) == expected)
        }
      }
    }
  }

  @Test func credentials() throws {
    let gemini = try Self.dialect("gemini").prepare(UpstreamCredential("k")).lines
    #expect(String(decoding: gemini, as: UTF8.self) == "x-goog-api-key: k\r\n")
    let token = try Self.dialect("gemini").prepare(UpstreamCredential("t", kind: .bearer, project: "p")).lines
    #expect(String(decoding: token, as: UTF8.self) == "authorization: Bearer t\r\nx-goog-user-project: p\r\n")
    let cohere = try Self.dialect("cohere").prepare(UpstreamCredential("c")).lines
    #expect(String(decoding: cohere, as: UTF8.self) == "authorization: Bearer c\r\n")
  }

  @Test func aBadGeminiKeyIsSeenByTheProbe() throws {
    let body = try Fixture.bytes("gemini/error.400.api_key_invalid.json")
    let gemini = try Self.dialect("gemini")
    #expect(body.withSlice { gemini.probeVerdict(status: 400, body: $0) } == .credential)
    #expect(gemini.probeVerdict(status: 200, body: .empty) == nil)
    #expect(gemini.probeVerdict(status: 400, body: .empty) == .protocolError)
  }

  @Test func lists() throws {
    let gemini = try #require(
      try Fixture.bytes("gemini/models.response.json").withSlice { try? Self.dialect("gemini").models($0) })
    #expect(gemini.models.map(\.id) == ["gemini-3.8-flash"])
    #expect(gemini.models.first?.maxInputTokens == 1_048_576)
    #expect(gemini.nextQuery == "pageSize=1000&pageToken=Ch1tb2RlbHM%3D")
    let cohere = try #require(
      try Fixture.bytes("cohere/models.response.json").withSlice { try? Self.dialect("cohere").models($0) })
    #expect(cohere.models.map(\.id) == ["command-a-plus-05-2026"] && cohere.nextQuery == nil)
  }

  // MARK: Usage and streams

  struct Measured: Sendable, CustomTestStringConvertible {
    var file: String
    var operation: SluiceDialects.Operation
    var usage: TokenUsage?
    var finish: FinishReason?
    var safety: SafetySignal?
    var whole = true
    var testDescription: String { file }
  }

  static let measured: [Measured] = [
    Measured(
      file: "gemini/generate.response.json", operation: .generateContent, usage: TokenUsage(input: 8, output: 2),
      finish: .stop),
    Measured(
      file: "gemini/generate-tools.response.json", operation: .generateContent,
      usage: TokenUsage(input: 90, output: 75, reasoning: 45), finish: .toolUse),
    Measured(
      file: "gemini/generate-thinking-cached.response.json", operation: .generateContent,
      usage: TokenUsage(input: 2100, output: 61, cachedInput: 2048, reasoning: 60), finish: .stop),
    Measured(
      file: "gemini/generate-prompt-blocked.response.json", operation: .generateContent,
      usage: TokenUsage(input: 8), finish: .contentFilter, safety: .contentFilter),
    Measured(
      file: "gemini/count-tokens.response.json", operation: .geminiCountTokens, usage: TokenUsage(input: 2)),
    Measured(
      file: "gemini/stream.response.sse", operation: .streamGenerateContent, usage: TokenUsage(input: 8, output: 2),
      finish: .stop),
    Measured(
      file: "gemini/stream-tools.response.sse", operation: .streamGenerateContent,
      usage: TokenUsage(input: 90, output: 75, reasoning: 45), finish: .toolUse),
    Measured(
      file: "gemini/stream-blocked.response.sse", operation: .streamGenerateContent,
      usage: TokenUsage(input: 8, output: 1), finish: .contentFilter, safety: .contentFilter),
    Measured(
      file: "cohere/chat.response.json", operation: .cohereChat, usage: TokenUsage(input: 74, output: 3),
      finish: .stop),
    Measured(file: "cohere/embed.response.json", operation: .cohereEmbed, usage: TokenUsage(input: 1)),
    Measured(file: "cohere/rerank.response.json", operation: .rerank),
    Measured(
      file: "cohere/chat-stream-tools.response.sse", operation: .cohereChat, usage: TokenUsage(input: 74, output: 3),
      finish: .toolUse),
    Measured(
      file: "cohere/chat-stream-error.response.sse", operation: .cohereChat, usage: TokenUsage(input: 74, output: 3),
      whole: false),
  ]

  @Test("usage, finish and end", arguments: measured)
  func measure(_ row: Measured) throws {
    let dialect = try Self.dialect(String(row.file.prefix { $0 != "/" }))
    let bytes = try Fixture.bytes(row.file)
    guard !row.file.hasSuffix(".json") else {
      let measure = bytes.withSlice { UsageMeter.measure(dialect, row.operation, body: $0) }
      #expect(measure.usage == row.usage && measure.finish == row.finish && measure.safety == row.safety)
      #expect(measure.failure == nil)
      return
    }
    for piece in [1, 7, bytes.count] {
      let meter = Self.meter(dialect, row.operation, bytes, piece)
      #expect(meter.measure.usage == row.usage)
      #expect(meter.measure.finish == row.finish)
      #expect(meter.measure.safety == row.safety)
      #expect((meter.end == .complete) == row.whole)
      if row.whole { #expect(meter.firstTokenAt != nil && meter.isComplete) }
    }
    let cut = Self.meter(dialect, row.operation, Array(bytes.prefix(bytes.count / 3)), 64)
    #expect(cut.end != .complete && !cut.isComplete)
  }

  static func meter(
    _ dialect: ProviderDialect, _ operation: SluiceDialects.Operation, _ bytes: [UInt8], _ piece: Int
  ) -> StreamMeter {
    var meter = StreamMeter(dialect, operation)
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + piece)
      Array(bytes[start..<end]).withSlice { meter.consume($0, now: Instant(nanoseconds: Int64(start))) }
      start = end
    }
    return meter
  }

  @Test func usageIsFoundInTheTailOfALongAnswer() throws {
    let gemini = try Self.dialect("gemini")
    let tail = #"…"}]}}],"usageMetadata": {"promptTokenCount":5,"candidatesTokenCount":6,"thoughtsTokenCount":1}}"#
    let usage = withBytes(tail) { UsageMeter.measure(gemini, .generateContent, tail: $0).usage }
    #expect(usage == TokenUsage(input: 5, output: 7, reasoning: 1))
  }

  @Test func errorsInsideAGeminiStreamAreFailures() throws {
    let text = "data: {\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}\r\n\r\n"
    let meter = Self.meter(try Self.dialect("gemini"), .streamGenerateContent, Array(text.utf8), 5)
    #expect(meter.measure.failure?.failureClass == .overloaded)
    #expect(meter.end != .complete)
  }

  @Test("damaged answers", arguments: ["gemini", "cohere"])
  func damage(_ folder: String) throws {
    var random = SplitMix64(seed: 11)
    let dialect = try Self.dialect(folder)
    for name in try Fixture.names(folder, where: { !$0.hasSuffix(".hex") }) {
      let original = try Fixture.bytes("\(folder)/\(name)")
      for _ in 0..<60 {
        let bytes = MutationTests.mutated(original, &random)
        let failure = ClassificationTests.classify(dialect, Int(random.next() % 700), bytes)
        #expect((failure.message ?? "").utf8.count <= 515)
        bytes.withSlice { body in
          _ = UsageMeter.measure(dialect, .generateContent, body: body)
          _ = UsageMeter.measure(dialect, .generateContent, tail: body)
          _ = dialect.models(body)
          _ = dialect.probeVerdict(status: 400, body: body)
        }
        _ = Self.meter(dialect, .cohereChat, bytes, Int(random.next() % 50) + 1).end
      }
    }
  }
}
