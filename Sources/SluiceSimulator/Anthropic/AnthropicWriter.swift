import SluiceDialects

/// Writes message answers, whole or as the event stream.
struct AnthropicWriter {
  let request: AnthropicRequest
  let completion: Completion
  private let id: String
  private let signature: String
  private let callIDs: [String]

  init(_ request: AnthropicRequest, _ completion: Completion, seed: UInt64) {
    self.request = request
    self.completion = completion
    var random = SeededRandom(seed: seed ^ request.completion.hash, stream: 0xA17)
    id = random.identifier("msg_01", 22)
    var bytes: [UInt8] = []
    random.identifier(96, into: &bytes)
    signature = Base64Text.encode(bytes)
    callIDs = completion.toolCalls.map { _ in random.identifier("toolu_01", 22) }
  }

  private var isRefusal: Bool { completion.finish == .refusal || completion.finish == .contentFilter }

  /// What is said beside tool calls, as the models do; without them the text itself.
  private var text: String { isRefusal ? "" : completion.text }

  private var thinking: String? {
    completion.thinking.map { request.hidesThinking ? "" : $0 }
  }

  // MARK: Whole

  func whole() -> [UInt8] {
    var out = JSONWriter(reserving: 1_024)
    out.raw("{")
    writeHead(into: &out)
    out.raw(",\"content\":[")
    var isFirst = true
    func separate() {
      if !isFirst { out.raw(",") }
      isFirst = false
    }
    if let thinking {
      separate()
      out.raw("{\"type\":\"thinking\",\"thinking\":")
      out.string(thinking)
      out.raw(",\"signature\":")
      out.string(signature)
      out.raw("}")
    }
    if !text.isEmpty {
      separate()
      out.raw("{\"type\":\"text\",\"text\":")
      out.string(text)
      out.raw("}")
    }
    for (index, call) in completion.toolCalls.enumerated() {
      separate()
      writeCall(index, input: call.input, into: &out)
    }
    out.raw("],")
    writeStop(into: &out)
    out.raw(",\"usage\":{")
    writeInputUsage(into: &out)
    out.raw(",\"output_tokens\":")
    out.number(completion.outputTokens)
    out.raw(",\"service_tier\":\"standard\"")
    writeThinkingUsage(into: &out)
    out.raw("}}")
    return out.bytes
  }

  private func writeHead(into out: inout JSONWriter) {
    out.raw("\"id\":")
    out.string(id)
    out.raw(",\"type\":\"message\",\"role\":\"assistant\",\"model\":")
    out.string(request.completion.model)
  }

  private func writeCall(_ index: Int, input: JSONValue, into out: inout JSONWriter) {
    out.raw("{\"type\":\"tool_use\",\"id\":")
    out.string(callIDs[index])
    out.raw(",\"name\":")
    out.string(completion.toolCalls[index].name)
    out.raw(",\"input\":")
    out.value(input)
    out.raw("}")
  }

  private func writeStop(into out: inout JSONWriter) {
    out.raw("\"stop_reason\":")
    var sequence: String?
    switch completion.finish {
    case .stop: out.raw("\"end_turn\"")
    case .length: out.raw("\"max_tokens\"")
    case .toolCalls: out.raw("\"tool_use\"")
    case .refusal, .contentFilter: out.raw("\"refusal\"")
    case .stopSequence(let text):
      out.raw("\"stop_sequence\"")
      sequence = text
    }
    out.raw(",\"stop_sequence\":")
    out.string(sequence)
    if isRefusal {
      out.raw(",\"stop_details\":{\"type\":\"refusal\",\"category\":\"general_harms\",\"explanation\":")
      out.raw("\"The request was declined by a safety classifier.\"}")
    }
  }

  private func writeInputUsage(into out: inout JSONWriter) {
    out.raw("\"input_tokens\":")
    writeInputTokens(into: &out)
    out.raw(",\"cache_creation\":{")
    out.raw("\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":0}")
  }

