import SluicePolicy
import Testing

/// Every sequence of up to six events on a tiny pool (two resources, two waiting tickets), each taken from all events
/// that make sense or none at all in that state: answers in every order, late, twice, or never.
@Suite struct ExhaustiveTests {
  enum Step: CaseIterable {
    case acquire, acquireFresh, releaseOldest, releaseBroken, cancel, openOldest, openNewest, failOldest, confirmClose
    case dieOldest, verifyAlive, verifyDead, passBriefly, passLong, staleRelease
  }

  /// What the outside remembers.
  struct World {
    var bench: PoolBench
    var connecting: [ResourceID] = []
    var closing: [ResourceID] = []
    var verifying: [ResourceID] = []
    var lent: [Grant] = []
    var tickets: [TicketID] = []
    var ended: [LeaseID] = []

    mutating func absorb(_ outcome: AcquireOutcome? = nil) throws {
      switch outcome {
      case .granted(let grant): lent.append(grant)
      case .queued(let ticket): tickets.append(ticket)
      case .rejected, nil: break
      }
      for action in bench.take() {
        switch action {
        case .connect(let resource, _, _, _): connecting.append(resource)
        case .close(let resource, _):
          if !closing.contains(resource) { closing.append(resource) }
          verifying.removeAll { $0 == resource }
        case .verify(let resource, _): verifying.append(resource)
        case .grant(let ticket, let grant):
          try end(ticket)
          lent.append(grant)
        case .reject(let ticket, _): try end(ticket)
        case .probe, .heartbeat, .armDeadline, .emit: break
        }
      }
      let perResource = Dictionary(grouping: lent, by: \.resource)
      if perResource.values.contains(where: { $0.count > 1 }) { throw BenchError.unexpected("lent twice") }
    }

    /// A ticket ends once.
    mutating func end(_ ticket: TicketID) throws {
      guard let place = tickets.firstIndex(of: ticket) else { throw BenchError.unexpected("\(ticket) ended twice") }
      tickets.remove(at: place)
    }

    /// Performs the step; `false` if there is nothing to perform it on.
    mutating func perform(_ step: Step) throws -> Bool {
      switch step {
      case .acquire, .acquireFresh:
        guard tickets.count < 2 else { return false }
        let outcome = bench.acquire(loop: tickets.count, within: .seconds(4), fresh: step == .acquireFresh)
        try absorb(outcome)
      case .releaseOldest, .releaseBroken:
        guard !lent.isEmpty else { return false }
        let grant = lent.removeFirst()
        ended.append(grant.lease)
        let report = ExchangeReport(
          result: step == .releaseBroken ? .failed(.network) : .success,
          fate: step == .releaseBroken ? .close(.broken) : .reusable)
        guard bench.release(grant, report) else { throw BenchError.unexpected("a live lease was refused") }
        try absorb()
      case .staleRelease:
        guard let lease = ended.last else { return false }
        if bench.machine.release(lease, .unused, now: bench.now, into: &bench.actions) {
          throw BenchError.unexpected("released twice")
        }
        try absorb()
      case .cancel:
        guard let ticket = tickets.first else { return false }
        guard bench.machine.cancel(ticket, now: bench.now, into: &bench.actions) else {
          throw BenchError.unexpected("a live ticket was refused")
        }
        try end(ticket)
        bench.check(#_sourceLocation)
        try absorb()
      case .openOldest, .openNewest, .failOldest:
        guard !connecting.isEmpty else { return false }
        let resource = step == .openNewest ? connecting.removeLast() : connecting.removeFirst()
        if step == .failOldest { bench.failed(resource) } else { bench.opened(resource) }
        try absorb()
      case .confirmClose:
        guard !closing.isEmpty else { return false }
        bench.closed(closing.removeFirst())
        try absorb()
      case .dieOldest:
        guard let grant = lent.first else { return false }
        bench.closed(grant.resource)
        try absorb()
      case .verifyAlive, .verifyDead:
        guard !verifying.isEmpty else { return false }
        bench.verified(verifying.removeFirst(), alive: step == .verifyAlive)
        try absorb()
      case .passBriefly, .passLong:
        bench.pass(step == .passLong ? .seconds(7) : .milliseconds(1100))
        try absorb()
      }
      return true
    }
  }

  private func explore(_ world: World, depth: Int, path: [Step], _ visited: inout Int) throws {
    if depth == 0 { return }
    for step in Step.allCases {
      var next = world
      do {
        guard try next.perform(step) else { continue }
      } catch {
        Issue.record("\(path + [step]): \(error)\n\(next.bench.machine.journal.dump)")
        return
      }
      visited += 1
      try explore(next, depth: depth - 1, path: path + [step], &visited)
    }
  }

  /// Beginnings from which five or six further events reach everything.
  enum Beginning: CaseIterable, Sendable {
    case empty, oneIdle, bothLent, lentAndWaiting
  }

  @Test(arguments: Beginning.allCases)
  func everyInterleaving(from beginning: Beginning) throws {
    var world = World(
      bench: PoolBench(
        .sample(max: 2) {
          $0.queue.capacity = 2
          $0.queue.reserved = ClassShares(critical: 0, high: 0, normal: 0, low: 0)
          $0.connections.closeGrace = .seconds(5)
          $0.journalEntries = 64
        }, loops: 2))
    let steps: [Step] =
      switch beginning {
      case .empty: []
      case .oneIdle: [.acquire, .openOldest, .releaseOldest]
      case .bothLent: [.acquire, .acquire, .openOldest, .openOldest]
      case .lentAndWaiting: [.acquire, .acquire, .openOldest, .openOldest, .acquire, .acquire]
      }
    for step in steps { #expect(try world.perform(step)) }
    var visited = 0
    let depth = steps.count > 3 ? 5 : 6
    try explore(world, depth: depth, path: steps, &visited)
    #expect(visited > 1000)
  }
}
