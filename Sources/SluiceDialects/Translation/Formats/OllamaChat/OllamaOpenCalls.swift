/// The calls of the answer before that have no result yet, each found under whatever a result may say of it. Every call
/// is looked at a few times only, however many there are.
struct OllamaOpenCalls {
  /// What a result can say: nothing, the tool, the call's own id. The last two leave out calls that have an id of the
  /// client's own.
  private enum Mark: Hashable {
    case any
    case tool(String)
    case id(String)
    case unnamed
    case unnamedTool(String)
  }

  private struct Queue {
    var places: [Int] = []
    var next = 0
  }

  private var calls: [ToolCall?] = []
  private var queues: [Mark: Queue] = [:]

  /// - Parameter isNamed: the id is the client's own.
  mutating func add(_ call: ToolCall, isNamed: Bool) {
    let marks: [Mark] = [.any, .tool(call.name), .id(call.id)] + (isNamed ? [] : [.unnamed, .unnamedTool(call.name)])
    for mark in marks { queues[mark, default: Queue()].places.append(calls.count) }
    calls.append(call)
  }

  /// The first one that fits, which is open no more.
  ///
  /// - Parameter id: empty where the result names none.
  mutating func take(id: String, name: String?) -> ToolCall? {
    guard !id.isEmpty else { return take(name.map { .tool($0) } ?? .any) }
    return take(.id(id)) ?? take(name.map { .unnamedTool($0) } ?? .unnamed)
  }

  private mutating func take(_ mark: Mark) -> ToolCall? {
    while let queue = queues[mark], queue.next < queue.places.count {
      queues[mark]?.next += 1
      let place = queue.places[queue.next]
      if let call = calls[place] {
        calls[place] = nil
        return call
      }
    }
    return nil
  }
}
