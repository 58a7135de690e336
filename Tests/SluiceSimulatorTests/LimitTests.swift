import SluiceDialects
import SluiceSimulator
import Testing

/// Limits are true: what does not fit is 429 with the time to wait, and after that time it fits.
@Suite struct LimitTests {
  private let clock = SimulatorClock.manual(startingAt: 1_795_246_259)

  @Test func requestsPerMinuteOfAnOpenAIKey() async throws {
    let limits = SimulatorLimits(requestsPerMinute: 2, tokensPerMinute: 100_000)
    try await Harness.with(SimulatorOptions(openAILimits: limits, clock: clock)) { simulator in
      #expect(try await simulator.chat()["x-ratelimit-remaining-requests"] == "1")
      #expect(try await simulator.chat()["x-ratelimit-remaining-requests"] == "0")
      let refused = try await simulator.chat()
      #expect(refused.status == 429)
      #expect(Shape.differences(refused.json, try Fixture.json("openai/error.429.rate_limit.json")) == [])
      #expect(refused.json["error"]?["type"]?.string == "requests")
      #expect(refused.json["error"]?["code"]?.string == "rate_limit_exceeded")
      #expect(try Fixture.headerNames("openai/headers.429.txt").subtracting(refused.headers.map(\.name)) == [])
      #expect(refused["retry-after"] == "30")
      #expect(refused["retry-after-ms"] == "30000")
      #expect(refused["x-ratelimit-reset-requests"] == "1m0s")
      #expect(try await simulator.chat(key: "sk-test-2").status == 200)
      try await simulator.server.advanceClock(by: .milliseconds(29_999))
      #expect(try await simulator.chat().status == 429)
      try await simulator.server.advanceClock(by: .milliseconds(1))
      #expect(try await simulator.chat().status == 200)
      let stats = await simulator.server.stats()
      #expect(stats.requests.rateLimited == 2)
      #expect(stats.requests.byStatus == [200: 4, 429: 2])
    }
  }

  @Test func tokensPerMinuteOfAnOpenAIKey() async throws {
    let limits = SimulatorLimits(tokensPerMinute: 600)
    try await Harness.with(SimulatorOptions(openAILimits: limits, clock: clock)) { simulator in
      let served = try await simulator.chat(extra: ",\"max_tokens\":500")
      let prompt = try #require(served.json["usage"]?["prompt_tokens"]?.int)
      #expect(served["x-ratelimit-remaining-tokens"] == "\(600 - 500 - prompt)")
      #expect(served["x-ratelimit-limit-requests"] == nil)
      let refused = try await simulator.chat(extra: ",\"max_tokens\":500")
      #expect(refused.status == 429)
      #expect(refused.json["error"]?["type"]?.string == "tokens")
      #expect(refused["x-should-retry"] == "true")
      let never = try await simulator.chat(extra: ",\"max_tokens\":5000")
      #expect(never.status == 429)
      #expect(never["x-should-retry"] == "false")
      #expect(never["retry-after"] == nil)
      #expect(never.text.contains("Request too large"))
      try await simulator.server.advanceClock(by: .seconds(60))
      #expect(try await simulator.chat(extra: ",\"max_tokens\":500").status == 200)
    }
  }

  @Test func anthropicLimits() async throws {
    let limits = SimulatorLimits(requestsPerMinute: 60, tokensPerMinute: 1_000, outputTokensPerMinute: 300)
    try await Harness.with(SimulatorOptions(anthropicLimits: limits, clock: clock)) { simulator in
      let served = try await simulator.messages()
      // 256 were reserved, and what was not used came back.
      let used = try #require(served.json["usage"]?["output_tokens"]?.int)
      #expect(served["anthropic-ratelimit-output-tokens-remaining"] == "\(300 - used)")
      let asked = Harness.messagesBody().replacing("256", with: "299")
      let refused = try await simulator.anthropic("/v1/messages", asked)
      #expect(refused.status == 429)
      #expect(Shape.differences(refused.json, try Fixture.json("anthropic/error.429.rate_limit.json")) == [])
      #expect(refused.json["error"]?["type"]?.string == "rate_limit_error")
      #expect(refused.text.contains("300 output tokens per minute"))
      #expect(try Fixture.headerNames("anthropic/headers.429.txt").subtracting(refused.headers.map(\.name)) == [])
      let wait = try #require(Int(refused["retry-after"] ?? ""))
      #expect(wait == (used - 1 + 4) / 5)
      try await simulator.server.advanceClock(by: .seconds(wait))
      #expect(try await simulator.anthropic("/v1/messages", asked).status == 200)
    }
  }

