import SluiceDialects
import SluicePolicy
import Testing

/// What the tests of translation have in common.
enum TranslationBench {
  static let reply = ReplyFacts(model: "asked-model", id: "fallback-id", created: 1_793_000_001)

  static func json(_ path: String) throws -> JSONValue { try JSONReader.read(try Fixture.bytes(path)) }

  static func json(text: String) throws -> JSONValue { try JSONReader.read(Array(text.utf8)) }

  /// Members in one order and whole numbers as integers, so that documents that mean the same are equal.
  static func normal(_ value: JSONValue) -> JSONValue {
    switch value {
    case .double(let number): Int(exactly: number).map(JSONValue.int) ?? value
    case .array(let items): .array(items.map(normal))
    case .object(let members):
      .object(
        members.map { JSONMember(name: $0.name, value: normal($0.value)) }.sorted { $0.name < $1.name })
    default: value
    }
  }

  /// All deltas of a stream, cut into pieces of `size` bytes.
  static func deltas<Reader: ChatStreamReader>(
    _ reader: Reader.Type, _ bytes: [UInt8], size: Int = 64
  ) throws -> [ChatDelta] {
    var reader = Reader()
    var parser = SSEParser()
    var deltas: [ChatDelta] = []
    var failure: UnreadableAnswer?
    for start in stride(from: 0, to: bytes.count, by: size) {
      let piece = Array(bytes[start..<min(bytes.count, start + size)])
      try piece.withUnsafeBytes { raw in
        try parser.consume(raw) { event in
          guard failure == nil else { return }
          let name = event.name.map { ByteSlice($0) }
          do throws(UnreadableAnswer) {
            try reader.read(event: name, data: ByteSlice(event.data), into: &deltas)
          } catch { failure = error }
        }
      }
    }
    if let failure { throw failure }
    reader.finish(into: &deltas)
    return deltas
  }

  static func write<Writer: ChatStreamWriter>(
    _ writer: Writer.Type, _ deltas: [ChatDelta], _ reply: ReplyFacts = reply
  ) throws -> String {
    var writer = Writer(reply)
    var out: [UInt8] = []
    for delta in deltas { try writer.write(delta, to: &out) }
    return String(decoding: out, as: UTF8.self)
  }

  /// Puts a stream together to a whole answer, checking the order that writers rely on.
  static func answer(_ deltas: [ChatDelta]) throws -> ChatAnswer {
    var answer = ChatAnswer(parts: [], finish: .other)
    var calls: [ToolCall] = []
    var text = "", reasoning = "", refusal = "", signature: String?
    for (place, delta) in deltas.enumerated() {
      switch delta {
      case .start(let id, let model):
        #expect(place == 0)
        (answer.id, answer.model) = (id, model)
      case .text(let piece): text += piece
      case .refusal(let piece): refusal += piece
      case .reasoning(let piece): reasoning += piece
      case .reasoningSignature(let piece): signature = piece
      case .redactedReasoning(let data): answer.parts.append(.reasoning(ReasoningPart(data, isRedacted: true)))
      case .toolCall(let index, let id, let name, let signature):
        #expect(index == calls.count)
        calls.append(ToolCall(id: id, name: name, arguments: "", signature: signature))
      case .toolArguments(let index, let piece): calls[index].arguments += piece
      case .finish(let reason, let sequence): (answer.finish, answer.stopSequence) = (reason, sequence)
      case .usage(let usage): answer.usage = usage
      case .end: #expect(place == deltas.count - 1)
      case .failure: throw UnreadableAnswer("failure")
      }
    }
    #expect(deltas.last == .end)
    if !reasoning.isEmpty { answer.parts.append(.reasoning(ReasoningPart(reasoning, signature: signature))) }
    if !text.isEmpty { answer.parts.append(.text(text)) }
    if !refusal.isEmpty { answer.parts.append(.refusal(refusal)) }
    answer.parts += calls.map(ContentPart.toolCall)
    return answer
  }
}
