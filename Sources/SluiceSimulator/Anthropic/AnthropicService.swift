import SluiceDialects

internal import NIOHTTP1

/// Anthropic's half of the simulator: checks, limits, answers and headers.
struct AnthropicService {
  private(set) var limits: KeyLimits
  /// Counting tokens is free and has a request limit of its own.
  private var countLimits: KeyLimits

  init(_ options: SimulatorOptions) {
    limits = KeyLimits(options.anthropicLimits)
    countLimits = KeyLimits(SimulatorLimits(requestsPerMinute: options.anthropicLimits.requestsPerMinute))
  }

  mutating func answer(_ call: ProviderCall, _ world: inout World) -> Answer {
    let requestID = world.requestIDs.identifier("req_01", 22)
    var answer: Answer
    do throws(ProviderError) {
      try Self.check(call, world)
      answer = try handle(call, requestID, &world)
      answer.headers.add("request-id", requestID)
    } catch {
      answer = Self.render(error, requestID: requestID)
    }
    answer.headers.add("anthropic-organization-id", "00000000-0000-4000-8000-000000000000")
    addLimits(call, world, to: &answer.headers)
    return answer
  }

  private mutating func handle(
    _ call: ProviderCall, _ requestID: String, _ world: inout World
  ) throws(ProviderError) -> Answer {
    switch call.operation {
    case .models: return .json(200, try AnthropicModels.list(call.request, world))
    case .model(let name):
      try Self.checkModel(name, world)
      return .json(200, AnthropicModels.model(name, &world))
    case .messages: return try messages(call, requestID, &world)
    case .countTokens:
      let request = try AnthropicDecoder.decode(try Self.body(call), version: Self.version(call), counting: true)
      try Self.checkModel(request.completion.model, world)
      if let refusal = countLimits.admit(call.key.text, RateCost(tokens: 0, outputTokens: 0), now: world.now) {
        throw Self.limited(refusal)
      }
      return .json(200, Array("{\"input_tokens\":\(request.completion.promptTokens)}".utf8))
    default: throw ProviderError(404, type: "not_found_error", "Not Found")
    }
  }

  // MARK: Checks

  private static func version(_ call: ProviderCall) -> String {
    call.request.header("anthropic-version") ?? ""
  }

  private static func check(_ call: ProviderCall, _ world: World) throws(ProviderError) {
    switch call.key {
    case .missing: throw ProviderError(401, type: "authentication_error", "x-api-key header is required")
    case .malformed: throw ProviderError(401, type: "authentication_error", "invalid x-api-key")
    case .given(let key):
      guard world.accepts(key) else { throw ProviderError(401, type: "authentication_error", "invalid x-api-key") }
    }
    guard call.operation != .unknown else { return }
    guard call.request.method == call.operation.method else {
      throw ProviderError(405, type: "invalid_request_error", "Method Not Allowed")
    }
    guard let version = call.request.header("anthropic-version") else {
      throw AnthropicDecoder.invalid("anthropic-version: header is required")
    }
    guard AnthropicVersion.known.contains(version) else {
      throw AnthropicDecoder.invalid("anthropic-version: \"\(version)\" is not a valid version")
    }
  }

  private static func checkModel(_ model: String, _ world: World) throws(ProviderError) {
    guard !world.serves(model) else { return }
    throw ProviderError(404, type: "not_found_error", "model: \(model)")
  }

  private static func body(_ call: ProviderCall) throws(ProviderError) -> JSONValue {
    if call.request.isTooLarge {
      throw ProviderError(413, type: "request_too_large", "Request exceeds the maximum size")
    }
    switch call.body {
    case .success(let value): return value
    case .failure(let error):
      throw AnthropicDecoder.invalid("The request body is not valid JSON: \(error.reason) at byte \(error.offset)")
    case nil: throw AnthropicDecoder.invalid("The request has no body")
    }
  }

  private static func limited(_ refusal: RateRefusal) -> ProviderError {
    let unit =
      switch refusal.dimension {
      case .requests: "requests"
      case .tokens: "input tokens"
      case .outputTokens: "output tokens"
      }
    return ProviderError(
      429, type: "rate_limit_error",
      "This request would exceed your organization's rate limit of \(refusal.limit) \(unit) per minute.",
      retryAfter: refusal.wait, shouldRetry: refusal.wait != nil)
  }

