/// How many resources an origin should have:
/// `clamp((leased + waiting + expected arrivals during one connect) × ratio, floor, max)`, counted in slots. What those
/// slots lack beside the room of the resources that are there is divided by what one more would carry; so one whose room
/// has shrunk counts for what it carries now. Rounded down, but never below what is leased and waiting now, so that a
/// single request does not open two connections.
package struct WarmPlanner: Hashable, Sendable {
  package var ratio: Double
  package var utilization: Double
  package var max: Int

  package init(ratio: Double, utilization: Double, max: Int) {
    self.ratio = ratio
    self.utilization = utilization
    self.max = max
  }

  /// - Parameters:
  ///   - demand: slots leased plus tickets waiting.
  ///   - expected: arrivals during one connect, at the present rate.
  ///   - capacity: slots of one more resource.
  ///   - connecting: resources under way, each with that many slots.
  ///   - open: resources that are there, and
  ///   - room: what they carry.
  ///   - floor: what is kept in any case.
  package func wanted(
    demand: Int, expected: Double, capacity: Int, connecting: Int, open: Int, room: SlotRoom, floor: Int
  ) -> Int {
    let slots = Swift.max(Int((Double(demand) + expected) * ratio), demand)
    let perResource = capacity > 1 ? Swift.max(1, Int(Double(capacity) * utilization)) : 1
    let present = open + connecting
    let missing = slots - room.usable(utilization) - connecting * perResource
    let resources =
      missing > 0
      ? present + Self.divide(missing, perResource) : Swift.min(present, Self.divide(slots, perResource))
    return Swift.min(Swift.max(resources, floor), max)
  }

  private static func divide(_ slots: Int, _ perResource: Int) -> Int { (slots + perResource - 1) / perResource }
}

/// Arrivals per second, averaged over windows of at least 100 ms.
package struct ArrivalRate: Hashable, Sendable {
  private var arrivals: UInt32 = 0
  private var windowStart = Instant.distantPast
  private var perSecond = 0.0

  package init() {}

  private static let window: Interval = .milliseconds(100)

  @inline(__always)
  package mutating func count() { arrivals &+= 1 }

  /// Arrivals to be expected during `span`.
  package mutating func expected(during span: Interval, now: Instant) -> Double {
    let elapsed = now - windowStart
    if windowStart == .distantPast {
      windowStart = now
      arrivals = 0
    } else if elapsed >= Self.window {
      let current = Double(arrivals) / elapsed.seconds
      // A window as long as a second replaces the average, a short one moves it.
      let share = Swift.min(1, elapsed.seconds)
      perSecond += (current - perSecond) * Swift.max(share, 0.3)
      arrivals = 0
      windowStart = now
    }
    return perSecond * span.seconds
  }
}
