/// Places in JSON documents, compiled once: `usage.prompt_tokens`, `choices.0.finish_reason`, `content.*.type`.
///
/// Steps are separated by dots: a member's name, an array's index, or `*` for every element or member. Kept as a tree
/// of steps, so that a document is walked once for all paths, and whatever no path leads into is skipped.
package struct JSONPathSet: Sendable {
  struct Node: Sendable {
    var step: [UInt8]
    var index: Int?
    var isWildcard: Bool
    /// Paths that end here.
    var paths: [Int]
    var children: [Int]
  }

  private(set) var nodes: [Node]
  /// How many paths there are; the reader reports them by their place in the list given.
  package let count: Int

  package init(_ paths: [String]) {
    nodes = [Node(step: [], index: nil, isWildcard: false, paths: [], children: [])]
    count = paths.count
    for (number, path) in paths.enumerated() {
      var current = 0
      for step in path.split(separator: ".") { current = child(Array(step.utf8), of: current) }
      nodes[current].paths.append(number)
    }
  }

  private mutating func child(_ step: [UInt8], of parent: Int) -> Int {
    if let known = nodes[parent].children.first(where: { nodes[$0].step == step }) { return known }
    let index = Int(String(decoding: step, as: UTF8.self))
    nodes.append(Node(step: step, index: index, isWildcard: step == [0x2A], paths: [], children: []))
    nodes[parent].children.append(nodes.count - 1)
    return nodes.count - 1
  }
}
