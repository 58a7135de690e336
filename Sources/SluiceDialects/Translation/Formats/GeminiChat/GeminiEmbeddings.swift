/// Gemini's `embedContent` (one vector) and `batchEmbedContents` (several).
package enum GeminiEmbeddings: EmbeddingFormat {
  package static func readRequest(
    _ body: JSONValue, model: String, _ operation: Operation, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> EmbeddingRequest {
    let source = try WireObject(body, folding: true)
    guard operation == .batchEmbedContents else {
      var request = EmbeddingRequest(model: model, inputs: [])
      try read(source, into: &request, &notes)
      request.isSingle = true
      return request
    }
    source.dropOthers(than: ["requests", "model"], &notes)
    guard let items = try source.objects("requests"), let first = items.first else {
      throw source.refusal("requests", "'requests' must have at least one element.")
    }
    var request = EmbeddingRequest(model: model, inputs: [])
    try read(first, into: &request, &notes)
    for item in items.dropFirst() {
      var other = EmbeddingRequest(model: model, inputs: [])
      try read(item, into: &other, &notes)
      guard other.dimensions == request.dimensions, other.purpose == request.purpose else {
        throw TranslationRefusal(
          "All requests of a batch must have the same taskType and outputDimensionality.", field: item.path)
      }
      request.inputs += other.inputs
    }
    return request
  }

  private static func read(
    _ item: WireObject, into request: inout EmbeddingRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    item.dropOthers(than: ["model", "content", "taskType", "outputDimensionality"], &notes)
    guard let content = try item.object("content") else { throw item.refusal("content", "'content' is missing.") }
    var text = ""
    for part in try content.objects("parts") ?? [] { text += try part.requiredText("text") }
    request.inputs.append(.text(text))
    request.dimensions = try item.count("outputDimensionality")
    guard let task = try item.text("taskType") else { return }
    request.purpose = purposes.first { $0.1 == task }?.0
    notes.drop(item.place("taskType"), if: request.purpose == nil)
  }

  private static let purposes: [(EmbeddingRequest.Purpose, String)] = [
    (.document, "RETRIEVAL_DOCUMENT"), (.query, "RETRIEVAL_QUERY"), (.classification, "CLASSIFICATION"),
    (.clustering, "CLUSTERING"),
  ]

  package static func writeRequest(
    _ request: EmbeddingRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    notes.drop("user", if: request.user != nil)
    let model = JSONValue.string(target.model.contains("/") ? target.model : "models/" + target.model)
    let task = request.purpose.flatMap { purpose in purposes.first { $0.0 == purpose }?.1 }
    var items: [JSONValue] = []
    for (index, input) in request.inputs.enumerated() {
      guard case .text(let text) = input else {
        throw TranslationRefusal("Gemini embeds texts, not token ids.", field: "input[\(index)]")
      }
      items.append(
        .record([
          "model": model, "content": .record(["parts": .array([.record(["text": .string(text)])])]),
          "taskType": .text(task), "outputDimensionality": .number(request.dimensions),
        ]))
    }
    return .record(["requests": .array(items)])
  }

  package static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> EmbeddingAnswer {
    let items = body["embeddings"]?.array ?? body["embedding"].map { [$0] }
    guard let items else { throw UnreadableAnswer("the answer has no embeddings") }
    var vectors: [[Float]] = []
    for item in items {
      guard let values = item["values"]?.array else { throw UnreadableAnswer("an embedding has no values") }
      vectors.append(try EmbeddingVectors.read(values))
    }
    return EmbeddingAnswer(vectors: vectors, inputTokens: body["usageMetadata"]?["promptTokenCount"]?.int)
  }

  package static func writeAnswer(
    _ answer: EmbeddingAnswer, _ request: EmbeddingRequest, _ reply: ReplyFacts
  ) -> JSONValue {
    let items = answer.vectors.map { JSONValue.record(["values": EmbeddingVectors.value($0)]) }
    if request.isSingle { return .record(["embedding": items.first ?? .emptyObject]) }
    return .record(["embeddings": .array(items)])
  }
}
