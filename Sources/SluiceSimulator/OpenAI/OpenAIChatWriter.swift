/// Writes chat answers, whole or as a stream.
struct OpenAIChatWriter {
  let id: String
  let created: Int64
  let request: OpenAIChatRequest
  let completions: [Completion]
  var random: SeededRandom

  init(_ request: OpenAIChatRequest, _ completions: [Completion], created: Int64, seed: UInt64) {
    self.request = request
    self.completions = completions
    self.created = created
    random = SeededRandom(seed: seed ^ request.completion.hash, stream: 0xC4A7)
    id = random.identifier("chatcmpl-", 29)
  }

  private var outputTokens: Int { completions.reduce(0) { $0 + $1.outputTokens } }

  private static let fingerprint: StaticString = "\"fp_51a1c3\""

  // MARK: Whole

  mutating func whole() -> [UInt8] {
    var out = JSONWriter(reserving: 1_024)
    out.raw("{\"id\":")
    out.string(id)
    out.raw(",\"object\":\"chat.completion\",\"created\":")
    out.number(Int(created))
    out.raw(",\"model\":")
    out.string(request.completion.model)
    out.raw(",\"choices\":")
    out.list(completions.indices) { writer, index in writeChoice(index, into: &writer) }
    out.raw(",\"usage\":")
    writeUsage(into: &out)
    out.raw(",\"service_tier\":\"default\",\"system_fingerprint\":")
    out.raw(Self.fingerprint)
    out.raw("}")
    return out.bytes
  }

  private mutating func writeChoice(_ index: Int, into out: inout JSONWriter) {
    let completion = completions[index]
    let isRefusal = completion.finish == .refusal
    out.raw("{\"index\":")
    out.number(index)
    out.raw(",\"message\":{\"role\":\"assistant\",\"content\":")
    out.string(isRefusal || !completion.toolCalls.isEmpty ? nil : completion.text)
    out.raw(",\"refusal\":")
    out.string(isRefusal ? completion.text : nil)
    out.raw(",\"annotations\":[]")
    if !completion.toolCalls.isEmpty {
      out.raw(",\"tool_calls\":")
      out.list(completion.toolCalls) { writer, call in
        writeCallStart(call, into: &writer)
        writer.string(call.arguments)
        writer.raw("}}")
      }
    }
    out.raw("},\"logprobs\":null,\"finish_reason\":")
    out.string(Self.finishReason(completion.finish))
    out.raw("}")
  }

  /// `{"id":…,"type":…,"function":{"name":…,"arguments":` — the text and the closing braces follow.
  private mutating func writeCallStart(_ call: Completion.ToolCall, index: Int? = nil, into out: inout JSONWriter) {
    out.raw("{")
    if let index {
      out.raw("\"index\":")
      out.number(index)
      out.raw(",")
    }
    out.raw("\"id\":")
    out.string(random.identifier("call_", 24))
    out.raw(
      call.isCustom ? ",\"type\":\"custom\",\"custom\":{\"name\":" : ",\"type\":\"function\",\"function\":{\"name\":")
    out.string(call.name)
    out.raw(call.isCustom ? ",\"input\":" : ",\"arguments\":")
  }

  private func writeUsage(into out: inout JSONWriter) {
    let prompt = request.completion.promptTokens
    out.raw("{\"prompt_tokens\":")
    out.number(prompt)
    out.raw(",\"completion_tokens\":")
    out.number(outputTokens)
    out.raw(",\"total_tokens\":")
    out.number(prompt + outputTokens)
    out.raw(",\"prompt_tokens_details\":{\"cached_tokens\":")
    out.number(completions.first?.cachedTokens ?? 0)
    out.raw(",\"audio_tokens\":0,\"cache_write_tokens\":0}")
    out.raw(",\"completion_tokens_details\":{\"reasoning_tokens\":")
    out.number(completions.reduce(0) { $0 + $1.thinkingTokens })
    out.raw(",\"audio_tokens\":0,")
    out.raw("\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}")
  }

  static func finishReason(_ finish: Completion.Finish) -> String {
    switch finish {
    case .stop, .stopSequence, .refusal: "stop"
    case .length: "length"
    case .toolCalls: "tool_calls"
    case .contentFilter: "content_filter"
    }
  }

  // MARK: Stream

