import Foundation
import Sluice

/// Asks, streams and embeds.
///
///     swift run LibraryExample                                    what is set up here: sluice.yaml or API keys
///     swift run LibraryExample http://127.0.0.1:8080 "Why?"       a gateway, or `sluice simulate`
@main
struct LibraryExample {
  static let chatModel = "gpt-4o-mini"
  static let embeddingModel = "text-embedding-3-small"

  static func main() async {
    var arguments = CommandLine.arguments.dropFirst()
    let address = arguments.first?.hasPrefix("http") == true ? arguments.removeFirst() : nil
    let question = arguments.first ?? "Why do pools keep connections warm?"
    do {
      let sluice = try await Sluice(configuration: address.map(configuration) ?? .discovered())
      do {
        try await talk(sluice, question)
      } catch {
        await sluice.shutdown()
        throw error
      }
      // Ends the connections and the event loops.
      await sluice.shutdown()
    } catch {
      // One error type, `SluiceError`, whose message says what to do.
      FileHandle.standardError.write(Data("\(error)\n".utf8))
      exit(1)
    }
  }

  /// One pool in front of anything that speaks OpenAI's protocol. Everything in `docs/configuration.md` can stand here.
  static func configuration(_ address: String) -> Sluice.Configuration {
    .yaml(
      """
      version: 1
      pools:
        example:
          provider: openai
          base_url: "\(address)/v1"
          keys: ["${OPENAI_API_KEY:-sk-any}"]
          timeouts: {total: 60s}
      """)
  }

  static func talk(_ sluice: Sluice, _ question: String) async throws {
    let answer = try await sluice.chat(model: chatModel, [.user(question)])
    print("chat: \(answer.text)")
    print("usage: \(answer.usage.inputTokens) tokens in, \(answer.usage.outputTokens) out, by \(answer.model)")

    print("stream: ", terminator: "")
    for try await delta in sluice.stream(model: chatModel, [.user(question)]) {
      print(delta.text, terminator: "")
    }
    print()

    let vectors = try await sluice.embed(model: embeddingModel, [question, answer.text])
    let product = zip(vectors[0], vectors[1]).reduce(0) { $0 + $1.0 * $1.1 }
    print("embed: \(vectors.count) vectors of \(vectors[0].count) numbers, product \(product)")
  }
}
