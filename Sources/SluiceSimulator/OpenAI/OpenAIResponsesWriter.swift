import SluiceDialects

/// Writes answers of the Responses API, whole or as its event stream.
struct OpenAIResponsesWriter {
  let request: OpenAIResponsesRequest
  let completion: Completion
  let created: Int64
  private let id: String
  private let messageID: String
  private let callIDs: [(item: String, call: String)]
  private var sequence = 0
  private var segments: [StreamScript.Segment] = []

  init(_ request: OpenAIResponsesRequest, _ completion: Completion, created: Int64, seed: UInt64) {
    self.request = request
    self.completion = completion
    self.created = created
    var random = SeededRandom(seed: seed ^ request.completion.hash, stream: 0x4E5)
    id = random.identifier("resp_", 48)
    messageID = random.identifier("msg_", 48)
    var ids: [(item: String, call: String)] = []
    for _ in completion.toolCalls { ids.append((random.identifier("fc_", 48), random.identifier("call_", 24))) }
    callIDs = ids
  }

  private var isIncomplete: Bool { completion.finish == .length || completion.finish == .contentFilter }
  private var status: String { isIncomplete ? "incomplete" : "completed" }
  /// A message comes unless the answer is tool calls alone.
  private var hasMessage: Bool { completion.toolCalls.isEmpty }

  func whole() -> [UInt8] {
    var out = JSONWriter(reserving: 2_048)
    writeResponse(status: status, isFinal: true, into: &out)
    return out.bytes
  }

  // MARK: The response object

  private func writeResponse(status: String, isFinal: Bool, into out: inout JSONWriter) {
    let body = request.body
    out.raw("{\"id\":")
    out.string(id)
    out.raw(",\"object\":\"response\",\"created_at\":")
    out.number(Int(created))
    out.raw(",\"status\":")
    out.string(status)
    out.raw(",\"background\":false,\"error\":null,\"incomplete_details\":")
    if isFinal, isIncomplete {
      out.raw("{\"reason\":")
      out.string(completion.finish == .contentFilter ? "content_filter" : "max_output_tokens")
      out.raw("}")
    } else {
      out.raw("null")
    }
    echo("instructions", .null, into: &out)
    echo("max_output_tokens", .null, into: &out)
    out.raw(",\"model\":")
    out.string(request.completion.model)
    out.raw(",\"output\":[")
    if isFinal { writeItems(into: &out) }
    out.raw("]")
    echo("parallel_tool_calls", .bool(true), into: &out)
    out.raw(",\"previous_response_id\":null,\"reasoning\":{\"effort\":")
    out.value(body.given("reasoning")?.given("effort") ?? .null)
    out.raw(",\"summary\":")
    out.value(body.given("reasoning")?.given("summary") ?? .null)
    out.raw("},\"service_tier\":\"default\"")
    echo("store", .bool(true), into: &out)
    echo("temperature", .double(1), into: &out)
    out.raw(",\"text\":{\"format\":")
    let format = body.given("text")?.given("format")
    out.value(format ?? .object([JSONMember(name: "type", value: .string("text"))]))
    out.raw("}")
    echo("tool_choice", .string("auto"), into: &out)
    echo("tools", .array([]), into: &out)
    echo("top_p", .double(1), into: &out)
    echo("truncation", .string("disabled"), into: &out)
    out.raw(",\"usage\":")
    isFinal ? writeUsage(into: &out) : out.raw("null")
    echo("user", .null, into: &out)
    echo("metadata", .object([]), into: &out)
    out.raw("}")
  }

  private func echo(_ name: String, _ usual: JSONValue, into out: inout JSONWriter) {
    out.raw(",")
    out.string(name)
    out.raw(":")
    out.value(request.body.given(name) ?? usual)
  }

  private func writeUsage(into out: inout JSONWriter) {
    let input = request.completion.promptTokens
    out.raw("{\"input_tokens\":")
    out.number(input)
    out.raw(",\"input_tokens_details\":{\"cached_tokens\":")
    out.number(completion.cachedTokens)
    out.raw(",\"cache_write_tokens\":0},\"output_tokens\":")
    out.number(completion.outputTokens)
    out.raw(",\"output_tokens_details\":{\"reasoning_tokens\":")
    out.number(completion.thinkingTokens)
    out.raw("},\"total_tokens\":")
    out.number(input + completion.outputTokens)
    out.raw("}")
  }

  private func writeItems(into out: inout JSONWriter) {
    if hasMessage { writeMessage(isDone: true, into: &out) }
    for index in completion.toolCalls.indices {
      if index > 0 || hasMessage { out.raw(",") }
      writeCall(index, isDone: true, into: &out)
    }
  }

  private func writeMessage(isDone: Bool, into out: inout JSONWriter) {
    out.raw("{\"id\":")
    out.string(messageID)
    out.raw(",\"type\":\"message\",\"status\":")
    out.string(isDone ? status : "in_progress")
    out.raw(",\"role\":\"assistant\",\"content\":[")
    if isDone { writePart(text: completion.text, into: &out) }
    out.raw("]}")
  }

  private func writePart(text: String, into out: inout JSONWriter) {
    if completion.finish == .refusal {
      out.raw("{\"type\":\"refusal\",\"refusal\":")
      out.string(text)
      out.raw("}")
    } else {
      out.raw("{\"type\":\"output_text\",\"text\":")
      out.string(text)
      out.raw(",\"annotations\":[]}")
    }
  }

