import SluiceDialects

internal import NIOHTTP1

/// The providers beside OpenAI and Anthropic: checks, limits and headers of each, with requests read and answers written
/// by the product's own wire formats. That those are right is judged by the official SDKs, which talk to this service
/// directly as well as through the gateway.
struct HubService {
  private let flavor: HubFlavor
  private var limits: KeyLimits

  init(_ provider: ProviderCall.Provider, _ options: SimulatorOptions) {
    flavor = HubFlavor(provider, options)
    limits = KeyLimits(flavor.limits)
  }

  private var provider: ProviderCall.Provider { flavor.provider }

  mutating func answer(_ call: ProviderCall, _ world: inout World) -> Answer {
    let requestID = world.requestIDs.identifier("req-", 24)
    var answer: Answer
    do throws(ProviderError) {
      try authenticate(call, world)
      answer = try handle(call, &world)
      answer.headers.add(provider == .bedrock ? "x-amzn-requestid" : "x-request-id", requestID)
    } catch {
      answer = HubErrors.render(error, provider, requestID: requestID)
    }
    addLimits(call, world, to: &answer.headers)
    return answer
  }

  private mutating func handle(_ call: ProviderCall, _ world: inout World) throws(ProviderError) -> Answer {
    guard case .hub(let operation, let pathModel) = call.operation else { throw HubErrors.usual(404, provider) }
    guard call.request.method == (operation.isRead ? .GET : .POST) else { throw HubErrors.usual(405, provider) }
    switch operation {
    case .models: return Self.json(flavor.list())
    case .ollamaTags: return Self.json(tags())
    case .ollamaVersion: return Self.json(.of(["version": .string("0.11.0")]))
    case .rerank: return try rerank(call, &world)
    default: break
    }
    let body = try Self.body(call, provider)
    let model = pathModel ?? body["model"]?.string ?? ""
    guard !model.isEmpty else { throw HubErrors.usual(400, provider, message: "model is required") }
    guard world.serves(model) else { throw HubErrors.usual(404, provider, message: "model '\(model)' not found") }
    switch operation.task {
    // Bedrock's vendors have one operation for everything.
    case .chat where operation == .invoke && model.contains("embed"):
      return try embeddings(call, operation, body, model, &world)
    case .chat: return try chat(call, operation, body, model, &world)
    case .embeddings: return try embeddings(call, operation, body, model, &world)
    case .tokenCount: return Self.count(operation, body)
    case nil: throw HubErrors.usual(404, provider)
    }
  }

  // MARK: Checks

  private func authenticate(_ call: ProviderCall, _ world: World) throws(ProviderError) {
    switch call.key {
    case .given where provider == .bedrock && !AWSGate.accepts(call.request):
      throw ProviderError(
        403, type: "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided.")
    case .given(let key):
      guard !world.accepts(key) else { return }
      if provider == .gemini {
        throw ProviderError(400, type: "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")
      }
      throw HubErrors.usual(provider == .bedrock ? 403 : 401, provider)
    case .missing where provider == .local: return
    case .missing, .malformed: throw HubErrors.usual(provider == .bedrock ? 403 : 401, provider)
    }
  }

  private static func body(_ call: ProviderCall, _ provider: ProviderCall.Provider) throws(ProviderError) -> JSONValue {
    if call.request.isTooLarge { throw HubErrors.usual(413, provider) }
    guard case .success(let body)? = call.body, body.members != nil else {
      throw HubErrors.usual(400, provider, message: "The body has to be a JSON object.")
    }
    return body
  }

  private mutating func admit(_ call: ProviderCall, tokens: Int, _ world: World) throws(ProviderError) {
    guard let refusal = limits.admit(call.key.text, RateCost(tokens: tokens, outputTokens: 0), now: world.now) else {
      return
    }
    var error = HubErrors.usual(429, provider)
    error.retryAfter = refusal.wait
    throw error
  }

  // MARK: Answers

