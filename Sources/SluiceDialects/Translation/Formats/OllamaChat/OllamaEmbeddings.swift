/// Ollama's `/api/embed`.
package enum OllamaEmbeddings: EmbeddingFormat {
  package static func readRequest(
    _ body: JSONValue, model: String, _ operation: Operation, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> EmbeddingRequest {
    let source = try WireObject(body)
    source.dropOthers(than: ["model", "input", "dimensions"], &notes)
    let texts: [String]
    if let text = source["input"]?.string { texts = [text] } else { texts = try source.texts("input") ?? [] }
    guard !texts.isEmpty else { throw source.refusal("input", "'input' must have at least one element.") }
    var request = EmbeddingRequest(model: model, inputs: texts.map { .text($0) })
    request.dimensions = try source.count("dimensions")
    return request
  }

  package static func writeRequest(
    _ request: EmbeddingRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    notes.drop("user", if: request.user != nil)
    notes.drop("input_type", if: request.purpose != nil)
    var texts: [String] = []
    for (index, input) in request.inputs.enumerated() {
      guard case .text(let text) = input else {
        throw TranslationRefusal("Ollama embeds texts, not token ids.", field: "input[\(index)]")
      }
      texts.append(text)
    }
    return .record([
      "model": .string(target.model), "input": .texts(texts), "dimensions": .number(request.dimensions),
      "truncate": .flag(target.options[flag: "truncate"]), "keep_alive": .text(target.options[text: "keep_alive"]),
    ])
  }

  package static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> EmbeddingAnswer {
    guard let items = body["embeddings"]?.array else { throw UnreadableAnswer("the answer has no embeddings") }
    var vectors: [[Float]] = []
    for item in items {
      guard let values = item.array else { throw UnreadableAnswer("an embedding is no list of numbers") }
      vectors.append(try EmbeddingVectors.read(values))
    }
    return EmbeddingAnswer(
      model: body["model"]?.string ?? "", vectors: vectors, inputTokens: body["prompt_eval_count"]?.int)
  }

  package static func writeAnswer(
    _ answer: EmbeddingAnswer, _ request: EmbeddingRequest, _ reply: ReplyFacts
  ) -> JSONValue {
    .record([
      "model": .string(reply.model), "embeddings": .array(answer.vectors.map(EmbeddingVectors.value)),
      "prompt_eval_count": .number(answer.inputTokens),
    ])
  }
}
