/// Wraps Anthropic's events into messages.
package struct BedrockInvokeStreamWriter: ChatStreamWriter {
  private var events: AnthropicChat.StreamWriter

  package init(_ reply: ReplyFacts) { events = AnthropicChat.StreamWriter(reply) }

  package mutating func write(_ delta: ChatDelta, to out: inout [UInt8]) throws(UnreadableAnswer) {
    if case .failure(let failure) = delta { return fail(GatewayError(failure), to: &out) }
    var text: [UInt8] = []
    try events.write(delta, to: &text)
    var framer = EventFramer(.serverSentEvents)
    var wrapped: [UInt8] = []
    let isRead = text.withSlice { text in
      do throws(EventFramer.Broken) {
        try framer.consume(text) { _, data in wrapped += Self.chunk(data) }
        return true
      } catch {
        return false
      }
    }
    guard isRead else { throw UnreadableAnswer("an event is too large") }
    out += wrapped
  }

  package mutating func fail(_ error: GatewayError, to out: inout [UInt8]) {
    out += GatewayErrorBody.streamEvent(.bedrock, .invokeStream, error)
  }

  private static func chunk(_ event: ByteSlice) -> [UInt8] {
    var bytes: [UInt8] = []
    event.append(to: &bytes)
    var payload: [UInt8] = []
    JSONValue.record(["bytes": .string(Base64Text.encode(bytes))]).append(to: &payload)
    return AWSEventStream.event("chunk", payload)
  }
}