  @Test func countingTokensHasItsOwnLimit() async throws {
    let limits = SimulatorLimits(requestsPerMinute: 1)
    try await Harness.with(SimulatorOptions(anthropicLimits: limits, clock: clock)) { simulator in
      #expect(try await simulator.messages().status == 200)
      #expect(try await simulator.messages().status == 429)
      let body = try Fixture.text("anthropic/count-tokens.request.json")
      #expect(try await simulator.anthropic("/v1/messages/count_tokens", body).status == 200)
      #expect(try await simulator.anthropic("/v1/messages/count_tokens", body).status == 429)
    }
  }
}

/// Time to first token and token rate, on a clock that moves by hand.
@Suite struct LatencyTests {
  private func options(_ profile: SimulatorModelProfile) -> SimulatorOptions {
    SimulatorOptions(
      latency: .realistic, profiles: [profile], answerTokens: 5, clock: .manual(startingAt: 1_795_246_259))
  }

  @Test func aPlainAnswerComesWhenItsLastTokenWould() async throws {
    let profile = SimulatorModelProfile(
      pattern: "*", firstTokenMilliseconds: 100, firstTokenSpread: 0, tokensPerSecond: 100)
    try await Harness.with(options(profile)) { simulator in
      async let reply = simulator.chat()
      try await simulator.untilPending(1)
      try await simulator.server.advanceClock(by: .milliseconds(139))
      #expect(await simulator.server.stats().bytesSent == 0)
      #expect(await simulator.server.stats().requests.concurrent == 1)
      try await simulator.server.advanceClock(by: .milliseconds(1))
      #expect(try await reply["openai-processing-ms"] == "100")
    }
  }

  @Test func aStreamIsPaced() async throws {
    let profile = SimulatorModelProfile(
      pattern: "*", firstTokenMilliseconds: 100, firstTokenSpread: 0, tokensPerSecond: 100)
    try await Harness.with(options(profile)) { simulator in
      let client = try await RawClient.connect(simulator.address)
      let body = Harness.chatBody(extra: ",\"stream\":true")
      try await client.send(
        Harness.request("POST", "/v1/chat/completions", body: body, headers: [Harness.openAIKey]))
      try await simulator.untilPending(1)
      try await simulator.server.advanceClock(by: .milliseconds(99))
      #expect(await simulator.server.stats().bytesSent == 0)
      for tokens in 1...5 {
        try await simulator.server.advanceClock(by: .milliseconds(tokens == 1 ? 1 : 10))
        let seen = try await client.read { Self.contents($0) >= tokens }
        #expect(Self.contents(seen) == tokens)
        #expect(!seen.text.contains("[DONE]"))
        // One exchange, one timer.
        #expect(try await simulator.server.pendingTimers() == 1)
      }
      try await simulator.server.advanceClock(by: .milliseconds(10))
      let seen = try await client.read { $0.endsWithLastChunk }
      #expect(seen.text.contains("[DONE]"))
      await client.close()
    }
  }

  private static func contents(_ transcript: Transcript) -> Int {
    transcript.text.split(separator: "{\"content\":\"", omittingEmptySubsequences: false).count - 1
  }

  @Test func timesAreLogNormalAndSeeded() {
    var random = SeededRandom(seed: 7, stream: 2)
    var times = (0..<10_001).map { _ in random.logNormal(median: 400, spread: 0.4) }
    var again = SeededRandom(seed: 7, stream: 2)
    let repeated = (0..<10_001).map { _ in again.logNormal(median: 400, spread: 0.4) }
    #expect(repeated == times)
    times.sort()
    // With n = 10,001 the sample median lies within 1.3 % of the true one with more than 99 % probability; the
    // 84th percentile is one standard deviation above it.
    #expect(abs(times[5_000] / 400 - 1) < 0.02)
    #expect(abs(times[8_413] / 400 / 1.4918 - 1) < 0.03)
  }
}
