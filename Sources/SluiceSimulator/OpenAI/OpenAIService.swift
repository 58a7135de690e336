import SluiceDialects

internal import NIOHTTP1

/// OpenAI's half of the simulator: checks, limits, answers and headers.
struct OpenAIService {
  private(set) var limits: KeyLimits

  init(_ options: SimulatorOptions) {
    limits = KeyLimits(options.openAILimits)
  }

  mutating func answer(_ call: ProviderCall, _ world: inout World) -> Answer {
    do throws(ProviderError) {
      try authenticate(call, world)
      try Self.checkMethod(call)
      return try handle(call, &world)
    } catch {
      return Self.render(error, requestID: Self.requestID(&world), limits: limitHeaders(call, world))
    }
  }

  private mutating func handle(_ call: ProviderCall, _ world: inout World) throws(ProviderError) -> Answer {
    switch call.operation {
    case .models: return finish(.json(200, OpenAIModels.list(world.options)), call, &world, limited: false)
    case .model(let name):
      try Self.checkModel(name, world)
      return finish(.json(200, OpenAIModels.model(name)), call, &world, limited: false)
    case .chat: return try chat(call, &world)
    case .completions: return try completions(call, &world)
    case .embeddings: return try embeddings(call, &world)
    case .responses: return try responses(call, &world)
    case .inputTokens:
      let request = try OpenAIResponsesDecoder.decode(try Self.body(call), counting: true)
      let body = "{\"object\":\"response.input_tokens\",\"input_tokens\":\(request.completion.promptTokens)}"
      return finish(.json(200, Array(body.utf8)), call, &world, limited: false)
    case .messages, .countTokens, .hub, .unknown:
      throw ProviderError(
        404, type: "invalid_request_error", "Invalid URL (\(call.request.method.rawValue) \(call.request.path))")
    }
  }

  // MARK: Checks

  private func authenticate(_ call: ProviderCall, _ world: World) throws(ProviderError) {
    switch call.key {
    case .missing:
      throw ProviderError(
        401, type: "invalid_request_error",
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
          + "(i.e. Authorization: Bearer YOUR_KEY).")
    case .malformed:
      throw ProviderError(
        401, type: "invalid_request_error", code: "invalid_api_key", "Malformed API key in the Authorization header.")
    case .given(let key):
      guard !world.accepts(key) else { return }
      throw ProviderError(
        401, type: "invalid_request_error", code: "invalid_api_key",
        "Incorrect API key provided: \(KeyName.shortened(key)).")
    }
  }

  private static func checkMethod(_ call: ProviderCall) throws(ProviderError) {
    guard call.operation != .unknown, call.request.method != call.operation.method else { return }
    throw ProviderError(
      405, type: "invalid_request_error",
      "Not allowed to \(call.request.method.rawValue) on \(call.request.path). "
        + "(HINT: Perhaps you meant to use a different HTTP method?)")
  }

  static func checkModel(_ model: String, _ world: World) throws(ProviderError) {
    guard !world.serves(model) else { return }
    throw ProviderError(
      404, type: "invalid_request_error", code: "model_not_found",
      "The model `\(model)` does not exist or you do not have access to it.")
  }

  private static func body(_ call: ProviderCall) throws(ProviderError) -> JSONValue {
    if call.request.isTooLarge {
      throw ProviderError(413, type: "invalid_request_error", "The request body is larger than this server accepts.")
    }
    switch call.body {
    case .success(let value): return value
    case .failure(let error):
      throw ProviderError(
        400, type: "invalid_request_error",
        "We could not parse the JSON body of your request: \(error.reason) at byte \(error.offset).")
    case nil:
      throw ProviderError(400, type: "invalid_request_error", "The request has no body.")
    }
  }

  static func checkContext(
    _ tokens: Int, _ profile: SimulatorModelProfile, param: String
  ) throws(ProviderError) {
    guard tokens > profile.contextTokens else { return }
    throw ProviderError(
      400, type: "invalid_request_error", code: "context_length_exceeded", param: param,
      "This model's maximum context length is \(profile.contextTokens) tokens. However, your \(param) resulted in "
        + "\(tokens) tokens. Please reduce the length of the \(param).")
  }

  /// Takes the estimate of a request's tokens, as OpenAI does before it runs.
  private mutating func admit(_ call: ProviderCall, tokens: Int, _ world: World) throws(ProviderError) {
    let cost = RateCost(tokens: tokens, outputTokens: 0)
    guard let refusal = limits.admit(call.key.text, cost, now: world.now) else { return }
    let isRequests = refusal.dimension == .requests
    let unit = isRequests ? "requests per min (RPM)" : "tokens per min (TPM)"
    let organization = Self.organization(call)
    guard let wait = refusal.wait else {
      throw ProviderError(
        429, type: "tokens", code: "rate_limit_exceeded",
        "Request too large for \(call.model) in organization \(organization) on \(unit): Limit \(refusal.limit), "
          + "Requested \(refusal.requested). The input or output tokens must be reduced in order to run successfully.",
        shouldRetry: false)
    }
    throw ProviderError(
      429, type: isRequests ? "requests" : "tokens", code: "rate_limit_exceeded",
      "Rate limit reached for \(call.model) in organization \(organization) on \(unit): Limit \(refusal.limit), "
        + "Used \(refusal.limit - refusal.remaining), Requested \(refusal.requested). "
        + "Please try again in \(TimeText.goDuration(nanoseconds: wait)).",
      retryAfter: wait, shouldRetry: true)
  }

