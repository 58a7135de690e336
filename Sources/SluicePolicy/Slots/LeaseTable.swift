/// One lent slot.
package struct LeaseRecord: Sendable {
  package var generation: UInt32 = 0
  package var isLive = false
  /// Position of the endpoint it counts for. A removed endpoint stays until its last lease ends.
  package var endpoint: UInt16 = 0
  package var nextFree: Int32 = -1
  package var resource = ResourceID(index: 0, generation: 0)
  package var grantedAt = Instant.distantPast
  /// For so long the resource had carried nothing when it was lent; zero is unknown.
  package var silence = Interval.zero
}

/// All lent slots. A lease ends once: after that its handle no longer resolves.
package struct LeaseTable: Sendable {
  private var records: [LeaseRecord] = []
  private var firstFree: Int32 = -1
  package private(set) var count = 0

  package init() {}

  @inline(__always)
  package mutating func add(
    endpoint: Int, resource: ResourceID, silence: Interval = .zero, now: Instant
  ) -> LeaseID {
    let index: Int
    if firstFree >= 0 {
      index = Int(firstFree)
      firstFree = records[index].nextFree
    } else {
      index = records.count
      records.append(LeaseRecord())
    }
    count += 1
    records[index].isLive = true
    records[index].endpoint = UInt16(truncatingIfNeeded: endpoint)
    records[index].resource = resource
    records[index].grantedAt = now
    records[index].silence = silence
    return LeaseID(index: UInt32(truncatingIfNeeded: index), generation: records[index].generation)
  }

  /// Ends a lease; `nil` if it has ended already or never was.
  @inline(__always)
  package mutating func end(_ id: LeaseID) -> LeaseRecord? {
    let index = Int(id.index)
    guard index < records.count, records[index].isLive, records[index].generation == id.generation else { return nil }
    let record = records[index]
    count -= 1
    records[index].isLive = false
    records[index].generation &+= 1
    records[index].nextFree = firstFree
    firstFree = Int32(truncatingIfNeeded: index)
    return record
  }

  package var live: [LeaseRecord] { records.filter(\.isLive) }
}
