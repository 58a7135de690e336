import Foundation

/// Chat completions and embeddings as OpenAI and compatible servers speak them.
struct OpenAIChatCodec: ChatCodec {
  func chatBody(model: String, messages: [ChatMessage], options: ChatOptions, stream: Bool) throws -> Data {
    var body: [String: Any] = [
      "model": model, "messages": messages.map { ["role": $0.role.rawValue, "content": $0.text] },
    ]
    if stream {
      body["stream"] = true
      body["stream_options"] = ["include_usage": true]
    }
    if let most = options.maxTokens { body["max_completion_tokens"] = most }
    if let temperature = options.temperature { body["temperature"] = temperature }
    if !options.stop.isEmpty { body["stop"] = options.stop }
    return try JSONSerialization.data(withJSONObject: body, options: [.sortedKeys])
  }

  func answer(_ body: Data) throws -> ChatAnswer {
    let answer = try JSONDecoder().decode(Completion.self, from: body)
    let choice = answer.choices.first
    return ChatAnswer(
      text: choice?.message?.content ?? choice?.message?.refusal ?? "", model: answer.model ?? "",
      finishReason: choice?.finish_reason, usage: answer.usage?.value ?? ChatUsage())
  }

  func delta(_ event: Data) throws -> ChatDelta? {
    let chunk = try JSONDecoder().decode(Completion.self, from: event)
    if let error = chunk.error { throw ProviderMessage(description: error.message ?? "the provider reported an error") }
    let choice = chunk.choices.first { ($0.index ?? 0) == 0 }
    let text = choice?.delta?.content ?? choice?.delta?.refusal ?? ""
    if text.isEmpty && choice?.finish_reason == nil && chunk.usage == nil { return nil }
    return ChatDelta(text: text, finishReason: choice?.finish_reason, usage: chunk.usage?.value)
  }

  func isEnd(_ event: Data) -> Bool { event.starts(with: Data("[DONE]".utf8)) }

  static func embeddingBody(model: String, inputs: [String]) throws -> Data {
    let body: [String: Any] = ["model": model, "input": inputs, "encoding_format": "float"]
    return try JSONSerialization.data(withJSONObject: body, options: [.sortedKeys])
  }

  static func embeddings(_ body: Data) throws -> [[Float]] {
    try JSONDecoder().decode(EmbeddingList.self, from: body).data.sorted { $0.index < $1.index }.map(\.embedding)
  }

  /// Answers and stream chunks share a shape; every field may be missing in compatible servers.
  private struct Completion: Decodable {
    struct Choice: Decodable {
      struct Part: Decodable { var content: String?, refusal: String? }
      var index: Int?, message: Part?, delta: Part?, finish_reason: String?
    }
    struct Usage: Decodable {
      var prompt_tokens: Int?, completion_tokens: Int?
      var value: ChatUsage { ChatUsage(inputTokens: prompt_tokens ?? 0, outputTokens: completion_tokens ?? 0) }
    }
    struct Failure: Decodable { var message: String? }
    var model: String?, usage: Usage?, error: Failure?
    private var given: [Choice]?
    var choices: [Choice] { given ?? [] }

    private enum CodingKeys: String, CodingKey {
      case model, usage, error
      case given = "choices"
    }
  }

  private struct EmbeddingList: Decodable {
    struct Item: Decodable { var index: Int, embedding: [Float] }
    var data: [Item]
  }
}
