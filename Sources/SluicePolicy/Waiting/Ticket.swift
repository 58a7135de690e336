/// One waiting request.
package struct Ticket: Sendable {
  package var generation: UInt32 = 0
  package var isLive = false
  package var request: AcquireRequest
  /// The class it is served with by now; ageing lifts it above `request.priority`.
  package var level: UInt8 = 0
  /// Since when it has that class.
  package var leveledAt = Instant.distantPast
  /// Order of arrival.
  package var sequence: UInt64 = 0
  package var flow: Int32 = -1
  /// Neighbours in the list of its class, by `leveledAt`.
  package var older: Int32 = -1
  package var younger: Int32 = -1
  /// Place among the restricted tickets; -1 if any slot will do.
  package var restrictedPlace: Int32 = -1
  package var deadline = DeadlineHeap.Token.none
}

/// The waiting requests of one caller in one class.
///
/// Unrestricted ones are in a binary heap by deadline; nodes of tickets that have left stay in it until they come up
/// or outnumber the live ones.
struct Flow: Sendable {
  struct Node: Sendable {
    var deadline: Instant
    var sequence: UInt64
    var ticket: UInt32
    var generation: UInt32

    func precedes(_ other: Node) -> Bool {
      deadline == other.deadline ? sequence < other.sequence : deadline < other.deadline
    }
  }

  var key: UInt64 = 0
  /// Served turns: the flow with the lowest one is next.
  var round: UInt64 = 0
  /// The class's epoch in which `round` was counted.
  var epoch: UInt64 = 0
  /// Live tickets, restricted ones included.
  var live = 0
  /// Live tickets with a node in the heap.
  var liveNodes = 0
  /// Place in its class's heap of flows; -1 when it has no node.
  var place = -1
  var nodes: [Node] = []

  mutating func push(_ node: Node) {
    nodes.append(node)
    liveNodes += 1
    var child = nodes.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard node.precedes(nodes[parent]) else { break }
      nodes[child] = nodes[parent]
      child = parent
    }
    nodes[child] = node
  }

  mutating func dropRoot() {
    let last = nodes.removeLast()
    if nodes.isEmpty { return }
    siftDown(last, from: 0)
  }

  mutating func keep(_ isLive: (Node) -> Bool) {
    nodes.removeAll { !isLive($0) }
    var parent = nodes.count / 2
    while parent > 0 {
      parent -= 1
      siftDown(nodes[parent], from: parent)
    }
  }

  private mutating func siftDown(_ node: Node, from start: Int) {
    var parent = start
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
