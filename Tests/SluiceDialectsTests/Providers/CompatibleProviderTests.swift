import SluiceDialects
import SluicePolicy
import Testing

/// Azure, Mistral, Hugging Face and servers of one's own: shaped like OpenAI, and where they are not.
@Suite("Providers shaped like OpenAI")
struct CompatibleProviderTests {
  static func dialect(_ provider: Provider, _ options: [String: ProviderOptions.Value] = [:]) throws -> ProviderDialect
  {
    try ProviderDialect(provider, options: ProviderOptions(options))
  }

  struct Row: Sendable, CustomTestStringConvertible {
    var provider: Provider
    var file: String
    var expected: FailureClass
    var reach: FailureReach
    var disables = false
    var testDescription: String { file }

    init(_ provider: Provider, _ file: String, _ expected: FailureClass, _ reach: FailureReach, disables: Bool = false)
    {
      self.provider = provider
      self.file = file
      self.expected = expected
      self.reach = reach
      self.disables = disables
    }
  }

  static let rows: [Row] = [
    Row(.azureOpenAI, "azure-openai/error.400.content_filter.json", .contentPolicy, .request),
    Row(.azureOpenAI, "azure-openai/error.401.json", .credential, .key, disables: true),
    Row(.azureOpenAI, "azure-openai/error.404.deployment.json", .caller, .keyAndModel),
    Row(.azureOpenAI, "azure-openai/error.429.json", .rateLimited, .key),
    Row(.mistral, "mistral/error.400.context_length.json", .contextLength, .request),
    Row(.mistral, "mistral/error.400.invalid_model.json", .caller, .keyAndModel),
    Row(.mistral, "mistral/error.400.json", .caller, .request),
    Row(.mistral, "mistral/error.401.json", .credential, .key, disables: true),
    Row(.mistral, "mistral/error.422.json", .caller, .request),
    Row(.mistral, "mistral/error.429.capacity.json", .overloaded, .keyAndModel),
    Row(.mistral, "mistral/error.429.rate_limited.json", .rateLimited, .key),
    Row(.mistral, "mistral/error.500.json", .server, .endpoint),
    Row(.huggingface, "huggingface/error.401.json", .credential, .key, disables: true),
    Row(.huggingface, "huggingface/error.402.json", .quota, .key, disables: true),
    Row(.local, "tgi/error.422.json", .contextLength, .request),
    Row(.local, "tgi/error.424.json", .server, .endpoint),
    Row(.local, "tgi/error.429.json", .overloaded, .endpoint),
    Row(.local, "tgi/error.500.json", .server, .endpoint),
    Row(.local, "tgi/error.503.json", .overloaded, .endpoint),
    Row(.local, "vllm/error.400.context_length.json", .contextLength, .request),
    Row(.local, "vllm/error.401.json", .credential, .key, disables: true),
    Row(.local, "vllm/error.404.json", .caller, .keyAndModel),
    Row(.local, "vllm/error.500.json", .server, .endpoint),
    Row(.local, "llamacpp/error.400.context_length.json", .contextLength, .request),
    Row(.local, "llamacpp/error.401.json", .credential, .key, disables: true),
    Row(.local, "llamacpp/error.501.json", .caller, .request),
    Row(.local, "localai/error.400.json", .caller, .request),
    Row(.local, "localai/error.401.json", .credential, .key, disables: true),
    Row(.local, "ollama/error.400.json", .caller, .request),
    Row(.local, "ollama/error.404.json", .caller, .keyAndModel),
    Row(.local, "ollama/error.500.json", .server, .endpoint),
    Row(.local, "ollama/error.503.json", .overloaded, .endpoint),
    Row(.local, "ollama/openai-compat.error.404.json", .caller, .keyAndModel),
  ]

  @Test("failure classes", arguments: rows)
  func classify(_ row: Row) throws {
    let file = try #require(row.file.split(separator: "/").last)
    let words = file.split(separator: ".").compactMap { Int($0) }
    let status = try #require(words.first)
    let failure = ClassificationTests.classify(try Self.dialect(row.provider), status, try Fixture.bytes(row.file))
    #expect(failure.failureClass == row.expected)
    #expect(failure.reach == row.reach)
    #expect(failure.disablesKey == row.disables)
    #expect(!(failure.message ?? "").isEmpty)
  }