  // MARK: Messages

  private mutating func messages(
    _ call: ProviderCall, _ requestID: String, _ world: inout World
  ) throws(ProviderError) -> Answer {
    let request = try AnthropicDecoder.decode(try Self.body(call), version: Self.version(call), counting: false)
    let asked = request.completion
    try Self.checkModel(asked.model, world)
    let profile = world.profile(of: asked.model)
    guard asked.promptTokens <= profile.contextTokens else {
      throw AnthropicDecoder.invalid(
        "prompt is too long: \(asked.promptTokens) tokens > \(profile.contextTokens) maximum")
    }
    guard asked.maxTokens <= profile.maxOutputTokens else {
      throw AnthropicDecoder.invalid(
        "max_tokens: \(asked.maxTokens) > \(profile.maxOutputTokens), which is the maximum allowed number of output "
          + "tokens for \(asked.model)")
    }
    let cost = RateCost(tokens: asked.promptTokens, outputTokens: asked.maxTokens)
    if let refusal = limits.admit(call.key.text, cost, now: world.now) { throw Self.limited(refusal) }
    let completion = world.author.write(asked)
    let unused = RateCost(tokens: 0, outputTokens: asked.maxTokens - completion.outputTokens)
    limits.refund(call.key.text, unused, now: world.now)
    let writer = AnthropicWriter(request, completion, seed: world.options.seed)
    var answer = Answer(status: 200, content: request.isStream ? .stream(writer.stream()) : .whole(writer.whole()))
    answer.pace = world.pace(profile, tokens: completion.outputTokens)
    answer.errorEvent = Self.errorEvent(requestID: requestID)
    return answer
  }

  // MARK: Headers

  private func addLimits(_ call: ProviderCall, _ world: World, to headers: inout HeaderLines) {
    guard case .given(let key) = call.key, !limits.isUnlimited else { return }
    let buckets = limits.buckets(of: key)
    if let bucket = buckets.requests {
      headers.add("anthropic-ratelimit-requests-limit", bucket.limit)
      headers.add("anthropic-ratelimit-requests-remaining", bucket.remaining(now: world.now))
      headers.add("anthropic-ratelimit-requests-reset", Self.reset(bucket, world))
    }
    let input = buckets.tokens
    let output = buckets.outputTokens
    if let bucket = input {
      headers.add("anthropic-ratelimit-input-tokens-limit", bucket.limit)
      headers.add("anthropic-ratelimit-input-tokens-remaining", Self.thousands(bucket.remaining(now: world.now)))
      headers.add("anthropic-ratelimit-input-tokens-reset", Self.reset(bucket, world))
    }
    if let bucket = output {
      headers.add("anthropic-ratelimit-output-tokens-limit", bucket.limit)
      headers.add("anthropic-ratelimit-output-tokens-remaining", Self.thousands(bucket.remaining(now: world.now)))
      headers.add("anthropic-ratelimit-output-tokens-reset", Self.reset(bucket, world))
    }
    guard let both = Self.combined(input, output, world) else { return }
    headers.add("anthropic-ratelimit-tokens-limit", both.limit)
    headers.add("anthropic-ratelimit-tokens-remaining", both.remaining)
    headers.add("anthropic-ratelimit-tokens-reset", both.reset)
  }

  /// Input and output together, full when the later of them is.
  private static func combined(
    _ input: RateBucket?, _ output: RateBucket?, _ world: World
  ) -> (limit: Int, remaining: Int, reset: String)? {
    let both = [input, output].compactMap { $0 }
    guard let latest = both.max(by: { $0.untilFull(now: world.now) < $1.untilFull(now: world.now) }) else {
      return nil
    }
    let remaining = both.reduce(0) { $0 + $1.remaining(now: world.now) }
    return (both.reduce(0) { $0 + $1.limit }, thousands(remaining), reset(latest, world))
  }

  /// Token figures are rounded to thousands once they are that large.
  private static func thousands(_ number: Int) -> Int {
    number < 1_000 ? number : (number + 500) / 1_000 * 1_000
  }

  private static func reset(_ bucket: RateBucket, _ world: World) -> String {
    let seconds = TimeText.wholeSeconds(nanoseconds: bucket.untilFull(now: world.now))
    return TimeText.rfc3339(unixSeconds: world.unixSeconds + seconds)
  }
}