  private mutating func chat(
    _ call: ProviderCall, _ operation: SluiceDialects.Operation, _ body: JSONValue, _ model: String,
    _ world: inout World
  ) throws(ProviderError) -> Answer {
    guard let format = operation.chatFormat else { throw HubErrors.usual(404, provider) }
    let streams = operation.streams(body["stream"]?.bool)
    let profile = world.profile(of: model)
    let request: ChatRequest
    do throws(TranslationRefusal) {
      var notes = TranslationNotes()
      request = try format.readRequest(body, model: model, streams: streams, &notes)
    } catch {
      throw HubErrors.usual(400, provider, message: error.message)
    }
    let asked = CompletionRequest(request, body: body, profile: profile)
    guard asked.promptTokens <= profile.contextTokens else {
      throw HubErrors.usual(400, provider, message: "prompt is too long: maximum context length exceeded")
    }
    try admit(call, tokens: asked.promptTokens + min(asked.maxTokens, 64), world)
    let completion = world.author.write(asked)
    let answer = HubAnswer(
      request: asked, completion: completion, ids: SeededRandom(seed: world.options.seed ^ asked.hash),
      idRule: flavor.idRule)
    var reply = ReplyFacts(
      model: model, id: world.requestIDs.identifier("", 20), created: Int(world.unixSeconds),
      // Mistral's streams always end with the usage.
      includesUsage: request.includesUsage || provider == .mistral)
    reply.asArray = operation == .streamGenerateArray
    var result = Self.written(format, answer, reply, streams: streams, provider)
    result.pace = world.pace(profile, tokens: completion.outputTokens)
    result.streamType = Self.streamType(operation)
    return result
  }

  private static func streamType(_ operation: SluiceDialects.Operation) -> StaticString {
    switch operation {
    case .ollamaChat, .ollamaGenerate: "application/x-ndjson"
    case .converseStream, .invokeStream: "application/vnd.amazon.eventstream"
    case .streamGenerateArray: "application/json; charset=UTF-8"
    default: "text/event-stream; charset=utf-8"
    }
  }

  private static func written<Format: ChatClientFormat>(
    _ format: Format.Type, _ answer: HubAnswer, _ reply: ReplyFacts, streams: Bool, _ provider: ProviderCall.Provider
  ) -> Answer {
    guard streams else { return json(Format.writeAnswer(answer.whole(id: reply.id), reply)) }
    var writer = Format.StreamWriter(reply)
    var segments: [StreamScript.Segment] = []
    for (delta, isToken) in answer.deltas(id: reply.id) {
      var frame: [UInt8] = []
      guard (try? writer.write(delta, to: &frame)) != nil else { break }
      if !frame.isEmpty { segments.append(isToken ? .token(frame) : .frame(frame)) }
    }
    var result = Answer(status: 200, content: .stream(StreamScript(segments)))
    var failing = Format.StreamWriter(reply)
    // An element of an array that fails follows others.
    var before: [UInt8] = []
    if reply.asArray { try? failing.write(.text(" "), to: &before) }
    failing.fail(GatewayError(.upstreamError, message: "Internal error."), to: &result.errorEvent)
    return result
  }

  private mutating func embeddings(
    _ call: ProviderCall, _ operation: SluiceDialects.Operation, _ body: JSONValue, _ model: String,
    _ world: inout World
  ) throws(ProviderError) -> Answer {
    guard let format = operation.embeddingFormat else { throw HubErrors.usual(404, provider) }
    let request: EmbeddingRequest
    do throws(TranslationRefusal) {
      var notes = TranslationNotes()
      request = try format.readRequest(body, model: model, operation, &notes)
    } catch {
      throw HubErrors.usual(400, provider, message: error.message)
    }
    let tokens = request.inputs.reduce(0) { sum, input in
      if case .text(let text) = input { sum + TokenRule.count(text) } else { sum + 1 }
    }
    try admit(call, tokens: tokens, world)
    let vectors = request.inputs.map { Self.vector($0, request, seed: world.options.seed) }
    let reply = ReplyFacts(
      model: model, id: world.requestIDs.identifier("", 20), created: Int(world.unixSeconds))
    var answer = Self.json(
      format.writeAnswer(EmbeddingAnswer(model: model, vectors: vectors, inputTokens: tokens), request, reply))
    answer.pace = world.pace(world.profile(of: model), tokens: 1)
    return answer
  }

