import SluiceDialects
import SluicePolicy
import Testing

/// What an answer costs follows from what the answer itself says was charged.
@Suite("Costs of answers")
struct AnswerCostTests {
  private func measure(
    _ provider: Provider, _ operation: SluiceDialects.Operation, _ body: [UInt8]
  ) throws -> AnswerMeasure {
    let dialect = try ProviderDialect(provider)
    return body.withSlice { UsageMeter.measure(dialect, operation, body: $0) }
  }

  private func price(_ model: String, _ provider: Provider) throws -> ModelPrice {
    try #require(ModelCatalogue.shipped.entry(model, provider)).price
  }

  @Test func cohereChargesWhatItBillsAndNotWhatTheModelSaw() throws {
    let measure = try measure(.cohere, .cohereChat, Fixture.bytes("cohere/chat.response.json"))
    #expect(measure.usage == TokenUsage(input: 74, output: 3))
    #expect(measure.billed == TokenUsage(input: 9, output: 1))
    #expect(try price("command-a-03-2025", .cohere).cost(of: measure) == 9 * 2500 + 10_000)
  }

  @Test func rankingsCostTheirSearches() throws {
    var measure = try measure(.cohere, .rerank, Fixture.bytes("cohere/rerank.response.json"))
    let price = try price("rerank-v3.5", .cohere)
    #expect(measure.searchUnits == 1 && price.cost(of: measure) == 2_000_000)
    measure.searchUnits = .max
    #expect(price.cost(of: measure) == nil, "no price for what cannot be")
    measure.searchUnits = -1
    #expect(price.cost(of: measure) == 0)
  }

  /// Prices of one million prompt tokens of gpt-5.4-mini, in micro-dollars per tier.
  static let tiers: [(String, ModelPrice.Tier, Int)] = [
    ("default", .standard, 750_000), ("flex", .flex, 375_000), ("priority", .priority, 1_500_000),
    ("PRIORITY", .priority, 1_500_000), ("whatever", .standard, 750_000),
  ]

  @Test("the tier is the one of the answer", arguments: tiers)
  func tier(_ name: String, _ expected: ModelPrice.Tier, _ microDollars: Int) throws {
    let bodies: [(Provider, SluiceDialects.Operation, String)] = [
      (.openai, .chat, #"{"usage":{"prompt_tokens":1000,"completion_tokens":0},"service_tier":"\#(name)"}"#),
      (.openai, .responses, #"{"service_tier":"\#(name)","usage":{"input_tokens":1000,"output_tokens":0}}"#),
      (.anthropic, .messages, #"{"usage":{"input_tokens":1000,"output_tokens":0,"service_tier":"\#(name)"}}"#),
      (
        .gemini, .generateContent,
        #"{"usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":0,"serviceTier":"\#(name)"}}"#
      ),
      (
        .bedrock, .converse,
        #"{"usage":{"inputTokens":1000,"outputTokens":0},"serviceTier":{"type":"\#(name)"}}"#
      ),
    ]
    let price = try price("gpt-5.4-mini", .openai)
    for (provider, operation, body) in bodies {
      let measure = try measure(provider, operation, Array(body.utf8))
      #expect(measure.tier == expected && measure.usage?.input == 1000, "\(provider)")
      #expect(price.cost(of: measure) == microDollars, "\(provider)")
    }
  }

  @Test func streamsNameTheirTierToo() throws {
    let chat =
      #"data: {"choices":[{"delta":{"content":"a"}}],"service_tier":"flex"}"# + "\n\n"
      + #"data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1},"service_tier":"flex"}"# + "\n\n"
    #expect(MoreProvidersTests.meter(.openai, .chat, Array(chat.utf8), 7).measure.tier == .flex)
    let responses =
      "event: response.completed\n"
      + #"data: {"response":{"service_tier":"priority","usage":{"input_tokens":5,"output_tokens":1}}}"# + "\n\n"
    #expect(MoreProvidersTests.meter(.openai, .responses, Array(responses.utf8), 7).measure.tier == .priority)
  }

  @Test func nothingKnownCostsNothingKnown() throws {
    #expect(try price("gpt-5.4-mini", .openai).cost(of: AnswerMeasure()) == nil)
  }
}
