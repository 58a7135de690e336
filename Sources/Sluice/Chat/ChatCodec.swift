import Foundation
import SluiceDialects

/// How one provider family writes chats and embeddings: the bodies of requests and answers, nothing else.
///
/// A protocol with one small type per family, so that further providers are further types.
protocol ChatCodec: Sendable {
  func chatBody(model: String, messages: [ChatMessage], options: ChatOptions, stream: Bool) throws -> Data
  func answer(_ body: Data) throws -> ChatAnswer
  /// A delta for one event's data, `nil` when the event holds nothing for the caller.
  func delta(_ event: Data) throws -> ChatDelta?
  /// True for the data that ends a stream.
  func isEnd(_ event: Data) -> Bool
}

enum ChatCodecs {
  static func codec(for dialect: ProviderDialect) -> any ChatCodec {
    switch dialect.surface {
    case .anthropic: AnthropicChatCodec()
    default: OpenAIChatCodec()
    }
  }
}

/// An error object inside a stream or where an answer was expected.
struct ProviderMessage: Error, CustomStringConvertible {
  var description: String
}
