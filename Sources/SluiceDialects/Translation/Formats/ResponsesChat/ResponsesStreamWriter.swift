/// Writes an answer as the events of a Responses stream, numbered from 0.
///
/// States: idle, begun (`response.created` and `response.in_progress` sent), over. Items get rising output indexes; a
/// message or a reasoning item is open alone, function calls stay open side by side until the answer's end, since
/// their arguments may interleave. The protocol repeats every text at its end, so all of it is kept, up to `mostKept`
/// bytes.
package struct ResponsesStreamWriter: ChatStreamWriter {
  /// Most bytes of one answer.
  static let mostKept = 16 << 20
  static let mostItems = 1024

  enum Kind: Equatable { case text, refusal, reasoning }

  struct OpenItem {
    var kind: Kind
    var id: String
    var outputIndex: Int
    var contentIndex = 0
    var text = ""
    /// Parts of the message that are done.
    var parts: [JSONValue] = []
  }

  struct OpenCall {
    var index: Int
    var id: String
    var outputIndex: Int
    var callID: String
    var name: String
    var arguments = ""
  }

  private let reply: ReplyFacts
  private var response = JSONObject()
  private var id = ""
  private var isOver = false
  private(set) var sequence = 0
  var item: OpenItem?
  var calls: [OpenCall] = []
  private var items: [JSONValue?] = []
  private var kept = 0
  private var finish = FinishReason.stop
  private var usage: TokenUsage?

  package init(_ reply: ReplyFacts) { self.reply = reply }

  package mutating func write(_ delta: ChatDelta, to out: inout [UInt8]) throws(UnreadableAnswer) {
    guard !isOver else { return }
    if case .failure(let failure) = delta {
      return fail(GatewayError(failure), to: &out)
    }
    if response.isEmpty { begin(delta, to: &out) }
    switch delta {
    case .start, .reasoningSignature, .redactedReasoning, .failure: break
    case .text(let text): try append(text, .text, to: &out)
    case .refusal(let text): try append(text, .refusal, to: &out)
    case .reasoning(let text): try append(text, .reasoning, to: &out)
    case .toolCall(let index, let id, let name, let signature):
      try openCall(index, SignedCallID.join(id, signature), reply.toolName(name), to: &out)
    case .toolArguments(let index, let text): try appendArguments(index, text, to: &out)
    case .finish(let reason, _): finish = reason
    case .usage(let usage): self.usage = usage
    case .end: end(to: &out)
    }
  }

  package mutating func fail(_ error: GatewayError, to out: inout [UInt8]) {
    guard !isOver else { return }
    isOver = true
    out += GatewayErrorBody.streamEvent(.openai, .responses, error, sequenceNumber: sequence)
  }

  /// A comment: parsers of event streams skip it.
  package func keepAlive(to out: inout [UInt8]) { out.append(StreamFraming.comment) }

  mutating func event(_ type: StaticString, _ fields: [(String, JSONValue)], to out: inout [UInt8]) {
    var data = JSONObject()
    data["type"] = .string("\(type)")
    data["sequence_number"] = .int(sequence)
    for (name, value) in fields { data[name] = value }
    sequence += 1
    out.append("event: ")
    out.append(type)
    out.append("\ndata: ")
    data.value.append(to: &out)
    out.append("\n\n")
  }

  private mutating func begin(_ delta: ChatDelta, to out: inout [UInt8]) {
    var given = ""
    var model = ""
    if case .start(let first, let second) = delta { (given, model) = (first, second) }
    id = AnswerID.with("resp_", given, else: reply.id)
    response = ResponsesChat.response(id: id, model: model, reply)
    event("response.created", [("response", response.value)], to: &out)
    event("response.in_progress", [("response", response.value)], to: &out)
  }

  private mutating func end(to out: inout [UInt8]) {
    closeItem(to: &out)
    for call in calls { closeCall(call, to: &out) }
    isOver = true
    response["output"] = .array(items.compactMap(\.self))
    let isWhole = ResponsesChat.close(&response, finish, usage)
    event(isWhole ? "response.completed" : "response.incomplete", [("response", response.value)], to: &out)
  }

  mutating func keep(_ text: String) throws(UnreadableAnswer) {
    kept += text.utf8.count
    guard kept <= Self.mostKept else { throw UnreadableAnswer("the answer is too long to be repeated at its end") }
  }

  mutating func newItem(_ prefix: String) throws(UnreadableAnswer) -> (id: String, index: Int) {
    guard items.count < Self.mostItems else { throw UnreadableAnswer("too many output items") }
    items.append(nil)
    return (ResponsesChat.itemID(prefix, id, items.count - 1), items.count - 1)
  }

  mutating func done(_ index: Int, _ value: JSONValue, to out: inout [UInt8]) {
    items[index] = value
    event("response.output_item.done", [("output_index", .int(index)), ("item", value)], to: &out)
  }
}
