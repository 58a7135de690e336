/// What a deadline is about. The owner gives the meaning of index and generation.
package enum DeadlineKind: UInt8, Sendable {
  /// A waiting ticket runs out.
  case ticket
  /// Whatever is due next for a resource; depends on its state.
  case resource
  /// An origin may be tried again after connect failures.
  case reconnect
  /// An endpoint's cool-down ends.
  case cooling
  /// An endpoint is to be checked, or a check has gone unanswered.
  case health
  /// An origin's silence is to be looked at.
  case heartbeat
  /// The choice of the serving region is to be looked at.
  case region
}

/// Deadlines of many things behind one earliest instant, so that a driver needs a single timer.
///
/// A binary heap whose nodes are never looked up: cancelling invalidates the node's token in constant time and the
/// node is dropped when it comes up, or when more than half of the nodes are invalid (amortised constant time, and
/// at most about twice as many nodes as live deadlines). Equal deadlines come up in the order of insertion, so that
/// runs can be repeated.
///
/// Invariant: the root is live; `earliest` is its instant.
package struct DeadlineHeap: Sendable {
  /// A scheduled deadline; `none` when nothing is scheduled.
  package struct Token: Hashable, Sendable {
    fileprivate var index: UInt32
    fileprivate var generation: UInt32

    package static let none = Token(index: .max, generation: 0)
  }

  package struct Entry: Sendable {
    package var at: Instant
    package var kind: DeadlineKind
    package var index: UInt32
    package var generation: UInt32
    fileprivate var token: Token
    fileprivate var sequence: UInt64

    fileprivate func precedes(_ other: Entry) -> Bool {
      at == other.at ? sequence < other.sequence : at < other.at
    }
  }

  /// The earliest deadline, or the distant future.
  package private(set) var earliest = Instant.distantFuture
  private var nodes: [Entry] = []
  private var generations: [UInt32] = []
  private var free: [UInt32] = []
  private var sequence: UInt64 = 0

  package init() {}

  /// Live deadlines.
  package var count: Int { generations.count - free.count }
  /// Nodes held, invalid ones included.
  package var footprint: Int { nodes.count }

  /// Schedules; the distant future is never scheduled and gives `Token.none`.
  package mutating func insert(_ at: Instant, _ kind: DeadlineKind, index: UInt32, generation: UInt32 = 0) -> Token {
    if at == .distantFuture { return .none }
    let token = newToken()
    sequence += 1
    nodes.append(
      Entry(at: at, kind: kind, index: index, generation: generation, token: token, sequence: sequence))
    siftUp(nodes.count - 1)
    if at < earliest { earliest = at }
    return token
  }

  /// Takes a deadline out; nothing happens if it has come up already.
  package mutating func cancel(_ token: inout Token) {
    defer { token = .none }
    guard isLive(token) else { return }
    retire(token)
    if nodes.count > 2 * count + 32 {
      compact()
    } else {
      dropInvalidRoots()
    }
  }

  /// The next deadline that is not later than `now`.
  package mutating func popDue(_ now: Instant) -> Entry? {
    guard earliest <= now, let root = nodes.first else { return nil }
    retire(root.token)
    dropInvalidRoots()
    return root
  }

  private func isLive(_ token: Token) -> Bool {
    token.index < generations.count && generations[Int(token.index)] == token.generation
  }

  private mutating func newToken() -> Token {
    if let index = free.popLast() { return Token(index: index, generation: generations[Int(index)]) }
    generations.append(0)
    return Token(index: UInt32(generations.count - 1), generation: 0)
  }

  private mutating func retire(_ token: Token) {
    generations[Int(token.index)] &+= 1
    free.append(token.index)
  }

  private mutating func dropInvalidRoots() {
    while let root = nodes.first, !isLive(root.token) {
      let last = nodes.removeLast()
      if !nodes.isEmpty {
        nodes[0] = last
        siftDown(0)
      }
    }
    earliest = nodes.first?.at ?? .distantFuture
  }

  private mutating func compact() {
    let generations = generations
    nodes.removeAll { generations[Int($0.token.index)] != $0.token.generation }
    var parent = nodes.count / 2
    while parent > 0 {
      parent -= 1
      siftDown(parent)
    }
    earliest = nodes.first?.at ?? .distantFuture
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    let node = nodes[child]
    while child > 0 {
      let parent = (child - 1) / 2
      guard node.precedes(nodes[parent]) else { break }
      nodes[child] = nodes[parent]
      child = parent
    }
    nodes[child] = node
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    let node = nodes[parent]
    while true {
      var child = 2 * parent + 1
      guard child < nodes.count else { break }
      if child + 1 < nodes.count, nodes[child + 1].precedes(nodes[child]) { child += 1 }
      guard nodes[child].precedes(node) else { break }
      nodes[parent] = nodes[child]
      parent = child
    }
    nodes[parent] = node
  }
}

extension DeadlineHeap {
  /// Everything that must always hold; for tests.
  package func violations() -> [String] {
    var found: [String] = []
    for child in nodes.indices.dropFirst() where nodes[child].precedes(nodes[(child - 1) / 2]) {
      found.append("deadline heap: node \(child) precedes its parent")
    }
    let live = nodes.filter { isLive($0.token) }.count
    if live != count { found.append("deadline heap: \(live) live nodes, \(count) live tokens") }
    if let root = nodes.first, !isLive(root.token) { found.append("deadline heap: the root is not live") }
    if earliest != (nodes.first?.at ?? .distantFuture) { found.append("deadline heap: earliest is out of date") }
    return found
  }
}
