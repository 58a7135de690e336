// MARK: - Messages and reasoning

extension ResponsesStreamWriter {
  mutating func append(_ text: String, _ kind: Kind, to out: inout [UInt8]) throws(UnreadableAnswer) {
    try keep(text)
    try enter(kind, to: &out)
    // In place: a copy for every piece of a long answer would take as long as its square.
    item?.text += text
    guard let place = item.map({ self.place($0) }) else { return }
    let delta = ("delta", JSONValue.string(text))
    switch kind {
    case .text: event("response.output_text.delta", place + [delta, ("logprobs", [])], to: &out)
    case .refusal: event("response.refusal.delta", place + [delta], to: &out)
    case .reasoning: event("response.reasoning_summary_text.delta", place + [delta], to: &out)
    }
  }

  private func place(_ open: OpenItem) -> [(String, JSONValue)] {
    [
      ("item_id", .string(open.id)), ("output_index", .int(open.outputIndex)),
      (open.kind == .reasoning ? "summary_index" : "content_index", .int(open.contentIndex)),
    ]
  }

  /// Opens the item and the part that the next text belongs to. A refusal behind a text is the same message's next
  /// part.
  private mutating func enter(_ kind: Kind, to out: inout [UInt8]) throws(UnreadableAnswer) {
    if item?.kind == kind { return }
    if var open = item, open.kind != .reasoning, kind != .reasoning {
      closePart(&open, to: &out)
      open.kind = kind
      open.contentIndex += 1
      open.text = ""
      item = open
    } else {
      closeItem(to: &out)
      let (id, index) = try newItem(kind == .reasoning ? "rs_" : "msg_")
      item = OpenItem(kind: kind, id: id, outputIndex: index)
      let empty =
        kind == .reasoning ? ResponsesChat.reasoning(id, nil) : ResponsesChat.message(id, [], "in_progress")
      event("response.output_item.added", [("output_index", .int(index)), ("item", empty)], to: &out)
    }
    guard let open = item else { return }
    let part = [("part", Self.part(kind, ""))]
    if kind == .reasoning {
      event("response.reasoning_summary_part.added", place(open) + part, to: &out)
    } else {
      event("response.content_part.added", place(open) + part, to: &out)
    }
  }

  private static func part(_ kind: Kind, _ text: String) -> JSONValue {
    switch kind {
    case .text: ResponsesChat.textPart(text)
    case .refusal: ResponsesChat.refusalPart(text)
    case .reasoning: ["type": "summary_text", "text": .string(text)]
    }
  }

  private mutating func closePart(_ open: inout OpenItem, to out: inout [UInt8]) {
    let place = self.place(open)
    let text = JSONValue.string(open.text)
    let part = Self.part(open.kind, open.text)
    switch open.kind {
    case .text:
      event("response.output_text.done", place + [("text", text), ("logprobs", [])], to: &out)
      event("response.content_part.done", place + [("part", part)], to: &out)
    case .refusal:
      event("response.refusal.done", place + [("refusal", text)], to: &out)
      event("response.content_part.done", place + [("part", part)], to: &out)
    case .reasoning:
      event("response.reasoning_summary_text.done", place + [("text", text)], to: &out)
      event("response.reasoning_summary_part.done", place + [("part", part)], to: &out)
    }
    open.parts.append(part)
  }

  mutating func closeItem(to out: inout [UInt8]) {
    guard var open = item else { return }
    closePart(&open, to: &out)
    item = nil
    let value =
      open.kind == .reasoning
      ? ResponsesChat.reasoning(open.id, open.text) : ResponsesChat.message(open.id, open.parts)
    done(open.outputIndex, value, to: &out)
  }
}

// MARK: - Function calls

extension ResponsesStreamWriter {
  mutating func openCall(
    _ index: Int, _ callID: String, _ name: String, to out: inout [UInt8]
  ) throws(UnreadableAnswer) {
    closeItem(to: &out)
    let (id, outputIndex) = try newItem("fc_")
    calls.append(OpenCall(index: index, id: id, outputIndex: outputIndex, callID: callID, name: name))
    let value = ResponsesChat.call(id, callID, name, "", "in_progress")
    event("response.output_item.added", [("output_index", .int(outputIndex)), ("item", value)], to: &out)
  }

  mutating func appendArguments(_ index: Int, _ text: String, to out: inout [UInt8]) throws(UnreadableAnswer) {
    try keep(text)
    guard let place = calls.firstIndex(where: { $0.index == index }) else {
      throw UnreadableAnswer("arguments of an unknown tool call")
    }
    calls[place].arguments += text
    let call = calls[place]
    event(
      "response.function_call_arguments.delta",
      [("item_id", .string(call.id)), ("output_index", .int(call.outputIndex)), ("delta", .string(text))], to: &out)
  }

  mutating func closeCall(_ call: OpenCall, to out: inout [UInt8]) {
    var call = call
    if call.arguments.isEmpty { call.arguments = "{}" }
    event(
      "response.function_call_arguments.done",
      [
        ("item_id", .string(call.id)), ("output_index", .int(call.outputIndex)), ("name", .string(call.name)),
        ("arguments", .string(call.arguments)),
      ], to: &out)
    done(
      call.outputIndex, ResponsesChat.call(call.id, call.callID, call.name, call.arguments, "completed"), to: &out)
  }
}
