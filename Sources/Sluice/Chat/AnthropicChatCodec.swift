import Foundation

/// Messages as Anthropic speaks them.
struct AnthropicChatCodec: ChatCodec {
  /// The API wants a number; this is what a caller who names none gets.
  static let defaultMaxTokens = 1024

  func chatBody(model: String, messages: [ChatMessage], options: ChatOptions, stream: Bool) throws -> Data {
    let system = messages.filter { $0.role == .system }.map(\.text).joined(separator: "\n\n")
    var body: [String: Any] = [
      "model": model, "max_tokens": options.maxTokens ?? Self.defaultMaxTokens,
      "messages": messages.filter { $0.role != .system }.map { ["role": $0.role.rawValue, "content": $0.text] },
    ]
    if !system.isEmpty { body["system"] = system }
    if stream { body["stream"] = true }
    if let temperature = options.temperature { body["temperature"] = temperature }
    if !options.stop.isEmpty { body["stop_sequences"] = options.stop }
    return try JSONSerialization.data(withJSONObject: body, options: [.sortedKeys])
  }

  func answer(_ body: Data) throws -> ChatAnswer {
    let message = try JSONDecoder().decode(Message.self, from: body)
    return ChatAnswer(
      text: (message.content ?? []).compactMap(\.text).joined(), model: message.model ?? "",
      finishReason: message.stop_reason, usage: message.usage?.value ?? ChatUsage())
  }

  func delta(_ event: Data) throws -> ChatDelta? {
    let event = try JSONDecoder().decode(Event.self, from: event)
    switch event.type {
    case "content_block_delta":
      guard let text = event.delta?.text, !text.isEmpty else { return nil }
      return ChatDelta(text: text)
    case "message_delta":
      return ChatDelta(text: "", finishReason: event.delta?.stop_reason, usage: event.usage?.value)
    case "error": throw ProviderMessage(description: event.error?.message ?? "the provider reported an error")
    default: return nil
    }
  }

  func isEnd(_ event: Data) -> Bool {
    (try? JSONDecoder().decode(Event.self, from: event))?.type == "message_stop"
  }

  private struct Usage: Decodable {
    var input_tokens: Int?, output_tokens: Int?, cache_read_input_tokens: Int?, cache_creation_input_tokens: Int?
    /// Anthropic counts cached input apart; here it is part of the input, as everywhere else.
    var value: ChatUsage {
      let input = (input_tokens ?? 0) + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0)
      return ChatUsage(inputTokens: input, outputTokens: output_tokens ?? 0)
    }
  }

  private struct Message: Decodable {
    struct Block: Decodable { var text: String? }
    var model: String?, content: [Block]?, stop_reason: String?, usage: Usage?
  }

  private struct Event: Decodable {
    struct Delta: Decodable { var text: String?, stop_reason: String? }
    struct Failure: Decodable { var message: String? }
    var type: String, delta: Delta?, usage: Usage?, error: Failure?
  }
}
