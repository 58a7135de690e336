/// Cohere's `/v2/embed`, texts as numbers.
package enum CohereEmbeddings: EmbeddingFormat {
  /// Most texts of one call.
  static let maxTexts = 96

  private static let purposes: [(EmbeddingRequest.Purpose, String)] = [
    (.document, "search_document"), (.query, "search_query"), (.classification, "classification"),
    (.clustering, "clustering"),
  ]

  package static func readRequest(
    _ body: JSONValue, model: String, _ operation: Operation, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> EmbeddingRequest {
    let source = try WireObject(body)
    source.dropOthers(
      than: ["model", "texts", "inputs", "images", "input_type", "embedding_types", "output_dimension"], &notes)
    try source.refuse("images")
    for type in try source.texts("embedding_types") ?? [] where type != "float" {
      throw source.refusal("embedding_types", "Only float can be answered by a provider of another protocol.")
    }
    var texts = try source.texts("texts") ?? []
    for input in try source.objects("inputs") ?? [] {
      var text = ""
      for part in try input.objects("content") ?? [] { text += try part.requiredText("text") }
      texts.append(text)
    }
    guard !texts.isEmpty else { throw source.refusal("texts", "'texts' must have at least one element.") }
    var request = EmbeddingRequest(model: model, inputs: texts.map { .text($0) })
    request.dimensions = try source.count("output_dimension")
    if let type = try source.text("input_type") {
      guard let purpose = purposes.first(where: { $0.1 == type })?.0 else {
        throw source.refusal("input_type", "'\(type.prefix(40))' cannot be carried to a provider of another protocol.")
      }
      request.purpose = purpose
    }
    return request
  }

  package static func writeRequest(
    _ request: EmbeddingRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    notes.drop("user", if: request.user != nil)
    guard request.inputs.count <= maxTexts else {
      throw TranslationRefusal("Cohere embeds at most \(maxTexts) texts per call.", field: "input")
    }
    var texts: [String] = []
    for (index, input) in request.inputs.enumerated() {
      guard case .text(let text) = input else {
        throw TranslationRefusal("Cohere embeds texts, not token ids.", field: "input[\(index)]")
      }
      texts.append(text)
    }
    let own = request.purpose.flatMap { purpose in purposes.first { $0.0 == purpose }?.1 }
    let type = own ?? target.options[text: "input_type"] ?? Cohere.defaultInputType
    return .record([
      "model": .string(target.model), "texts": .texts(texts), "input_type": .string(type),
      "embedding_types": .texts(["float"]), "output_dimension": .number(request.dimensions),
    ])
  }

  package static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> EmbeddingAnswer {
    guard let items = body["embeddings"]?["float"]?.array else {
      throw UnreadableAnswer("the answer has no embeddings")
    }
    let billed = body["meta"]?["billed_units"]?["input_tokens"]
    return EmbeddingAnswer(vectors: try vectors(items), inputTokens: billed.map { CohereChat.count($0) })
  }

  static func vectors(_ items: [JSONValue]) throws(UnreadableAnswer) -> [[Float]] {
    var vectors: [[Float]] = []
    for item in items {
      guard let values = item.array else { throw UnreadableAnswer("an embedding is no list of numbers") }
      vectors.append(try EmbeddingVectors.read(values))
    }
    return vectors
  }

  package static func writeAnswer(
    _ answer: EmbeddingAnswer, _ request: EmbeddingRequest, _ reply: ReplyFacts
  ) -> JSONValue {
    let texts = request.inputs.compactMap { input in
      if case .text(let text) = input { text } else { nil }
    }
    return .record([
      "response_type": .string("embeddings_by_type"), "id": .string(reply.id),
      "embeddings": .record(["float": .array(answer.vectors.map(EmbeddingVectors.value))]), "texts": .texts(texts),
      "meta": .record([
        "api_version": .record(["version": .string("2")]),
        "billed_units": answer.inputTokens.map { .record(["input_tokens": .int($0)]) },
      ]),
    ])
  }
}
