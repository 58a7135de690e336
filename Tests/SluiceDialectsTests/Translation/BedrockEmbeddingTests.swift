import SluiceDialects
import Testing

@Suite("Embeddings of Bedrock's vendors")
struct BedrockEmbeddingTests {
  private static let bedrock = try! ProviderDialect(.bedrock)

  private func translate(_ body: String, model: String) throws -> Translation {
    try withBytes(body) { bytes -> Result<Translation, TranslationRefusal> in
      do throws(TranslationRefusal) {
        let source = Translation.Source(.embeddings, body: bytes, model: "m", streams: false)
        let target = ChatTarget(provider: .bedrock, model: model, facts: ModelFacts(), options: .none)
        return .success(try Translation(source, to: Self.bedrock, target, reply: TranslationBench.reply))
      } catch {
        return .failure(error)
      }
    }.get()
  }

  private func answer(_ translation: Translation, _ body: String) throws -> JSONValue {
    try JSONReader.read(try withBytes(body) { bytes in Result { try translation.answer(bytes) } }.get())
  }

  @Test func titan() throws {
    let translation = try translate(
      #"{"model":"m","input":"hello","dimensions":256}"#, model: "amazon.titan-embed-text-v2:0")
    #expect(translation.operation == .invoke)
    #expect(String(decoding: translation.body, as: UTF8.self) == #"{"inputText":"hello","dimensions":256}"#)
    let shown = try answer(
      translation, #"{"embedding":[0.5,-0.25],"inputTextTokenCount":3,"embeddingsByType":{"float":[0.5,-0.25]}}"#)
    #expect(shown["data"]?.array?.count == 1)
    #expect(shown["usage"]?["prompt_tokens"]?.int == 3)
    let first = try translate(#"{"model":"m","input":["hello"]}"#, model: "amazon.titan-embed-text-v1")
    #expect(String(decoding: first.body, as: UTF8.self) == #"{"inputText":"hello"}"#)
  }

  @Test func cohere() throws {
    let translation = try translate(#"{"model":"m","input":["a","b"]}"#, model: "us.cohere.embed-v4:0")
    let body = try JSONReader.read(translation.body)
    #expect(body["texts"]?.array?.count == 2 && body["input_type"]?.string == "search_document")
    #expect(body["model"] == nil, "it stands in the path")
    for vectors in ["[[0.5],[0.25]]", #"{"float":[[0.5],[0.25]]}"#] {
      let shown = try answer(translation, #"{"embeddings":\#(vectors),"id":"x"}"#)
      #expect(shown["data"]?.array?.count == 2)
    }
  }

  @Test(arguments: [
    (#"{"model":"m","input":["a","b"]}"#, "amazon.titan-embed-text-v2:0", "input"),
    (#"{"model":"m","input":[1,2]}"#, "amazon.titan-embed-text-v2:0", "input"),
    (#"{"model":"m","input":"a","dimensions":256}"#, "amazon.titan-embed-text-v1", "dimensions"),
    (#"{"model":"m","input":"a"}"#, "amazon.nova-pro-v1:0", "model"),
  ])
  func whatCannotBeCarriedIsRefused(_ body: String, _ model: String, _ field: String) {
    do {
      _ = try translate(body, model: model)
      Issue.record("not refused")
    } catch {
      #expect((error as? TranslationRefusal)?.field == field)
    }
  }

  @Test func vendorsAnswersAreNoSurprise() throws {
    let translation = try translate(#"{"model":"m","input":"a"}"#, model: "amazon.titan-embed-text-v2:0")
    for bad in ["{}", #"{"embedding":["x"]}"#, #"{"embeddings":[1]}"#, #"{"embedding":null}"#] {
      #expect(throws: UnreadableAnswer.self) { _ = try answer(translation, bad) }
    }
  }
}
