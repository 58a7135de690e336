/// The resources of a pool and the only code that changes their state.
///
/// Idle and shared resources are in a list per origin and loop, connecting and verifying ones in one per origin; the
/// others are in none, since nobody looks for them and they come and go with every exchange. Lists are links inside
/// the records. Counts per origin, loop and state are kept beside them.
/// An index is reused only after its resource is gone, with another generation. Idle lists are sorted by trust, latest
/// first, so that their first one speaks for all.
///
/// Invariants: a record is linked in the list its state says, if any; `idle` has nothing lent and room, `shared` something
/// lent and room, `full` no room, `verifying` and `connecting` nothing lent; counts equal the lists' lengths; no idle
/// resource is trusted later than the one before it.
package struct SlotTable: Sendable {
  struct List: Sendable {
    var first: Int32 = -1
    var last: Int32 = -1
    var count: Int32 = 0
    /// Takes from this list since the last turn.
    var takes: UInt32 = 0
  }

  /// Every so many takes, or as many as there are idle ones if that is more, the coldest idle resource goes first, so
  /// that each one is touched now and then.
  package static let turnEvery: UInt32 = 32

  package let loops: Int
  var records: [SlotRecord] = []
  var freeIndices: [Int32] = []
  /// Per origin: `loops` idle lists, `loops` shared lists, one for connecting, one for verifying.
  var lists: [List] = []
  let stride: Int
  var stateCounts: [Int32] = []
  var loopCounts: [Int32] = []
  var leasedCounts: [Int32] = []
  var originCounts: [Int32] = []
  /// What the open resources of an origin carry, lent or not; draining ones not counted.
  var rooms: [SlotRoom] = []
  package private(set) var totals = SlotTotals()
  package internal(set) var turnCandidate: Int?

  package init(loops: Int) {
    self.loops = loops
    self.stride = 2 * loops + 2
  }

  /// Makes room for origins up to `position`.
  package mutating func ensureOrigin(_ position: Int) {
    while leasedCounts.count <= position {
      lists.append(contentsOf: repeatElement(List(), count: stride))
      stateCounts.append(contentsOf: repeatElement(0, count: SlotState.count))
      loopCounts.append(contentsOf: repeatElement(0, count: loops))
      leasedCounts.append(0)
      originCounts.append(0)
      rooms.append(SlotRoom())
    }
  }

  // MARK: Looking

  /// All indices that were ever used.
  package var indices: Range<Int> { records.indices }

  package subscript(index: Int) -> SlotRecord {
    _read { yield records[index] }
  }

  /// The index behind a handle, unless the resource is gone.
  @inline(__always)
  package func resolve(_ id: ResourceID) -> Int? {
    let index = Int(id.index)
    guard index < records.count, records[index].generation == id.generation, records[index].state != .free else {
      return nil
    }
    return index
  }

  package func id(_ index: Int) -> ResourceID {
    ResourceID(index: UInt32(truncatingIfNeeded: index), generation: records[index].generation)
  }

  package func count(_ origin: Int, _ state: SlotState) -> Int {
    Int(stateCounts[origin * SlotState.count + Int(state.rawValue)])
  }

  /// Everything of an origin that exists, closing included.
  package func total(_ origin: Int) -> Int { Int(originCounts[origin]) }

  /// Open or being opened, and to stay.
  package func staying(_ origin: Int) -> Int {
    count(origin, .connecting) + open(origin)
  }

  /// Open and to stay.
  package func open(_ origin: Int) -> Int {
    count(origin, .idle) + count(origin, .shared) + count(origin, .full) + count(origin, .verifying)
  }

  /// What the open resources of an origin carry, lent or not.
  package func room(_ origin: Int) -> SlotRoom { rooms[origin] }

  /// Slots lent, on resources that still exist.
  package func leased(_ origin: Int) -> Int { Int(leasedCounts[origin]) }

  /// Resources of an origin at home on a loop.
  package func count(_ origin: Int, loop: Int) -> Int { Int(loopCounts[origin * loops + loop]) }

  /// The loop with the fewest resources of an origin.
  package func emptiestLoop(_ origin: Int) -> Int {
    var best = 0
    for loop in 1..<Swift.max(loops, 1) where count(origin, loop: loop) < count(origin, loop: best) { best = loop }
    return best
  }

  /// A resource that opens or is being verified on this loop.
  package func hasSupply(_ origin: Int, loop: Int) -> Bool {
    for list in 0..<2 {
      var index = lists[origin * stride + 2 * loops + list].first
      while index >= 0 {
        if Int(records[Int(index)].loop) == loop { return true }
        index = records[Int(index)].next
      }
    }
    return false
  }

  // MARK: Moving

  /// A resource that is to be opened.
  package mutating func add(origin: Int, loop: Int, now: Instant) -> Int {
    let index = takeIndex()
    records[index].origin = UInt16(truncatingIfNeeded: origin)
    records[index].loop = UInt16(truncatingIfNeeded: loop)
    records[index].expiresAt = now
    loopCounts[origin * loops + loop] += 1
    originCounts[origin] += 1
    enter(index, .connecting)
    return index
  }

  /// Connecting → open.
  package mutating func opened(_ index: Int, capacity: Int, expiresAt: Instant, spread: Float, now: Instant) {
    precondition(records[index].state == .connecting, "only a connecting resource opens")
    leave(index)
    records[index].capacity = Int32(clamping: Swift.max(capacity, 0))
    records[index].expiresAt = expiresAt
    records[index].spread = spread
    records[index].lastUsed = now
    records[index].lastTrusted = now
    records[index].wantedAt = now
    rooms[Int(records[index].origin)].add(records[index].capacity, 1)
    enter(index, openState(index))
  }

  /// Lends one slot.
  @inline(__always)
  package mutating func lease(_ index: Int) {
    precondition(records[index].state == .idle || records[index].state == .shared, "only an open resource is lent")
    records[index].leased += 1
    leasedCounts[Int(records[index].origin)] += 1
    totals.leasedSlots += 1
    settle(index)
  }

  /// Takes one slot back.
  @inline(__always)
  package mutating func unlease(_ index: Int, used: Bool, now: Instant) {
    precondition(records[index].leased > 0, "a slot returns once")
    records[index].takeBack(used: used, now)
    leasedCounts[Int(records[index].origin)] -= 1
    totals.leasedSlots -= 1
    settle(index)
  }

  package mutating func setCapacity(_ index: Int, _ capacity: Int) {
    loseRoom(index)
    defer { gainRoom(index) }
    records[index].capacity = Int32(clamping: Swift.max(capacity, 0))
    settle(index)
  }

  /// Idle → verifying.
  package mutating func startVerifying(_ index: Int, turn: Bool = false, beating: Bool = false) {
    precondition(records[index].state == .idle, "only an idle resource is verified")
    leave(index)
    records[index].turning = turn
    records[index].isBeating = beating
    enter(index, .verifying)
  }

  /// The heartbeat is over or does not matter any more; the resource stays under verification.
  package mutating func stopBeating(_ index: Int) { records[index].isBeating = false }

  /// Verifying → open; the next one to be lent, since it is now the one best known to work. A heartbeat is no demand,
  /// but a call that it carried makes the remote side count its idle time anew.
  package mutating func verified(_ index: Int, beating: Bool = false, used: Bool = false, now: Instant) {
    precondition(records[index].state == .verifying, "only a resource under verification passes it")
    leave(index)
    records[index].lastTrusted = now
    if beating { records[index].lastBeat = now }
    if used { records[index].lastUsed = now }
    let turning = records[index].turning
    records[index].turning = false
    enter(index, openState(index))
    if turning, records[index].state == .idle { shiftStamps(listIndex(index)) }
  }

  /// Open and lent → draining.
  package mutating func startDraining(_ index: Int, _ reason: CloseReason) {
    precondition(records[index].leased > 0, "only a lent resource drains")
    loseRoom(index)
    leave(index)
    records[index].closeReason = reason
    enter(index, .draining)
  }

  /// Anything → closing.
  package mutating func startClosing(_ index: Int, _ reason: CloseReason) {
    precondition(records[index].state != .free && records[index].state != .closing, "closes once")
    loseRoom(index)
    leave(index)
    records[index].closeReason = reason
    enter(index, .closing)
  }

  /// The resource is gone. What is lent of it ends with its own release.
  package mutating func remove(_ index: Int) {
    precondition(records[index].state != .free, "is removed once")
    let origin = Int(records[index].origin)
    loseRoom(index)
    leave(index)
    loopCounts[origin * loops + Int(records[index].loop)] -= 1
    originCounts[origin] -= 1
    leasedCounts[origin] -= records[index].leased
    totals.leasedSlots -= Int(records[index].leased)
    let generation = records[index].generation &+ 1
    records[index] = SlotRecord()
    records[index].generation = generation
    freeIndices.append(Int32(truncatingIfNeeded: index))
  }

  package mutating func setDeadline(_ index: Int, _ token: DeadlineHeap.Token) { records[index].deadline = token }

  package mutating func takeDeadline(_ index: Int) -> DeadlineHeap.Token {
    let token = records[index].deadline
    records[index].deadline = .none
    return token
  }

  // MARK: Lists

  @inline(__always)
  func openState(_ index: Int) -> SlotState {
    let leased = records[index].leased
    if leased >= records[index].capacity { return .full }
    return leased == 0 ? .idle : .shared
  }

  /// Puts an open resource where its numbers say it belongs.
  @inline(__always)
  private mutating func settle(_ index: Int) {
    let state = records[index].state
    guard state == .idle || state == .shared || state == .full else { return }
    let wanted = openState(index)
    if wanted == state { return }
    leave(index)
    enter(index, wanted)
  }

  private mutating func loseRoom(_ index: Int) {
    if records[index].state.isOpen { rooms[Int(records[index].origin)].add(records[index].capacity, -1) }
  }

  private mutating func gainRoom(_ index: Int) {
    if records[index].state.isOpen { rooms[Int(records[index].origin)].add(records[index].capacity, 1) }
  }

  private mutating func takeIndex() -> Int {
    if let index = freeIndices.popLast() { return Int(index) }
    records.append(SlotRecord())
    return records.count - 1
  }

  @inline(__always)
  func listIndex(_ index: Int) -> Int {
    let base = Int(records[index].origin) * stride
    switch records[index].state {
    case .idle: return base + Int(records[index].loop)
    case .shared: return base + loops + Int(records[index].loop)
    case .connecting: return base + 2 * loops
    case .verifying: return base + 2 * loops + 1
    case .free, .full, .draining, .closing: return -1
    }
  }

  @inline(__always)
  private mutating func enter(_ index: Int, _ state: SlotState) {
    records[index].state = state
    stateCounts[Int(records[index].origin) * SlotState.count + Int(state.rawValue)] += 1
    totals.add(state, 1)
    let list = listIndex(index)
    if list >= 0 { link(index, list) }
  }

  @inline(__always)
  private mutating func leave(_ index: Int) {
    let state = records[index].state
    stateCounts[Int(records[index].origin) * SlotState.count + Int(state.rawValue)] -= 1
    totals.add(state, -1)
    let list = listIndex(index)
    if list >= 0 { unlink(index, list) }
  }

  @inline(__always)
  private mutating func link(_ index: Int, _ list: Int) {
    let first = lists[list].first
    if first >= 0, records[index].state == .idle, records[Int(first)].lastTrusted > records[index].lastTrusted {
      return linkByTrust(index, list)
    }
    lists[list].count += 1
    records[index].previous = -1
    records[index].next = first
    let node = Int32(truncatingIfNeeded: index)
    if first >= 0 { records[Int(first)].previous = node } else { lists[list].last = node }
    lists[list].first = node
  }

  /// It came back unused, or had no room for a while: behind those that are known to have worked since.
  @inline(never)
  private mutating func linkByTrust(_ index: Int, _ list: Int) {
    var previous = Int(lists[list].first)
    while records[previous].next >= 0,
      records[Int(records[previous].next)].lastTrusted > records[index].lastTrusted
    {
      previous = Int(records[previous].next)
    }
    let node = Int32(truncatingIfNeeded: index)
    let next = records[previous].next
    lists[list].count += 1
    records[index].previous = Int32(truncatingIfNeeded: previous)
    records[index].next = next
    records[previous].next = node
    if next >= 0 { records[Int(next)].previous = node } else { lists[list].last = node }
  }

  @inline(__always)
  private mutating func unlink(_ index: Int, _ list: Int) {
    let next = records[index].next
    let previous = records[index].previous
    lists[list].count -= 1
    if previous >= 0 { records[Int(previous)].next = next } else { lists[list].first = next }
    if next >= 0 { records[Int(next)].previous = previous } else { lists[list].last = previous }
  }
}

/// Resources of the whole pool by state, and slots lent on them.
package struct SlotTotals: Hashable, Sendable {
  package var connecting = 0
  package var idle = 0
  package var shared = 0
  package var full = 0
  package var verifying = 0
  package var draining = 0
  package var closing = 0
  package var leasedSlots = 0

  package var all: Int { connecting + idle + shared + full + verifying + draining + closing }

  @inline(__always)
  package mutating func add(_ state: SlotState, _ delta: Int) {
    switch state {
    case .free: break
    case .connecting: connecting += delta
    case .idle: idle += delta
    case .shared: shared += delta
    case .full: full += delta
    case .verifying: verifying += delta
    case .draining: draining += delta
    case .closing: closing += delta
    }
  }
}
