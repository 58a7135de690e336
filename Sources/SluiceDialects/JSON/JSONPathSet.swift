/// Places in JSON documents, compiled once: `usage.prompt_tokens`, `choices.0.finish_reason`, `content.*.type`.
///
/// Steps are separated by dots: a member's name, an array's index, or `*` for every element or member. Kept as a tree
/// of steps, so that a document is walked once for all paths, and whatever no path leads into is skipped. Sets of
/// steps are bit masks: a walk allocates nothing.
package struct JSONPathSet: Sendable {
  /// Steps in one set, the root included. Paths are constants of the program, so more is a programming error.
  package static let maxSteps = 64

  struct Node: Sendable {
    var step: [UInt8]
    var index: Int?
    var isWildcard: Bool
    /// Paths that end here.
    var paths: [Int]
    var children: NodeSet
  }

  private(set) var nodes: [Node]
  /// How many paths there are; the reader reports them by their place in the list given.
  package let count: Int

  package init(_ paths: [String]) {
    nodes = [Node(step: [], index: nil, isWildcard: false, paths: [], children: NodeSet())]
    count = paths.count
    for (number, path) in paths.enumerated() {
      var current = 0
      for step in path.split(separator: ".") { current = child(Array(step.utf8), of: current) }
      nodes[current].paths.append(number)
    }
  }

  private mutating func child(_ step: [UInt8], of parent: Int) -> Int {
    for known in nodes[parent].children where nodes[known].step == step { return known }
    precondition(nodes.count < Self.maxSteps, "too many steps for one set of paths")
    let index = Int(String(decoding: step, as: UTF8.self))
    nodes.append(Node(step: step, index: index, isWildcard: step == [0x2A], paths: [], children: NodeSet()))
    nodes[parent].children.insert(nodes.count - 1)
    return nodes.count - 1
  }
}

/// Numbers below 64.
struct NodeSet: Sequence, Sendable {
  private var bits: UInt64 = 0

  init() {}
  init(_ member: Int) { insert(member) }

  var isEmpty: Bool { bits == 0 }
  mutating func insert(_ member: Int) { bits |= 1 << UInt64(member) }

  func makeIterator() -> Iterator { Iterator(bits: bits) }

  struct Iterator: IteratorProtocol {
    var bits: UInt64

    mutating func next() -> Int? {
      guard bits != 0 else { return nil }
      defer { bits &= bits - 1 }
      return bits.trailingZeroBitCount
    }
  }
}
