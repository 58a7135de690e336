/// Takes Anthropic's events out of the messages.
package struct BedrockInvokeStreamReader: ChatStreamReader {
  private var events = AnthropicChat.StreamReader()
  private var hasFailed = false

  package init() {}

  package mutating func read(
    event name: ByteSlice?, data: ByteSlice, into deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer) {
    guard !hasFailed, let name else { return }
    guard name.equals("chunk") else {
      guard name.hasSuffix("Exception") || Bedrock.isError(data) else { return }
      hasFailed = true
      return deltas.append(.failure(Bedrock.streamFailure(name, data)))
    }
    guard let event = Bedrock.chunk(data) else { throw UnreadableAnswer("a chunk is not base64") }
    let value: JSONValue
    do { value = try JSONReader.read(event) } catch { throw UnreadableAnswer("a chunk is no JSON: \(error.reason)") }
    var events = self.events
    var read = deltas
    let problem = Array((value["type"]?.string ?? "").utf8).withSlice { type in
      event.withSlice { event -> UnreadableAnswer? in
        do throws(UnreadableAnswer) { try events.read(event: type, data: event, into: &read) } catch { return error }
        return nil
      }
    }
    self.events = events
    deltas = read
    if let problem { throw problem }
  }

  package mutating func finish(into deltas: inout [ChatDelta]) {
    if !hasFailed { events.finish(into: &deltas) }
  }
}
