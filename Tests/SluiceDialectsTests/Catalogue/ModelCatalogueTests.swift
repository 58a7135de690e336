import SluiceDialects
import SluicePolicy
import Testing

@Suite("Model catalogue")
struct ModelCatalogueTests {
  /// Calls with the cost that an independent implementation computes.
  @Test func costsAgreeWithTheVectors() throws {
    let vectors = try JSONReader.read(Fixture.bytes("pricing/cost-vectors.json")).array ?? []
    #expect(vectors.count == 14)
    for vector in vectors {
      let model = vector["model"]?.string ?? ""
      let provider = try #require(Provider(rawValue: vector["provider"]?.string ?? ""))
      let entry = try #require(ModelCatalogue.shipped.entry(model, provider), "\(model)")
      let usage = TokenUsage(
        input: vector["prompt_tokens"]?.int ?? 0, output: vector["completion_tokens"]?.int ?? 0,
        cachedInput: vector["cached_tokens"]?.int ?? 0, cacheWrite: vector["cache_write_tokens"]?.int ?? 0)
      let expected = (vector["input_usd"]?.double ?? 0) + (vector["output_usd"]?.double ?? 0)
      #expect(entry.price.cost(of: usage) == Int((expected * 1e9).rounded()), "\(model)")
    }
  }

  /// What is published of these models, in full. The extract leaves out what nothing here asks for: prices of batches,
  /// which the gateway does not send, and places of prices that have no tokens.
  @Test func theExtractAgreesWithWhatIsPublished() throws {
    let bytes = try Fixture.bytes("pricing/model-metadata.json")
    let published = try ModelCatalogue(json: bytes)
    let models = try JSONReader.read(bytes).members ?? []
    #expect(models.count == 50 && published.count == models.count && ModelCatalogue.shipped.count == models.count)
    for model in models {
      let provider = try #require(
        Provider.allCases.first { published.entry(model.name, $0)?.mayBelong(to: $0) == true }, "\(model.name)")
      let entry = try #require(ModelCatalogue.shipped.entry(model.name, provider), "\(model.name)")
      #expect(entry == published.entry(model.name, provider), "\(model.name)")
      #expect(entry.facts.contextTokens == model.value["max_input_tokens"]?.int, "\(model.name)")
      #expect(entry.facts.acceptsSampling == model.value["supports_sampling_params"]?.bool, "\(model.name)")
      let dollars = model.value["input_cost_per_token"]?.double.map { Int(($0 * 1e9 * 1000).rounded()) }
      #expect(entry.price.cost(of: TokenUsage(input: 1000, output: 0)) == dollars, "\(model.name)")
    }
  }

  @Test(
    "spellings",
    arguments: [
      ("gpt-4o", Provider.openai, true), ("gpt-4o-2024-08-06", .openai, true), ("gpt-4o", .azureOpenAI, true),
      ("claude-sonnet-4-5-20250929", .anthropic, true), ("gemini-2.5-pro", .gemini, true),
      ("gemini-2.5-pro", .openai, false), ("us.amazon.nova-lite-v1:0", .bedrock, true), ("gpt-4", .openai, false),
      ("gpt-4o-latest", .openai, false),
      ("claude-sonnet-4-5", .openai, false), ("gpt-4o", .anthropic, false), ("command-a-03-2025", .cohere, true),
      ("", .openai, false), ("-20250929", .openai, false),
    ] as [(String, Provider, Bool)])
  func find(_ model: String, _ provider: Provider, _ isKnown: Bool) {
    #expect((ModelCatalogue.shipped.entry(model, provider) != nil) == isKnown)
  }

  @Test func aFileReplacesSingleModels() throws {
    let json =
      #"{"sample_spec": {"mode": 1}, "gpt-4o": {"litellm_provider": "openai", "mode": "chat", "#
      + #""max_input_tokens": 5, "input_cost_per_token": 1e-6}, "own": {"litellm_provider": "x", "mode": "chat"}}"#
    let both = ModelCatalogue.shipped.overridden(by: try ModelCatalogue(json: Array(json.utf8)))
    #expect(both.facts("gpt-4o", .openai).contextTokens == 5)
    #expect(both.entry("own", .local) != nil)
    #expect(both.facts("gpt-4o-mini", .openai).contextTokens == 128_000)
    #expect(both.count == ModelCatalogue.shipped.count + 1)
  }

  @Test(arguments: ["9223372036854775807k", "-9223372036854775807k", "0k", "-1k", "99999999999999999999k", "xk", "k"])
  func sizesThatNoPromptHasAreNoSteps(_ size: String) throws {
    let json =
      #"{"m": {"litellm_provider": "x", "mode": "chat", "input_cost_per_token": 1e-6, "#
      + #""input_cost_per_token_above_\#(size)_tokens": 1e-3}}"#
    let entry = try #require(try ModelCatalogue(json: Array(json.utf8)).entry("m", .local))
    #expect(entry.price.cost(of: TokenUsage(input: 1000)) == 1_000_000)
  }

  @Test func damagedFilesAreRefused() {
    #expect(throws: JSONError.self) { try ModelCatalogue(json: Array("[]".utf8)) }
    #expect(throws: JSONError.self) { try ModelCatalogue(json: Array("{".utf8)) }
  }

  @Test func unknownPricesAndHugeCountsCostNothingKnown() throws {
    let entry = try #require(ModelCatalogue.shipped.entry("gpt-4o", .openai))
    #expect(entry.price.cost(of: TokenUsage(input: .max, output: .max)) == nil)
    #expect(entry.price.cost(of: TokenUsage(input: 3_000_000_000_000, output: 900_000_000_000)) == nil)
    #expect(entry.price.cost(of: TokenUsage(input: Int.max / 2_500_000)) ?? 0 > 9_000_000_000_000_000)
    #expect(entry.price.cost(of: TokenUsage(input: -5, output: -5)) == 0)
  }

  @Test func modelsThatRefuseSamplingAreKnown() {
    #expect(ModelCatalogue.shipped.facts("claude-sonnet-5-5", .anthropic).acceptsSampling == false)
    #expect(ModelCatalogue.shipped.facts("claude-sonnet-4-5", .anthropic).acceptsSampling == nil)
  }
}