  /// What was cached is not counted again.
  private func writeInputTokens(into out: inout JSONWriter) {
    out.number(request.completion.promptTokens - completion.cachedTokens)
    out.raw(",\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":")
    out.number(completion.cachedTokens)
  }

  private func writeThinkingUsage(into out: inout JSONWriter) {
    guard completion.thinking != nil else { return }
    out.raw(",\"output_tokens_details\":{\"thinking_tokens\":")
    out.number(completion.thinkingTokens)
    out.raw("}")
  }

  // MARK: Stream

  func stream() -> StreamScript {
    var segments: [StreamScript.Segment] = [start()]
    var index = 0
    if let thinking {
      append(
        index, block: "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}",
        delta: "{\"type\":\"thinking_delta\",\"thinking\":", text: thinking, signed: true, to: &segments)
      index += 1
    }
    if !text.isEmpty {
      append(
        index, block: "{\"type\":\"text\",\"text\":\"\"}", delta: "{\"type\":\"text_delta\",\"text\":", text: text,
        pings: segments.count == 1, to: &segments)
      index += 1
    }
    for (position, call) in completion.toolCalls.enumerated() {
      var block = JSONWriter(reserving: 128)
      writeCall(position, input: .object([]), into: &block)
      append(
        index, block: String(decoding: block.bytes, as: UTF8.self),
        delta: "{\"type\":\"input_json_delta\",\"partial_json\":",
        text: call.input.members?.isEmpty == true ? "" : call.arguments, to: &segments)
      index += 1
    }
    segments.append(end())
    segments.append(Self.event("message_stop", "{\"type\":\"message_stop\"}"))
    return StreamScript(segments)
  }

  private func start() -> StreamScript.Segment {
    var out = JSONWriter(reserving: 512)
    out.raw("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{")
    writeHead(into: &out)
    out.raw(",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{")
    writeInputUsage(into: &out)
    out.raw(",\"output_tokens\":1,\"service_tier\":\"standard\"}}}\n\n")
    return .frame(out.bytes)
  }

  private func end() -> StreamScript.Segment {
    var out = JSONWriter(reserving: 256)
    out.raw("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{")
    writeStop(into: &out)
    out.raw("},\"usage\":{\"input_tokens\":")
    writeInputTokens(into: &out)
    out.raw(",\"output_tokens\":")
    out.number(completion.outputTokens)
    writeThinkingUsage(into: &out)
    out.raw("}}\n\n")
    return .frame(out.bytes)
  }

  /// One content block: start, its deltas, stop.
  private func append(
    _ index: Int, block: String, delta: StaticString, text: String, pings: Bool = false, signed: Bool = false,
    to segments: inout [StreamScript.Segment]
  ) {
    segments.append(
      Self.event(
        "content_block_start", "{\"type\":\"content_block_start\",\"index\":\(index),\"content_block\":\(block)}"))
    if pings { segments.append(Self.event("ping", "{\"type\":\"ping\"}")) }
    var opening = JSONWriter(reserving: 128)
    opening.raw("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":")
    opening.number(index)
    opening.raw(",\"delta\":")
    opening.raw(delta)
    segments.append(.deltas(.init(opening: opening.bytes, closing: [UInt8(ascii: "}")], text: text)))
    if signed {
      let delta = "{\"type\":\"signature_delta\",\"signature\":\"\(signature)\"}"
      segments.append(
        Self.event("content_block_delta", "{\"type\":\"content_block_delta\",\"index\":\(index),\"delta\":\(delta)}"))
    }
    segments.append(Self.event("content_block_stop", "{\"type\":\"content_block_stop\",\"index\":\(index)}"))
  }

  static func event(_ name: String, _ data: String) -> StreamScript.Segment {
    .frame(Array("event: \(name)\ndata: \(data)\n\n".utf8))
  }
}
