/// Tool calls of a streamed answer whose arguments have to be whole before the client's protocol can say them. Bounded:
/// beyond the limit the stream fails.
struct PendingCalls {
  struct Call {
    var id: String
    var name: String
    var signature: String?
    var arguments: String
  }

  /// Bytes of arguments of one answer.
  static let limit = 4 << 20
  static let maxCalls = 1024

  private var calls: [(index: Int, call: Call)] = []
  private var held = 0

  var isEmpty: Bool { calls.isEmpty }

  mutating func begin(
    _ index: Int, id: String, name: String, signature: String?
  ) throws(UnreadableAnswer) {
    guard calls.count < Self.maxCalls else { throw UnreadableAnswer("too many tool calls") }
    calls.append((index, Call(id: id, name: name, signature: signature, arguments: "")))
  }

  mutating func append(_ index: Int, _ text: String) throws(UnreadableAnswer) {
    held += text.utf8.count
    guard held <= Self.limit else { throw UnreadableAnswer("the arguments of the tool calls are too long") }
    guard let place = calls.lastIndex(where: { $0.index == index }) else {
      throw UnreadableAnswer("arguments of a tool call that was not begun")
    }
    calls[place].call.arguments += text
  }

  /// All of them in the order they began.
  mutating func take() -> [Call] {
    defer {
      calls = []
      held = 0
    }
    return calls.map(\.call)
  }
}
