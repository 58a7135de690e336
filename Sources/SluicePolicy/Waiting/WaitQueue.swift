/// Where requests wait: bounded; four classes; ageing; fair between callers; earliest deadline first.
///
/// Order of service: higher class; then the caller who had fewer turns since both wait (rounds, as in start-time
/// fair queueing with equal costs: Goyal, Vin, Cheng 1997); then earlier deadline; then arrival. With one caller that
/// is plainly earliest deadline first. A ticket that waited for `ageing` in its class moves up by one.
///
/// Tickets that any slot can serve ("unrestricted") are kept in heaps, since their first one is always the right
/// one. Restricted ones (pinned, excluding, fresh only) are in a plain list that is searched: they are few, and
/// which of them a slot can serve depends on the slot. Taking a ticket out costs constant time: its nodes are left
/// behind and dropped later, never more than about half of a heap.
///
/// Invariants: `count` is the number of live tickets and never above the capacity; the four class counts add up to
/// it; each live ticket is in the age list of its class and belongs to one flow of that class.
package struct WaitQueue: Sendable {
  struct Level: Sendable {
    var oldest: Int32 = -1
    var youngest: Int32 = -1
    var count = 0
    /// Round of the last one served in its turn.
    var round: UInt64 = 0
    /// Grows whenever the class is empty: a class without tickets owes nobody anything.
    var epoch: UInt64 = 0
    /// Heap of the flows that have nodes.
    var flows: [Int32] = []
  }

  package private(set) var count = 0
  /// Live tickets by the class they came with.
  package private(set) var waiting = WaitingCounts()
  package private(set) var freshOnlyCount = 0
  package private(set) var restricted: [Int32] = []
  var tickets: [Ticket] = []
  private var freeTickets: [Int32] = []
  var flows: [Flow] = []
  private var freeFlows: [Int32] = []
  var flowsByKey: [UInt64: Int32] = [:]
  var levels: [Level] = Array(repeating: Level(), count: PriorityClass.allCases.count)
  private var sequence: UInt64 = 0
  private var capacity = 0
  private var ageing = Interval.max
  private var reserved = WaitingCounts()

  package init(_ settings: QueueSettings) {
    configure(settings)
  }

  /// Changes the bounds. Tickets beyond a smaller capacity stay; new ones are refused until there is room.
  package mutating func configure(_ settings: QueueSettings) {
    capacity = settings.capacity
    ageing = settings.ageing
    for priority in PriorityClass.allCases {
      reserved[priority] = Int(Double(settings.capacity) * settings.reserved[priority])
    }
  }

  package subscript(index: Int) -> Ticket {
    _read { yield tickets[index] }
  }

  package var indices: Range<Int> { tickets.indices }
  package var isEmpty: Bool { count == 0 }
  package var unrestrictedCount: Int { count - restricted.count }

  package func id(_ index: Int) -> TicketID {
    TicketID(index: UInt32(truncatingIfNeeded: index), generation: tickets[index].generation)
  }

  package func resolve(_ id: TicketID) -> Int? {
    let index = Int(id.index)
    guard index < tickets.count, tickets[index].isLive, tickets[index].generation == id.generation else { return nil }
    return index
  }

  /// Arrival of the ticket that has waited longest; looks at all of them.
  package var oldestArrival: Instant? {
    var oldest: Instant?
    for ticket in tickets where ticket.isLive && ticket.request.arrival < oldest ?? .distantFuture {
      oldest = ticket.request.arrival
    }
    return oldest
  }

  // MARK: Coming and going

  /// Room for one more of this class, leaving the other classes what is reserved for them.
  package func hasRoom(for priority: PriorityClass) -> Bool {
    var kept = 0
    for other in PriorityClass.allCases where other != priority {
      kept += Swift.max(0, reserved[other] - waiting[other])
    }
    return count + kept < capacity
  }

  /// Lets a request wait; the caller has asked for room.
  package mutating func enqueue(_ request: AcquireRequest, now: Instant) -> Int {
    let index = takeIndex(request)
    sequence += 1
    tickets[index].isLive = true
    tickets[index].sequence = sequence
    count += 1
    waiting[request.priority] += 1
    if request.freshOnly { freshOnlyCount += 1 }
    if request.isRestricted {
      tickets[index].restrictedPlace = Int32(truncatingIfNeeded: restricted.count)
      restricted.append(Int32(truncatingIfNeeded: index))
    }
    join(index, level: request.priority.index, at: now, after: levels[request.priority.index].youngest)
    return index
  }

  package mutating func setDeadline(_ index: Int, _ token: DeadlineHeap.Token) { tickets[index].deadline = token }

  package mutating func takeDeadline(_ index: Int) -> DeadlineHeap.Token {
    let token = tickets[index].deadline
    tickets[index].deadline = .none
    return token
  }

  /// Takes a ticket out; `served` counts it as its caller's turn.
  package mutating func remove(_ index: Int, served: Bool) {
    precondition(tickets[index].isLive, "a ticket ends once")
    if served { countTurn(index) }
    let request = tickets[index].request
    count -= 1
    waiting[request.priority] -= 1
    if request.freshOnly { freshOnlyCount -= 1 }
    tickets[index].isLive = false
    tickets[index].generation &+= 1
    if tickets[index].restrictedPlace >= 0 { removeRestricted(index) }
    part(index)
    freeTickets.append(Int32(truncatingIfNeeded: index))
  }

  // MARK: Order

  /// Lifts every ticket that has been in its class for too long, as if each had been lifted when it was due: nobody
  /// looks at the queue while nothing can be served, and nobody shall lose by that.
  package mutating func age(_ now: Instant) {
    var level = levels.count - 1
    while level > 0 {
      lift(from: level, now)
      level -= 1
    }
  }

  /// Youngest first, so that one walk through the better class finds everybody's place among those who came since.
  private mutating func lift(from level: Int, _ now: Instant) {
    var due: Int32 = -1
    var next = levels[level].oldest
    while next >= 0, now - tickets[Int(next)].leveledAt >= ageing {
      due = next
      next = tickets[Int(next)].younger
    }
    var place = levels[level - 1].youngest
    while due >= 0 {
      let index = Int(due)
      let liftedAt = tickets[index].leveledAt + ageing
      due = tickets[index].older
      while place >= 0, tickets[Int(place)].leveledAt > liftedAt { place = tickets[Int(place)].older }
      part(index)
      join(index, level: level - 1, at: liftedAt, after: place)
    }
  }

  /// The ticket to serve next among those that any slot can serve.
  package mutating func head() -> Int? {
    for level in levels.indices {
      if let index = head(of: level) { return index }
    }
    return nil
  }

  /// Whether one ticket is to be served before another.
  package func precedes(_ left: Int, _ right: Int) -> Bool {
    let a = tickets[left]
    let b = tickets[right]
    if a.level != b.level { return a.level < b.level }
    let roundA = flows[Int(a.flow)].round
    let roundB = flows[Int(b.flow)].round
    if roundA != roundB { return roundA < roundB }
    if a.request.deadline != b.request.deadline { return a.request.deadline < b.request.deadline }
    return a.sequence < b.sequence
  }

  /// The restricted ticket to serve next among those that `isFeasible` lets through.
  package func firstRestricted(where isFeasible: (AcquireRequest) -> Bool) -> Int? {
    var best: Int?
    for index in restricted where isFeasible(tickets[Int(index)].request) {
      if best.map({ precedes(Int(index), $0) }) ?? true { best = Int(index) }
    }
    return best
  }

  private mutating func head(of level: Int) -> Int? {
    while let flow = levels[level].flows.first.map({ Int($0) }) {
      let before = flows[flow].nodes[0].sequence
      while let node = flows[flow].nodes.first, !isCurrent(node, flow) { flows[flow].dropRoot() }
      guard let node = flows[flow].nodes.first else { preconditionFailure("a flow in the heap has a live node") }
      if node.sequence == before { return Int(node.ticket) }
      siftDown(level, 0)
    }
    return nil
  }

  private func isCurrent(_ node: Flow.Node, _ flow: Int) -> Bool {
    let ticket = tickets[Int(node.ticket)]
    return ticket.isLive && ticket.generation == node.generation && Int(ticket.flow) == flow
  }

  // MARK: Classes and flows

  private mutating func join(_ index: Int, level: Int, at: Instant, after older: Int32) {
    tickets[index].level = UInt8(truncatingIfNeeded: level)
    tickets[index].leveledAt = at
    link(Int32(truncatingIfNeeded: index), level, after: older)
    let flow = self.flow(level, tickets[index].request.caller)
    tickets[index].flow = Int32(truncatingIfNeeded: flow)
    flows[flow].live += 1
    if tickets[index].restrictedPlace < 0 { pushNode(index, flow, level) }
  }

  /// Into the list of a class, behind `older` (-1: in front).
  private mutating func link(_ node: Int32, _ level: Int, after older: Int32) {
    let younger = older >= 0 ? tickets[Int(older)].younger : levels[level].oldest
    tickets[Int(node)].older = older
    tickets[Int(node)].younger = younger
    if older >= 0 { tickets[Int(older)].younger = node } else { levels[level].oldest = node }
    if younger >= 0 { tickets[Int(younger)].older = node } else { levels[level].youngest = node }
    levels[level].count += 1
  }

  private mutating func part(_ index: Int) {
    let level = Int(tickets[index].level)
    let older = tickets[index].older
    let younger = tickets[index].younger
    if older >= 0 { tickets[Int(older)].younger = younger } else { levels[level].oldest = younger }
    if younger >= 0 { tickets[Int(younger)].older = older } else { levels[level].youngest = older }
    levels[level].count -= 1
    leaveFlow(index, level)
    if levels[level].count == 0 { levels[level].epoch += 1 }
  }

  private mutating func pushNode(_ index: Int, _ flow: Int, _ level: Int) {
    let ticket = tickets[index]
    flows[flow].push(
      Flow.Node(
        deadline: ticket.request.deadline, sequence: ticket.sequence,
        ticket: UInt32(truncatingIfNeeded: index), generation: ticket.generation))
    if flows[flow].place < 0 {
      flows[flow].place = levels[level].flows.count
      levels[level].flows.append(Int32(truncatingIfNeeded: flow))
    }
    siftUp(level, flows[flow].place)
  }

  private mutating func leaveFlow(_ index: Int, _ level: Int) {
    let flow = Int(tickets[index].flow)
    tickets[index].flow = -1
    flows[flow].live -= 1
    guard tickets[index].restrictedPlace < 0 else { return }
    flows[flow].liveNodes -= 1
    if flows[flow].liveNodes == 0 {
      flows[flow].nodes.removeAll(keepingCapacity: true)
      removeFlow(at: flows[flow].place, level)
    } else if flows[flow].nodes.count > 2 * flows[flow].liveNodes + 16 {
      let tickets = tickets
      flows[flow].keep { node in
        let ticket = tickets[Int(node.ticket)]
        return ticket.isLive && ticket.generation == node.generation && Int(ticket.flow) == flow
      }
      siftDown(level, flows[flow].place)
    }
  }

  private mutating func countTurn(_ index: Int) {
    let flow = Int(tickets[index].flow)
    let level = Int(tickets[index].level)
    // A restricted one may be served long before its turn: those who come now start beside those who still wait.
    let first = levels[level].flows.first.map { flows[Int($0)].round } ?? .max
    levels[level].round = Swift.max(levels[level].round, Swift.min(first, flows[flow].round))
    flows[flow].round += 1
    if flows[flow].place >= 0 { siftDown(level, flows[flow].place) }
  }

  /// The caller's flow in a class; a newcomer starts where the others are by now.
  private mutating func flow(_ level: Int, _ caller: CallerID) -> Int {
    let key = UInt64(level) << 32 | UInt64(caller.rawValue)
    if let known = flowsByKey[key] {
      let flow = Int(known)
      if flows[flow].live == 0 { refresh(flow, level) }
      return flow
    }
    if flowsByKey.count > 2 * count + 64 { sweepFlows() }
    let flow: Int
    if let free = freeFlows.popLast() {
      flow = Int(free)
    } else {
      flows.append(Flow())
      flow = flows.count - 1
    }
    flows[flow].key = key
    flows[flow].round = levels[level].round
    flows[flow].epoch = levels[level].epoch
    flowsByKey[key] = Int32(truncatingIfNeeded: flow)
    return flow
  }

  /// A caller who comes back keeps its turns as long as others have been waiting all the time.
  private mutating func refresh(_ flow: Int, _ level: Int) {
    let isCurrent = flows[flow].epoch == levels[level].epoch
    flows[flow].round = isCurrent ? Swift.max(flows[flow].round, levels[level].round) : levels[level].round
    flows[flow].epoch = levels[level].epoch
  }

  /// Flows without tickets are only remembered while they are few.
  private mutating func sweepFlows() {
    for flow in flowsByKey.values where flows[Int(flow)].live == 0 { freeFlows.append(flow) }
    flowsByKey = flowsByKey.filter { flows[Int($0.value)].live > 0 }
  }

  private mutating func takeIndex(_ request: AcquireRequest) -> Int {
    guard let free = freeTickets.popLast() else {
      tickets.append(Ticket(request: request))
      return tickets.count - 1
    }
    let index = Int(free)
    let generation = tickets[index].generation
    tickets[index] = Ticket(generation: generation, request: request)
    return index
  }

  private mutating func removeRestricted(_ index: Int) {
    let place = Int(tickets[index].restrictedPlace)
    let last = restricted.removeLast()
    if Int(last) != index {
      restricted[place] = last
      tickets[Int(last)].restrictedPlace = Int32(truncatingIfNeeded: place)
    }
  }

  // MARK: Heap of flows

  private func flowPrecedes(_ left: Int32, _ right: Int32) -> Bool {
    let a = Int(left)
    let b = Int(right)
    if flows[a].round != flows[b].round { return flows[a].round < flows[b].round }
    return flows[a].nodes[0].precedes(flows[b].nodes[0])
  }

  private mutating func removeFlow(at place: Int, _ level: Int) {
    let flow = Int(levels[level].flows[place])
    flows[flow].place = -1
    let last = levels[level].flows.removeLast()
    guard Int(last) != flow else { return }
    levels[level].flows[place] = last
    flows[Int(last)].place = place
    siftUp(level, place)
    siftDown(level, flows[Int(last)].place)
  }

  private mutating func siftUp(_ level: Int, _ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard flowPrecedes(levels[level].flows[child], levels[level].flows[parent]) else { break }
      swapFlows(level, child, parent)
      child = parent
    }
  }

  private mutating func siftDown(_ level: Int, _ start: Int) {
    var parent = start
    while true {
      var child = 2 * parent + 1
      let count = levels[level].flows.count
      guard child < count else { break }
      if child + 1 < count, flowPrecedes(levels[level].flows[child + 1], levels[level].flows[child]) { child += 1 }
      guard flowPrecedes(levels[level].flows[child], levels[level].flows[parent]) else { break }
      swapFlows(level, child, parent)
      parent = child
    }
  }

  private mutating func swapFlows(_ level: Int, _ one: Int, _ other: Int) {
    levels[level].flows.swapAt(one, other)
    flows[Int(levels[level].flows[one])].place = one
    flows[Int(levels[level].flows[other])].place = other
  }
}
