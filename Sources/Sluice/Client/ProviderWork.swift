import Foundation
import SluiceDialects

/// What a call asks for, before it is known who will answer: each target gets it in its own protocol.
protocol ProviderWork: Sendable {
  /// As the caller named it.
  var model: String { get }
  var streams: Bool { get }
  /// Only pools of this protocol can do it; `nil` is any.
  var surface: Surface? { get }
  func validate() throws(SluiceError)
  /// Address and body for a provider.
  func request(_ dialect: ProviderDialect, model: String) throws -> (call: UpstreamCall, body: Data)
}

struct ChatWork: ProviderWork {
  let model: String
  let messages: [ChatMessage]
  let options: ChatOptions
  let streams: Bool
  var surface: Surface? { nil }

  func validate() throws(SluiceError) {
    guard messages.contains(where: { $0.role != .system }) else {
      throw SluiceError(.invalidRequest, "a chat needs at least one message of the user")
    }
    guard options.temperature?.isFinite ?? true else {
      throw SluiceError(.invalidRequest, "the temperature is not a number")
    }
  }

  func request(_ dialect: ProviderDialect, model: String) throws -> (call: UpstreamCall, body: Data) {
    let codec = ChatCodecs.codec(for: dialect)
    let operation = dialect.operation(for: .chat, streams: streams) ?? .chat
    return (
      UpstreamCall(operation, model: model, streams: streams),
      try codec.chatBody(model: model, messages: messages, options: options, stream: streams)
    )
  }
}

struct EmbeddingWork: ProviderWork {
  let model: String
  let inputs: [String]
  var streams: Bool { false }
  var surface: Surface? { .openai }

  func validate() throws(SluiceError) {
    guard !inputs.isEmpty else { throw SluiceError(.invalidRequest, "there is no text to embed") }
  }

  func request(_ dialect: ProviderDialect, model: String) throws -> (call: UpstreamCall, body: Data) {
    (UpstreamCall(.embeddings, model: model), try OpenAIChatCodec.embeddingBody(model: model, inputs: inputs))
  }
}
