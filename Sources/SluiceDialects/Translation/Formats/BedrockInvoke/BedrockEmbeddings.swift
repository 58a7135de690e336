/// Embeddings of the vendors behind Bedrock's `InvokeModel`: Amazon's Titan and Cohere. The model's id says whose form it
/// is.
package enum BedrockEmbeddings: EmbeddingFormat {
  package static func readRequest(
    _ body: JSONValue, model: String, _ operation: Operation, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> EmbeddingRequest {
    guard body["inputText"] != nil else {
      return try CohereEmbeddings.readRequest(body, model: model, operation, &notes)
    }
    let source = try WireObject(body)
    source.dropOthers(than: ["inputText", "dimensions", "normalize", "embeddingTypes"], &notes)
    var request = EmbeddingRequest(model: model, inputs: [.text(try source.requiredText("inputText"))])
    request.dimensions = try source.count("dimensions")
    request.isSingle = true
    return request
  }

  package static func writeRequest(
    _ request: EmbeddingRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    if target.model.contains("cohere.embed") { return try writeCohere(request, for: target, &notes) }
    guard target.model.contains("amazon.titan-embed-text") else {
      throw TranslationRefusal(
        "'\(target.model.prefix(80))' is none of the embedding models that are known here (Titan, Cohere); use Bedrock's"
          + " own API", field: "model")
    }
    return try writeTitan(request, for: target, &notes)
  }

  /// One text per call.
  private static func writeTitan(
    _ request: EmbeddingRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    notes.drop("user", if: request.user != nil)
    guard request.inputs.count == 1, case .text(let text)? = request.inputs.first else {
      throw TranslationRefusal("Titan embeds one text per call, and no token ids.", field: "input")
    }
    // The first generation has one size and takes nothing else.
    guard !target.model.contains("titan-embed-text-v1") else {
      if request.dimensions != nil {
        throw TranslationRefusal("'\(target.model.prefix(80))' has one size of vectors.", field: "dimensions")
      }
      return .record(["inputText": .string(text)])
    }
    return .record(["inputText": .string(text), "dimensions": .number(request.dimensions)])
  }

  /// As Cohere's own API, with the model in the path; the size can be chosen from the fourth generation on.
  private static func writeCohere(
    _ request: EmbeddingRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    let body = try CohereEmbeddings.writeRequest(request, for: target, &notes)
    return .object((body.members ?? []).filter { $0.name != "model" })
  }

  package static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> EmbeddingAnswer {
    if let values = body["embedding"]?.array {
      return EmbeddingAnswer(
        vectors: [try EmbeddingVectors.read(values)], inputTokens: body["inputTextTokenCount"]?.int.map { max(0, $0) })
    }
    // Without types in the request the vectors stand alone.
    guard let items = body["embeddings"]?.array else { return try CohereEmbeddings.readAnswer(body) }
    return EmbeddingAnswer(vectors: try CohereEmbeddings.vectors(items))
  }

  package static func writeAnswer(
    _ answer: EmbeddingAnswer, _ request: EmbeddingRequest, _ reply: ReplyFacts
  ) -> JSONValue {
    guard request.isSingle else { return CohereEmbeddings.writeAnswer(answer, request, reply) }
    let vector = answer.vectors.first.map(EmbeddingVectors.value) ?? .array([])
    return .record([
      "embedding": vector, "embeddingsByType": .record(["float": vector]),
      "inputTextTokenCount": .int(answer.inputTokens ?? 0),
    ])
  }
}
