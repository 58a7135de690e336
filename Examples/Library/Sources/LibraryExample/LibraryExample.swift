import Sluice

/// Asks, streams and embeds with whatever is set up here: `SLUICE_CONFIG`, `./sluice.yaml`, or the API keys in the
/// environment.
///
///     swift run LibraryExample "Why do pools keep connections warm?" [chat model] [embedding model]
@main
struct LibraryExample {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let question = arguments.first ?? "Why do pools keep connections warm?"
    let model = arguments.count > 1 ? arguments[1] : "gpt-4o-mini"
    let embeddingModel = arguments.count > 2 ? arguments[2] : "text-embedding-3-small"

    let sluice = try await Sluice(configuration: .discovered())
    do {
      try await talk(sluice, question: question, model: model, embeddingModel: embeddingModel)
    } catch let error as SluiceError {
      // One error type, and its message says what to do.
      print("\(error)")
    }
    await sluice.shutdown()
  }

  static func talk(_ sluice: Sluice, question: String, model: String, embeddingModel: String) async throws {
    let answer = try await sluice.chat(model: model, [.system("Answer in one sentence."), .user(question)])
    print("\(answer.model): \(answer.text) (\(answer.usage.outputTokens) tokens)")

    for try await delta in sluice.stream(model: model, [.user(question)]) {
      print(delta.text, terminator: "")
    }
    print()

    let vectors = try await sluice.embed(model: embeddingModel, [question, answer.text])
    let product = zip(vectors[0], vectors[1]).reduce(0) { $0 + $1.0 * $1.1 }
    print("question · answer = \(product)")
  }
}