  // MARK: Operations

  private mutating func chat(_ call: ProviderCall, _ world: inout World) throws(ProviderError) -> Answer {
    let request = try OpenAIChatDecoder.decode(try Self.body(call), &world)
    let completions = try run(request.completion, request.choices, call, &world, param: "messages")
    var writer = OpenAIChatWriter(request, completions, created: world.unixSeconds, seed: world.options.seed)
    return generated(
      request.isStream ? .stream(writer.stream()) : .whole(writer.whole()), request.completion, completions, call,
      &world)
  }

  private mutating func completions(_ call: ProviderCall, _ world: inout World) throws(ProviderError) -> Answer {
    let request = try OpenAICompletions.decode(try Self.body(call))
    let completions = try run(request.completion, request.choices, call, &world, param: "prompt")
    var writer = OpenAICompletions.Writer(
      request, completions, created: world.unixSeconds, seed: world.options.seed)
    return generated(
      request.isStream ? .stream(writer.stream()) : .whole(writer.whole()), request.completion, completions, call,
      &world)
  }

  private mutating func responses(_ call: ProviderCall, _ world: inout World) throws(ProviderError) -> Answer {
    let request = try OpenAIResponsesDecoder.decode(try Self.body(call), counting: false)
    let completions = try run(request.completion, 1, call, &world, param: "input")
    var writer = OpenAIResponsesWriter(
      request, completions[0], created: world.unixSeconds, seed: world.options.seed)
    return generated(
      request.isStream ? .stream(writer.stream()) : .whole(writer.whole()), request.completion, completions, call,
      &world)
  }

  private mutating func embeddings(_ call: ProviderCall, _ world: inout World) throws(ProviderError) -> Answer {
    let request = try OpenAIEmbeddings.decode(try Self.body(call))
    try Self.checkModel(request.model, world)
    try admit(call, tokens: request.tokens, world)
    var answer = Answer.json(200, request.render(seed: world.options.seed))
    answer.pace = world.pace(world.profile(of: request.model), tokens: 1)
    return finish(answer, call, &world, limited: true)
  }

  /// Model, context and limits are checked, then the model speaks.
  private mutating func run(
    _ request: CompletionRequest, _ choices: Int, _ call: ProviderCall, _ world: inout World, param: String
  ) throws(ProviderError) -> [Completion] {
    try Self.checkModel(request.model, world)
    let profile = world.profile(of: request.model)
    try Self.checkContext(request.promptTokens, profile, param: param)
    var request = request
    // The estimate of a request that names no maximum is the prompt and a little more.
    let reserved = request.maxTokens == .max ? 16 : min(request.maxTokens, profile.maxOutputTokens)
    request.maxTokens = min(request.maxTokens, profile.maxOutputTokens)
    try admit(call, tokens: request.promptTokens + reserved, world)
    return (0..<choices).map { world.author.write(request, choice: $0) }
  }

  // MARK: Headers

  private func generated(
    _ content: Answer.Content, _ request: CompletionRequest, _ completions: [Completion], _ call: ProviderCall,
    _ world: inout World
  ) -> Answer {
    var answer = Answer(status: 200, content: content)
    // Choices are generated side by side, so the longest counts.
    let longest = completions.map(\.outputTokens).max() ?? 1
    answer.pace = world.pace(world.profile(of: request.model), tokens: longest)
    answer.errorEvent = Self.errorEvent(call.operation)
    return finish(answer, call, &world, limited: true)
  }

  private func finish(
    _ answer: Answer, _ call: ProviderCall, _ world: inout World, limited: Bool
  ) -> Answer {
    var answer = answer
    answer.headers.add("openai-version", "2020-10-01")
    answer.headers.add("openai-organization", Self.organization(call))
    answer.headers.add("openai-project", call.request.header("openai-project") ?? "proj_simulator")
    answer.headers.add("openai-processing-ms", Int((answer.pace?.firstToken ?? 0) / 1_000_000))
    answer.headers.add("x-request-id", Self.requestID(&world))
    if limited { limitHeaders(call, world).forEach { answer.headers.add($0.0, $0.1) } }
    return answer
  }

  private static func organization(_ call: ProviderCall) -> String {
    call.request.header("openai-organization") ?? "org-simulator"
  }

  private static func requestID(_ world: inout World) -> String {
    world.requestIDs.identifier("req_", 24)
  }

  private func limitHeaders(_ call: ProviderCall, _ world: World) -> [(StaticString, String)] {
    guard !limits.isUnlimited, case .given(let key) = call.key else { return [] }
    let buckets = limits.buckets(of: key)
    var headers: [(StaticString, String)] = []
    if let bucket = buckets.requests {
      headers.append(("x-ratelimit-limit-requests", "\(bucket.limit)"))
      headers.append(("x-ratelimit-remaining-requests", "\(bucket.remaining(now: world.now))"))
      let reset = TimeText.goDuration(nanoseconds: bucket.untilFull(now: world.now))
      headers.append(("x-ratelimit-reset-requests", reset))
    }
    if let bucket = buckets.tokens {
      headers.append(("x-ratelimit-limit-tokens", "\(bucket.limit)"))
      headers.append(("x-ratelimit-remaining-tokens", "\(bucket.remaining(now: world.now))"))
      headers.append(("x-ratelimit-reset-tokens", TimeText.goDuration(nanoseconds: bucket.untilFull(now: world.now))))
    }
    return headers
  }
}
