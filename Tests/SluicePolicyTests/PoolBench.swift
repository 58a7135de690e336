import SluicePolicy
import Testing

/// A machine under test with its own clock. Actions are collected until they are taken; after every event the
/// machine's invariants are checked, and a violation is recorded with the journal.
struct PoolBench {
  var machine: PoolMachine
  var now: Instant
  var actions = ActionList()

  static let start = Instant(nanoseconds: 1_000_000_000_000)

  init(
    _ settings: PoolSettings = .sample(), loops: Int = 2, seed: UInt64 = 1,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    now = Self.start
    machine = PoolMachine(settings: settings, loops: loops, seed: seed, now: now, into: &actions)
    check(sourceLocation)
  }

  func check(_ sourceLocation: SourceLocation) {
    let violations = machine.invariantViolations(now: now)
    if !violations.isEmpty {
      Issue.record("\(violations.joined(separator: "\n"))\n\(machine.journal.dump)", sourceLocation: sourceLocation)
    }
  }

  /// Everything asked for since the last call.
  mutating func take() -> [PoolAction] {
    defer { actions.removeAll() }
    return actions.array
  }

  // MARK: Events

  mutating func acquire(
    loop: Int = 0, priority: PriorityClass = .normal, caller: UInt32 = 0, within: Interval = .seconds(60),
    excluding: EndpointSet = EndpointSet(), pinned: EndpointID? = nil, fresh: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> AcquireOutcome {
    let request = AcquireRequest(
      loop: LoopID(loop), priority: priority, caller: CallerID(rawValue: caller), deadline: now + within,
      arrival: now, excluding: excluding, pinned: pinned, freshOnly: fresh)
    defer { check(sourceLocation) }
    return machine.acquire(request, now: now, into: &actions)
  }

  /// Acquires and expects a grant at once.
  mutating func granted(
    loop: Int = 0, excluding: EndpointSet = EndpointSet(), pinned: EndpointID? = nil, fresh: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Grant {
    let outcome = acquire(
      loop: loop, excluding: excluding, pinned: pinned, fresh: fresh, sourceLocation: sourceLocation)
    guard case .granted(let grant) = outcome else {
      throw BenchError.unexpected("\(outcome)")
    }
    return grant
  }

  /// Acquires and expects to have to wait.
  mutating func queued(
    loop: Int = 0, priority: PriorityClass = .normal, caller: UInt32 = 0, within: Interval = .seconds(60),
    excluding: EndpointSet = EndpointSet(), pinned: EndpointID? = nil, fresh: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> TicketID {
    let outcome = acquire(
      loop: loop, priority: priority, caller: caller, within: within, excluding: excluding, pinned: pinned,
      fresh: fresh, sourceLocation: sourceLocation)
    guard case .queued(let ticket) = outcome else { throw BenchError.unexpected("\(outcome)") }
    return ticket
  }

  @discardableResult
  mutating func release(
    _ grant: Grant, _ report: ExchangeReport = ExchangeReport(result: .success),
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> Bool {
    defer { check(sourceLocation) }
    return machine.release(grant.lease, report, now: now, into: &actions)
  }

  mutating func fail(_ grant: Grant, _ failure: FailureClass, coolFor: Interval? = nil) {
    release(grant, ExchangeReport(result: .failed(failure), coolFor: coolFor))
  }

  mutating func event(
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (inout PoolMachine, Instant, inout ActionList) -> Void
  ) {
    body(&machine, now, &actions)
    check(sourceLocation)
  }

  /// The same for events that say whether they did something.
  mutating func event(
    _ expected: Bool, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (inout PoolMachine, Instant, inout ActionList) -> Bool
  ) {
    let result = body(&machine, now, &actions)
    #expect(result == expected, sourceLocation: sourceLocation)
    check(sourceLocation)
  }

  mutating func expectRelease(
    _ grant: Grant, _ expected: Bool, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    event(expected, sourceLocation: sourceLocation) {
      $0.release(grant.lease, ExchangeReport(result: .success), now: $1, into: &$2)
    }
  }

  mutating func expectCancel(
    _ ticket: TicketID, _ expected: Bool, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    event(expected, sourceLocation: sourceLocation) { $0.cancel(ticket, now: $1, into: &$2) }
  }

  /// Lets time pass, calling at each deadline as a driver would.
  mutating func pass(_ interval: Interval, sourceLocation: SourceLocation = #_sourceLocation) {
    let end = now + interval
    while let next = machine.nextDeadline, next <= end {
      now = Swift.max(now, next)
      machine.deadlineReached(now: now, into: &actions)
      check(sourceLocation)
    }
    now = end
  }

  mutating func opened(
    _ resource: ResourceID, capacity: Int = 1, after: Interval = .milliseconds(1),
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    machine.connectSucceeded(resource, capacity: capacity, connectTime: after, now: now, into: &actions)
    check(sourceLocation)
  }

  mutating func failed(
    _ resource: ResourceID, _ failure: FailureClass = .network, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    machine.connectFailed(resource, failure, now: now, into: &actions)
    check(sourceLocation)
  }

  mutating func closed(
    _ resource: ResourceID, idleFor: Interval? = nil, reason: CloseReason = .remoteClosed,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    machine.resourceClosed(resource, idleFor: idleFor, reason: reason, now: now, into: &actions)
    check(sourceLocation)
  }

  mutating func verified(
    _ resource: ResourceID, alive: Bool, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    machine.verified(resource, alive: alive, now: now, into: &actions)
    check(sourceLocation)
  }

  mutating func heartbeat(
    _ resource: ResourceID, _ report: HeartbeatReport, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    machine.heartbeatFinished(resource, report, now: now, into: &actions)
    check(sourceLocation)
  }

  /// Plays a well-behaved world until nothing is asked any more: connects succeed, closings are confirmed, idle
  /// resources are alive. Returns what happened.
  @discardableResult
  mutating func obey(capacity: Int = 1) -> [PoolAction] {
    var seen: [PoolAction] = []
    while !actions.isEmpty {
      for action in take() {
        seen.append(action)
        switch action {
        case .connect(let resource, _, _, _): opened(resource, capacity: capacity)
        case .close(let resource, _): closed(resource)
        case .verify(let resource, _): verified(resource, alive: true)
        case .probe(let endpoint, _):
          event { $0.probeFinished(endpoint, .success(latency: .milliseconds(1)), now: $1, into: &$2) }
        case .heartbeat(let resource, _, _, _):
          heartbeat(resource, HeartbeatReport(.success(latency: .milliseconds(1)), carried: true))
        case .grant, .reject, .armDeadline, .emit: break
        }
      }
    }
    return seen
  }

  /// Lets time pass in a well-behaved world.
  @discardableResult
  mutating func live(_ interval: Interval, sourceLocation: SourceLocation = #_sourceLocation) -> [PoolAction] {
    let end = now + interval
    var seen = obey()
    while let next = machine.nextDeadline, next <= end {
      now = Swift.max(now, next)
      machine.deadlineReached(now: now, into: &actions)
      check(sourceLocation)
      seen += obey()
    }
    now = end
    return seen
  }

  /// Opens `count` resources by acquiring at once and releasing.
  mutating func warm(_ count: Int, loop: Int = 0, capacity: Int = 1) throws {
    var grants: [Grant] = []
    for _ in 0..<count {
      switch acquire(loop: loop) {
      case .granted(let grant): grants.append(grant)
      case .queued: grants += obey(capacity: capacity).grants
      case .rejected(let rejection): throw BenchError.unexpected("\(rejection)")
      }
    }
    for grant in grants { release(grant) }
    obey(capacity: capacity)
  }

  var snapshot: PoolSnapshot { machine.snapshot(now: now) }
}

enum BenchError: Error {
  case unexpected(String)
}

extension [PoolAction] {
  var connects: [ResourceID] { compactMap { if case .connect(let id, _, _, _) = $0 { id } else { nil } } }
  var connectLoops: [Int] { compactMap { if case .connect(_, _, let loop, _) = $0 { loop.index } else { nil } } }
  var connectOrigins: [OriginID] { compactMap { if case .connect(_, let id, _, _) = $0 { id } else { nil } } }
  var closes: [ResourceID] { compactMap { if case .close(let id, _) = $0 { id } else { nil } } }
  var closeReasons: [CloseReason] { compactMap { if case .close(_, let reason) = $0 { reason } else { nil } } }
  var verifies: [ResourceID] { compactMap { if case .verify(let id, _) = $0 { id } else { nil } } }
  var heartbeats: [ResourceID] { compactMap { if case .heartbeat(let id, _, _, _) = $0 { id } else { nil } } }
  var witnesses: [EndpointID] { compactMap { if case .heartbeat(_, let id, _, _) = $0 { id } else { nil } } }
  var scopes: [HeartbeatScope] { compactMap { if case .heartbeat(_, _, let scope, _) = $0 { scope } else { nil } } }
  var probes: [EndpointID] { compactMap { if case .probe(let id, _) = $0 { id } else { nil } } }
  var grants: [Grant] { compactMap { if case .grant(_, let grant) = $0 { grant } else { nil } } }
  var grantedTickets: [TicketID] { compactMap { if case .grant(let id, _) = $0 { id } else { nil } } }
  var rejections: [PoolRejection] { compactMap { if case .reject(_, let why) = $0 { why } else { nil } } }
  var rejectedTickets: [TicketID] { compactMap { if case .reject(let id, _) = $0 { id } else { nil } } }
  var events: [PoolEvent] { compactMap { if case .emit(let event) = $0 { event } else { nil } } }
  var deadlines: [Instant] { compactMap { if case .armDeadline(let at) = $0 { at } else { nil } } }
}

extension PoolSettings {
  /// `endpoints` per origin; lazy, no warm keeping and no jitter unless a test asks for it.
  static func sample(
    origins: Int = 1, endpoints: Int = 1, max: Int = 4, _ change: (inout PoolSettings) -> Void = { _ in }
  ) -> PoolSettings {
    var settings = PoolSettings(
      name: "sample",
      origins: (0..<origins).map { OriginSettings(identity: "origin\($0)", name: "o\($0)") },
      endpoints: (0..<origins).flatMap { origin in
        (0..<endpoints).map {
          EndpointSettings(identity: "origin\(origin)/key\($0)", name: "o\(origin)k\($0)", origin: origin)
        }
      })
    settings.connections.max = max
    settings.connections.keepWarm = .zero
    settings.connections.jitter = 0
    settings.health.probeIdle = false
    change(&settings)
    return settings
  }
}