  /// A unit vector that follows from the text alone.
  private static func vector(_ input: EmbeddingRequest.Input, _ request: EmbeddingRequest, seed: UInt64) -> [Float] {
    var hash = ContentHash()
    hash.add(request.model)
    switch input {
    case .text(let text): hash.add(text)
    case .tokens(let tokens): hash.add(.array(tokens.map { .int($0) }))
    }
    var random = SeededRandom(seed: seed ^ hash.value, stream: 0xE3B)
    var vector = (0..<min(max(request.dimensions ?? 64, 1), 4096)).map { _ in Float(random.unit() * 2 - 1) }
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    if length > 0 { for index in vector.indices { vector[index] /= length } }
    return vector
  }

  private mutating func rerank(_ call: ProviderCall, _ world: inout World) throws(ProviderError) -> Answer {
    let body = try Self.body(call, provider)
    guard let query = body["query"]?.string, let documents = body["documents"]?.array else {
      throw HubErrors.usual(400, provider, message: "query and documents are required")
    }
    try admit(call, tokens: TokenRule.count(query), world)
    let words = Set(query.lowercased().split(whereSeparator: { !$0.isLetter }))
    let scored = documents.enumerated().map { index, document in
      let text = document.string ?? document["text"]?.string ?? ""
      let hits = text.lowercased().split(whereSeparator: { !$0.isLetter }).count { words.contains($0) }
      return (index, Double(hits) / Double(words.count + 1))
    }
    let best = scored.sorted { $0.1 > $1.1 }.prefix(max(1, body["top_n"]?.int ?? documents.count))
    return Self.json(
      .of([
        "id": .string(world.requestIDs.identifier("", 20)),
        "results": .array(best.map { .of(["index": .int($0.0), "relevance_score": .double($0.1)]) }),
        "meta": .of([
          "api_version": .of(["version": .string("2")]), "billed_units": .of(["search_units": .int(1)]),
        ]),
      ]))
  }

  private static func count(_ operation: SluiceDialects.Operation, _ body: JSONValue) -> Answer {
    let tokens = TokenRule.count(body)
    switch operation {
    case .geminiCountTokens: return json(.of(["totalTokens": .int(tokens)]))
    case .bedrockCountTokens: return json(.of(["inputTokens": .int(tokens)]))
    default: return json(.of(["input_tokens": .int(tokens)]))
    }
  }

  private func tags() -> JSONValue {
    .of([
      "models": .array(
        flavor.models.map { name in
          .of([
            "name": .string(name), "model": .string(name), "modified_at": .string("2026-10-01T00:00:00Z"),
            "size": .int(1), "digest": .string(""), "details": .of(["family": .string("simulated")]),
          ])
        })
    ])
  }

  private static func json(_ value: JSONValue) -> Answer {
    var bytes: [UInt8] = []
    value.append(to: &bytes)
    return .json(200, bytes)
  }

  // MARK: Headers

  /// Gemini, Cohere, Bedrock and servers of one's own say nothing about limits in headers.
  private func addLimits(_ call: ProviderCall, _ world: World, to headers: inout HeaderLines) {
    guard !limits.isUnlimited, case .given(let key) = call.key else { return }
    let buckets = limits.buckets(of: key)
    switch provider {
    case .mistral:
      if let bucket = buckets.requests {
        headers.add("x-ratelimit-limit-req-minute", bucket.limit)
        headers.add("x-ratelimit-remaining-req-minute", bucket.remaining(now: world.now))
      }
      if let bucket = buckets.tokens {
        headers.add("x-ratelimit-limit-tokens-minute", bucket.limit)
        headers.add("x-ratelimit-remaining-tokens-minute", bucket.remaining(now: world.now))
      }
    case .azureOpenAI:
      if let bucket = buckets.requests {
        headers.add("x-ratelimit-limit-requests", bucket.limit)
        headers.add("x-ratelimit-remaining-requests", bucket.remaining(now: world.now))
        let reset = TimeText.wholeSeconds(nanoseconds: bucket.untilFull(now: world.now))
        headers.add("x-ratelimit-reset-requests", Int(reset))
      }
    default: break
    }
  }
}

extension SluiceDialects.Operation {
  /// Answered to `GET`.
  var isRead: Bool {
    switch self {
    case .models, .model, .ollamaTags, .ollamaVersion: true
    default: false
    }
  }
}