  mutating func stream() -> StreamScript {
    var segments: [StreamScript.Segment] = []
    for index in completions.indices { appendChoice(index, to: &segments) }
    if request.includesUsage {
      var out = chunkStart()
      out.raw("],\"usage\":")
      writeUsage(into: &out)
      if request.includesPadding { out.raw(",\"obfuscation\":\"\"") }
      out.raw("}\n\n")
      segments.append(.frame(out.bytes))
    }
    segments.append(.frame(Array("data: [DONE]\n\n".utf8)))
    return StreamScript(segments)
  }

  private mutating func appendChoice(_ index: Int, to segments: inout [StreamScript.Segment]) {
    let completion = completions[index]
    let isRefusal = completion.finish == .refusal
    let opensWithNull = isRefusal || !completion.toolCalls.isEmpty
    segments.append(
      .frame(
        chunk(
          index,
          delta: opensWithNull
            ? "\"role\":\"assistant\",\"content\":null,\"refusal\":null"
            : "\"role\":\"assistant\",\"content\":\"\",\"refusal\":null")))
    if !completion.text.isEmpty {
      let name: StaticString = isRefusal ? "\"refusal\":" : "\"content\":"
      segments.append(.deltas(deltas(index, opening: { $0.raw(name) }, closing: "}", text: completion.text)))
    }
    for (position, call) in completion.toolCalls.enumerated() {
      appendCall(call, at: position, choice: index, to: &segments)
    }
    segments.append(.frame(chunk(index, delta: "", finish: Self.finishReason(completion.finish))))
  }

  private mutating func appendCall(
    _ call: Completion.ToolCall, at position: Int, choice: Int, to segments: inout [StreamScript.Segment]
  ) {
    var first = choiceStart(choice)
    first.raw("\"tool_calls\":[")
    writeCallStart(call, index: position, into: &first)
    first.raw("\"\"}}]}")
    finishChunk(&first, finish: nil)
    segments.append(.frame(first.bytes))
    let member: StaticString = call.isCustom ? ",\"custom\":{\"input\":" : ",\"function\":{\"arguments\":"
    let rest = deltas(
      choice,
      opening: { out in
        out.raw("\"tool_calls\":[{\"index\":")
        out.number(position)
        out.raw(member)
      }, closing: "}}]}", text: call.arguments)
    segments.append(.deltas(rest))
  }

  private mutating func deltas(
    _ choice: Int, opening: (inout JSONWriter) -> Void, closing: StaticString, text: String
  ) -> StreamScript.Deltas {
    var start = choiceStart(choice)
    opening(&start)
    var end = JSONWriter(reserving: 64)
    end.raw(closing)
    end.raw(",\"logprobs\":null,\"finish_reason\":null}]")
    if request.includesUsage { end.raw(",\"usage\":null") }
    return StreamScript.Deltas(
      opening: start.bytes, closing: end.bytes, text: text,
      padding: request.includesPadding ? SeededRandom(seed: random.next()) : nil)
  }

  private mutating func chunk(_ choice: Int, delta: StaticString, finish: String? = nil) -> [UInt8] {
    var out = choiceStart(choice)
    out.raw(delta)
    out.raw("}")
    finishChunk(&out, finish: finish)
    return out.bytes
  }

  private mutating func finishChunk(_ out: inout JSONWriter, finish: String?) {
    out.raw(",\"logprobs\":null,\"finish_reason\":")
    out.string(finish)
    out.raw("}]")
    if request.includesUsage { out.raw(",\"usage\":null") }
    if request.includesPadding {
      out.raw(",\"obfuscation\":")
      out.string(random.identifier("", 6))
    }
    out.raw("}\n\n")
  }

  private func choiceStart(_ choice: Int) -> JSONWriter {
    var out = chunkStart()
    out.raw("{\"index\":")
    out.number(choice)
    out.raw(",\"delta\":{")
    return out
  }

  private func chunkStart() -> JSONWriter {
    var out = JSONWriter(reserving: 320)
    out.raw("data: {\"id\":")
    out.string(id)
    out.raw(",\"object\":\"chat.completion.chunk\",\"created\":")
    out.number(Int(created))
    out.raw(",\"model\":")
    out.string(request.completion.model)
    out.raw(",\"service_tier\":\"default\",\"system_fingerprint\":")
    out.raw(Self.fingerprint)
    out.raw(",\"choices\":[")
    return out
  }
}
