import SluiceDialects

/// `POST /v1/completions`, the legacy text completions.
enum OpenAICompletions {
  struct Request {
    var completion: CompletionRequest
    var choices: Int
    var isStream: Bool
    var includesUsage: Bool
  }

  static func decode(_ body: JSONValue) throws(ProviderError) -> Request {
    let fields = try OpenAIFields(body)
    let model = try fields.model()
    guard let prompt = body.given("prompt") else { throw OpenAIFields.missing("prompt") }
    let text: String
    if let single = prompt.string {
      text = single
    } else if let items = prompt.array, items.count == 1, let only = items[0].string {
      text = only
    } else {
      // Lists of prompts and of token numbers exist in the service; nothing here needs them.
      throw OpenAIFields.wrongType("prompt", expected: "a string", prompt)
    }
    try fields.checkSampling()
    try fields.refuse("logprobs") { $0.int != nil }
    try fields.refuse("echo") { $0 == .bool(true) }
    try fields.refuse("suffix") { _ in true }
    let maxTokens = try fields.int("max_tokens", in: 0...1_000_000_000) ?? 16
    var completion = CompletionRequest(model: model, maxTokens: maxTokens, hash: ContentHash.of(body))
    completion.question = text
    completion.promptTokens = TokenRule.count(text)
    completion.stops = try fields.stops()
    return Request(
      completion: completion, choices: try fields.int("n", in: 1...128) ?? 1,
      isStream: try fields.bool("stream") ?? false,
      includesUsage: body.given("stream_options")?["include_usage"]?.bool ?? false)
  }

  struct Writer {
    let id: String
    let created: Int64
    let request: Request
    let completions: [Completion]

    init(_ request: Request, _ completions: [Completion], created: Int64, seed: UInt64) {
      self.request = request
      self.completions = completions
      self.created = created
      var random = SeededRandom(seed: seed ^ request.completion.hash, stream: 0xC0F)
      id = random.identifier("cmpl-", 29)
    }

    private func start() -> JSONWriter {
      var out = JSONWriter(reserving: 256)
      out.raw("{\"id\":")
      out.string(id)
      out.raw(",\"object\":\"text_completion\",\"created\":")
      out.number(Int(created))
      out.raw(",\"model\":")
      out.string(request.completion.model)
      out.raw(",\"choices\":[")
      return out
    }

    private func choiceEnd(_ index: Int, finish: String?, into out: inout JSONWriter) {
      out.raw(",\"index\":")
      out.number(index)
      out.raw(",\"logprobs\":null,\"finish_reason\":")
      out.string(finish)
      out.raw("}")
    }

    private func usage(into out: inout JSONWriter) {
      let output = completions.reduce(0) { $0 + $1.outputTokens }
      out.raw(",\"usage\":{\"prompt_tokens\":")
      out.number(request.completion.promptTokens)
      out.raw(",\"completion_tokens\":")
      out.number(output)
      out.raw(",\"total_tokens\":")
      out.number(request.completion.promptTokens + output)
      out.raw("}")
    }

    mutating func whole() -> [UInt8] {
      var out = start()
      for (index, completion) in completions.enumerated() {
        if index > 0 { out.raw(",") }
        out.raw("{\"text\":")
        out.string(completion.text)
        choiceEnd(index, finish: OpenAIChatWriter.finishReason(completion.finish), into: &out)
      }
      out.raw("]")
      usage(into: &out)
      out.raw("}")
      return out.bytes
    }

    mutating func stream() -> StreamScript {
      var segments: [StreamScript.Segment] = []
      let prefix = Array("data: ".utf8)
      for (index, completion) in completions.enumerated() {
        var opening = start()
        opening.raw("{\"text\":")
        var closing = JSONWriter(reserving: 64)
        choiceEnd(index, finish: nil, into: &closing)
        closing.raw("]")
        if request.includesUsage { closing.raw(",\"usage\":null") }
        segments.append(
          .deltas(.init(opening: prefix + opening.bytes, closing: closing.bytes, text: completion.text)))
        var last = start()
        last.raw("{\"text\":\"\"")
        choiceEnd(index, finish: OpenAIChatWriter.finishReason(completion.finish), into: &last)
        last.raw(request.includesUsage ? "],\"usage\":null}\n\n" : "]}\n\n")
        segments.append(.frame(prefix + last.bytes))
      }
      if request.includesUsage {
        var last = start()
        last.raw("]")
        usage(into: &last)
        last.raw("}\n\n")
        segments.append(.frame(prefix + last.bytes))
      }
      segments.append(.frame(Array("data: [DONE]\n\n".utf8)))
      return StreamScript(segments)
    }
  }
}
