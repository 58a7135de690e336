/// What the open resources of an origin carry. They may differ: each remote side says for each of its resources how much
/// it takes, and may change its mind.
package struct SlotRoom: Hashable, Sendable {
  /// Resources with a single slot.
  package private(set) var single = 0
  /// Resources with more than one.
  package private(set) var multiplexed = 0
  /// Slots of those.
  package private(set) var slots = 0

  package init() {}

  /// - Parameter sign: 1 for a resource that comes, -1 for one that goes.
  package mutating func add(_ capacity: Int32, _ sign: Int) {
    if capacity == 1 {
      single += sign
    } else if capacity > 1 {
      multiplexed += sign
      slots += sign * Int(capacity)
    }
  }

  /// Slots to count on: of a multiplexed resource only a part, so that the next one opens before it is used up.
  package func usable(_ utilization: Double) -> Int {
    single + Swift.max(multiplexed, Int(Double(slots) * utilization))
  }
}