  private func writeCall(_ index: Int, isDone: Bool, into out: inout JSONWriter) {
    let call = completion.toolCalls[index]
    out.raw("{\"id\":")
    out.string(callIDs[index].item)
    out.raw(call.isCustom ? ",\"type\":\"custom_tool_call\",\"status\":" : ",\"type\":\"function_call\",\"status\":")
    out.string(isDone ? "completed" : "in_progress")
    out.raw(",\"call_id\":")
    out.string(callIDs[index].call)
    out.raw(",\"name\":")
    out.string(call.name)
    out.raw(call.isCustom ? ",\"input\":" : ",\"arguments\":")
    out.string(isDone ? call.arguments : "")
    out.raw("}")
  }

  // MARK: Stream

  mutating func stream() -> StreamScript {
    responseEvent("response.created", status: "in_progress", isFinal: false)
    responseEvent("response.in_progress", status: "in_progress", isFinal: false)
    if hasMessage { streamMessage() }
    for index in completion.toolCalls.indices { streamCall(index) }
    responseEvent(isIncomplete ? "response.incomplete" : "response.completed", status: status, isFinal: true)
    return StreamScript(segments)
  }

  private mutating func responseEvent(_ name: String, status: String, isFinal: Bool) {
    event(
      name,
      json { writer in
        writer.raw("\"response\":")
        writeResponse(status: status, isFinal: isFinal, into: &writer)
      })
  }

  private mutating func streamMessage() {
    let isRefusal = completion.finish == .refusal
    let kind = isRefusal ? "response.refusal" : "response.output_text"
    event(
      "response.output_item.added",
      json { writer in
        writer.raw("\"output_index\":0,\"item\":")
        writeMessage(isDone: false, into: &writer)
      })
    event(
      "response.content_part.added",
      json { writer in
        writePlace(messageID, 0, into: &writer)
        writer.raw(",\"content_index\":0,\"part\":")
        writePart(text: "", into: &writer)
      })
    deltas(
      "\(kind).delta", text: completion.text, closing: isRefusal ? "" : ",\"logprobs\":[]",
      json { writer in
        writePlace(messageID, 0, into: &writer)
        writer.raw(",\"content_index\":0")
      })
    event(
      "\(kind).done",
      json { writer in
        writePlace(messageID, 0, into: &writer)
        writer.raw(isRefusal ? ",\"content_index\":0,\"refusal\":" : ",\"content_index\":0,\"text\":")
        writer.string(completion.text)
        if !isRefusal { writer.raw(",\"logprobs\":[]") }
      })
    event(
      "response.content_part.done",
      json { writer in
        writePlace(messageID, 0, into: &writer)
        writer.raw(",\"content_index\":0,\"part\":")
        writePart(text: completion.text, into: &writer)
      })
    event(
      "response.output_item.done",
      json { writer in
        writer.raw("\"output_index\":0,\"item\":")
        writeMessage(isDone: true, into: &writer)
      })
  }

  private mutating func streamCall(_ index: Int) {
    let call = completion.toolCalls[index]
    let kind = call.isCustom ? "response.custom_tool_call_input" : "response.function_call_arguments"
    let place = index + (hasMessage ? 1 : 0)
    let itemID = callIDs[index].item
    itemEvent("response.output_item.added", index, place, isDone: false)
    deltas(
      "\(kind).delta", text: call.arguments, closing: "",
      json { writer in
        writePlace(itemID, place, into: &writer)
      })
    event(
      "\(kind).done",
      json { writer in
        writePlace(itemID, place, into: &writer)
        if !call.isCustom {
          writer.raw(",\"name\":")
          writer.string(call.name)
        }
        writer.raw(call.isCustom ? ",\"input\":" : ",\"arguments\":")
        writer.string(call.arguments)
      })
    itemEvent("response.output_item.done", index, place, isDone: true)
  }

  private mutating func itemEvent(_ name: String, _ index: Int, _ place: Int, isDone: Bool) {
    event(
      name,
      json { writer in
        writer.raw("\"output_index\":")
        writer.number(place)
        writer.raw(",\"item\":")
        writeCall(index, isDone: isDone, into: &writer)
      })
  }

  private func writePlace(_ item: String, _ place: Int, into out: inout JSONWriter) {
    out.raw("\"item_id\":")
    out.string(item)
    out.raw(",\"output_index\":")
    out.number(place)
  }

  private func json(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
    var out = JSONWriter(reserving: 256)
    write(&out)
    return out.bytes
  }

  /// `event: <name>`, and data with the same type and the next sequence number.
  private mutating func event(_ name: String, _ members: [UInt8]) {
    var out = Self.start(name)
    out.number(sequence)
    out.raw(",")
    out.raw(members)
    out.raw("}\n\n")
    segments.append(.frame(out.bytes))
    sequence += 1
  }

  private mutating func deltas(
    _ name: String, text: String, closing: String, _ members: [UInt8]
  ) {
    var middle = JSONWriter(reserving: 128)
    middle.raw(",")
    middle.raw(members)
    middle.raw(",\"delta\":")
    segments.append(
      .deltas(
        .init(
          opening: Self.start(name).bytes, middle: middle.bytes, closing: Array(closing.utf8), text: text,
          sequence: sequence)))
    sequence += TokenRule.count(text)
  }

  private static func start(_ name: String) -> JSONWriter {
    var out = JSONWriter(reserving: 192)
    out.raw(Array("event: \(name)\ndata: {\"type\":\"\(name)\",\"sequence_number\":".utf8))
    return out
  }
}