  @Test func everySampleIsInTheTable() throws {
    for folder in ["azure-openai", "mistral", "huggingface", "tgi", "vllm", "llamacpp", "localai", "ollama"] {
      for name in try Fixture.names(folder, where: { $0.hasPrefix("error.") && $0.hasSuffix(".json") }) {
        #expect(Self.rows.contains { $0.file == "\(folder)/\(name)" }, "\(folder)/\(name)")
      }
    }
  }

  @Test func azureNamesItsWaitInTheText() throws {
    let azure = try Self.dialect(.azureOpenAI)
    let body = try Fixture.bytes("azure-openai/error.429.json")
    #expect(ClassificationTests.classify(azure, 429, body).retryAfter == .seconds(37))
    let busy = #"{"error":{"code":"429","message":"The system is experiencing high demand. retry after x seconds."}}"#
    let failure = ClassificationTests.classify(azure, 429, Array(busy.utf8))
    #expect(failure.failureClass == .overloaded)
    #expect(failure.retryAfter == nil)
  }

  @Test func loadingModelsNameTheirWait() throws {
    let body = #"{"error":"Model x is currently loading","estimated_time":20.5}"#
    let failure = ClassificationTests.classify(try Self.dialect(.huggingface), 503, Array(body.utf8))
    #expect(failure.failureClass == .overloaded)
    #expect(failure.retryAfter == .milliseconds(20_500))
  }

  @Test func damagedBodiesAreClassifiedAllTheSame() throws {
    var random = SplitMix64(seed: 3)
    for row in Self.rows {
      let dialect = try Self.dialect(row.provider)
      let original = try Fixture.bytes(row.file)
      for _ in 0..<60 {
        MutationTests.mutated(original, &random).withSlice { body in
          let failure = dialect.classify(status: Int(random.next() % 700), headers: .none, body: body, now: .sample)
          #expect((failure.message ?? "").utf8.count <= 515)
          _ = dialect.models(body)
          _ = UsageMeter.measure(dialect, .chat, body: body)
        }
      }
    }
  }

  // MARK: Limits

  @Test func limits() throws {
    let azure = try Self.dialect(.azureOpenAI)
    let view = try #require(
      withHead(try Fixture.bytes("azure-openai/headers.429.txt")) { azure.rateLimits($1, now: .sample) })
    #expect(view.tokens == RateLimitWindow(limit: 30000, remaining: 0, resetAfter: .seconds(37)))
    #expect(view.requests == RateLimitWindow(remaining: 29, resetAfter: .seconds(10)))
    let unknown =
      "HTTP/1.1 200 X\r\ncontent-length: 0\r\nx-ratelimit-reset-tokens: -1\r\nx-ratelimit-reset-requests: 0\r\n\r\n"
    #expect(withHead(Array(unknown.utf8)) { azure.rateLimits($1, now: .sample) }?.isEmpty == true)
    let mistral = try Self.dialect(.mistral)
    let minute = try #require(
      withHead(try Fixture.bytes("mistral/headers.success.txt")) { mistral.rateLimits($1, now: .sample) })
    #expect(minute.requests == RateLimitWindow(limit: 720, remaining: 717))
    #expect(minute.tokens == RateLimitWindow(limit: 5_000_000, remaining: 4_999_911))
    let hub = try Self.dialect(.huggingface)
    let window = try #require(
      withHead(try Fixture.bytes("huggingface/headers.hub-429.txt")) { hub.rateLimits($1, now: .sample) })
    #expect(window.requests == RateLimitWindow(limit: 500, remaining: 0, resetAfter: .seconds(56)))
  }

  // MARK: Addresses

  static func target(
    _ dialect: ProviderDialect, base: String = "", _ operation: SluiceDialects.Operation, model: String = "m",
    passed: String? = nil, query: String? = nil
  ) -> String {
    var target: [UInt8] = []
    Array((passed ?? "").utf8).withSlice { path in
      Array((query ?? "").utf8).withSlice { text in
        var call = UpstreamCall(operation, model: model)
        if passed != nil { call.passed = UpstreamCall.Passed(path: path, query: query == nil ? nil : text) }
        dialect.appendUpstreamTarget(
          basePath: ProviderDialect.normalizedBasePath(base), call, to: &target)
      }
    }
    return String(decoding: target, as: UTF8.self)
  }

  @Test func azureTargets() throws {
    let classic = try Self.dialect(
      .azureOpenAI, ["deployments": .textMap(["gpt-5.4-mini": "my deployment"]), "api_version": .text("2025-01-01")])
    #expect(
      Self.target(classic, .chat, model: "gpt-5.4-mini", passed: "/v1/chat/completions")
        == "/openai/deployments/my%20deployment/chat/completions?api-version=2025-01-01")
    #expect(
      Self.target(classic, base: "/openai", .embeddings, model: "e", passed: "/v1/embeddings", query: "a=b")
        == "/openai/deployments/e/embeddings?a=b&api-version=2025-01-01")
    #expect(Self.target(classic, .models) == "/openai/models?api-version=2025-01-01")
    let current = try Self.dialect(.azureOpenAI, ["style": .text("v1")])
    #expect(Self.target(current, base: "/openai/v1/", .chat) == "/openai/v1/chat/completions")
    #expect(Self.target(current, .responses, passed: "/v1/responses") == "/openai/v1/responses")
    #expect(classic.upstreamModel("gpt-5.4-mini") == "my deployment")
    let key = try classic.prepare(UpstreamCredential("k"))
    #expect(String(decoding: key.lines, as: UTF8.self) == "api-key: k\r\n")
    let token = try classic.prepare(UpstreamCredential("t", kind: .bearer))
    #expect(String(decoding: token.lines, as: UTF8.self) == "authorization: Bearer t\r\n")
  }

  @Test func otherTargets() throws {
    let mistral = try Self.dialect(.mistral)
    #expect(Self.target(mistral, .chat) == "/v1/chat/completions")
    #expect(Self.target(mistral, .fillInMiddle, passed: "/v1/fim/completions") == "/v1/fim/completions")
    #expect(!mistral.speaks(.chat))
    #expect(mistral.operation(for: .chat, streams: true) == .chat)
    let local = try Self.dialect(.local, ["server": .text("ollama")])
    for base in ["", "/v1", "/v1/"] {
      #expect(Self.target(local, base: base, .chat, passed: "/v1/chat/completions") == "/v1/chat/completions")
      #expect(Self.target(local, base: base, .ollamaChat, passed: "/api/chat") == "/api/chat")
      #expect(Self.target(local, base: base, .embeddings) == "/v1/embeddings")
    }
    #expect(Self.target(local, base: "/lab/v1", .chat) == "/lab/v1/chat/completions")
    #expect(local.speaks(.messages) && local.speaks(.ollamaChat) && !local.needsCredential)
    #expect(local.baseURL == "http://127.0.0.1:11434")
    let plain = try Self.dialect(.local)
    #expect(!plain.speaks(.messages) && !plain.speaks(.ollamaChat))
    #expect(plain.probeVerdict(status: 404) == nil)
    #expect(ProviderDialect.openai.probeVerdict(status: 404) == .protocolError)
    let llama = try Self.dialect(.local, ["server": .text("llamacpp")])
    #expect(llama.operation(for: .tokenCount, streams: false) == .countTokens)
  }

  @Test func probesJoinBaseAndPathOnce() throws {
    for (provider, base, line) in [
      (Provider.local, "/v1", "GET /v1/models HTTP/1.1"),
      (.azureOpenAI, "/openai", "GET /openai/models?api-version=2024-10-21 HTTP/1.1"),
      (.huggingface, "/v1", "GET /v1/models HTTP/1.1"), (.mistral, "", "GET /v1/models HTTP/1.1"),
    ] {
      var head: [UInt8] = []
      try Self.dialect(provider).appendProbe(
        host: "h", basePath: ProviderDialect.normalizedBasePath(base), credential: .none, to: &head)
      #expect(String(decoding: head, as: UTF8.self).hasPrefix(line), "\(provider)")
    }
  }

  @Test func residencyAllowsOneHost() throws {
    let mistral = try Self.dialect(.mistral, ["residency": .text("eu")])
    #expect(mistral.baseURL == "https://api.eu.mistral.ai")
    #expect(mistral.refusal(host: "api.eu.mistral.ai") == nil)
    #expect(mistral.refusal(host: "api.mistral.ai") != nil)
    #expect(try Self.dialect(.mistral).refusal(host: "anything") == nil)
  }

  // MARK: Models, usage, streams

  @Test func modelLists() throws {
    func page(_ file: String, _ provider: Provider) throws -> ModelPage {
      let dialect = try Self.dialect(provider)
      return try #require(try Fixture.bytes(file).withSlice { dialect.models($0) })
    }
    #expect(try page("mistral/models.response.json", .mistral).models.first?.maxInputTokens == 262_144)
    #expect(try page("huggingface/router-models.response.json", .huggingface).models.first?.maxInputTokens == 131_072)
    let vllm = try page("vllm/models.response.json", .local)
    #expect(vllm.models.first?.maxInputTokens == 131_072)
    #expect(LocalServerKind.recognise(vllm) == .vllm)
    #expect(LocalServerKind.recognise(try page("llamacpp/models.response.json", .local)) == .llamaCpp)
    #expect(LocalServerKind.recognise(try page("localai/models.response.json", .local)) == nil)
  }

  static func meter(
    _ dialect: ProviderDialect, _ operation: SluiceDialects.Operation, _ bytes: [UInt8]
  ) -> StreamMeter {
    var meter = StreamMeter(dialect, operation)
    for start in stride(from: 0, to: bytes.count, by: 11) {
      Array(bytes[start..<min(bytes.count, start + 11)]).withSlice { meter.consume($0, now: Instant(nanoseconds: 1)) }
    }
    return meter
  }

  @Test func streams() throws {
    let local = try Self.dialect(.local)
    for file in ["vllm/chat-stream-reasoning", "llamacpp/chat-stream", "tgi/chat-stream"] {
      let meter = Self.meter(local, .chat, try Fixture.bytes("\(file).response.sse"))
      #expect(meter.end == .complete, "\(file)")
      #expect(meter.measure.usage != nil && meter.firstTokenAt != nil, "\(file)")
    }
    let broken = Self.meter(local, .chat, try Fixture.bytes("vllm/chat-stream-error.response.sse"))
    #expect(broken.measure.failure?.failureClass == .server)
    let unmarked = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}\n\n"
    #expect(Self.meter(local, .chat, Array(unmarked.utf8)).end == .complete)
    #expect(Self.meter(.openai, .chat, Array(unmarked.utf8)).end == .truncated)
    let azure = Self.meter(
      try Self.dialect(.azureOpenAI), .chat, try Fixture.bytes("azure-openai/chat-stream.response.sse"))
    #expect(azure.end == .complete)
    #expect(azure.measure.usage == TokenUsage(input: 9, output: 1))
    let tgi = Self.meter(
      local, .chat, Array("data: {\"error\":\"Model is overloaded\",\"error_type\":\"overloaded\"}\n\n".utf8))
    #expect(tgi.measure.failure?.failureClass == .overloaded)
  }

  @Test func ollamaLines() throws {
    let local = try Self.dialect(.local, ["server": .text("ollama")])
    let meter = Self.meter(local, .ollamaChat, try Fixture.bytes("ollama/chat-stream.response.ndjson"))
    #expect(meter.end == .complete)
    #expect(meter.measure.finish == .stop && meter.measure.usage != nil && meter.firstTokenAt != nil)
    let failed = Self.meter(local, .ollamaChat, try Fixture.bytes("ollama/chat-stream-error.response.ndjson"))
    #expect(failed.measure.failure != nil)
  }

  @Test func anthropicAnswersOfLocalServersCountTheirCache() throws {
    let local = try Self.dialect(.local, ["server": .text("llamacpp")])
    let bytes = try Fixture.bytes("anthropic/messages-cached.response.json")
    let usage = bytes.withSlice { UsageMeter.measure(local, .messages, body: $0) }.usage
    #expect(usage == TokenUsage(input: 2350, output: 12, cachedInput: 2000, cacheWrite: 300))
  }
}
