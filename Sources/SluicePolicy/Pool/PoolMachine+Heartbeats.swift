/// Heartbeats: while nobody uses an origin that is kept warm, a free call on its warm resource proves path and
/// credential, so that the next caller does not find out that either is gone.
///
/// Per origin:
/// ```
/// unwatched ─ first use, or a minimum that opened ─▶ watched ◀────────────┐
///     ▲                                               │ silent for long   │ answered, failed, unanswered,
///     └─ not to be kept warm any more ────────────────┤                   │ or the resource went
///                                                     └──▶ beating ───────┘
/// ```
/// The resource that beats is the one that would be lent next. It is under verification meanwhile, hence not lent, and
/// who comes just then gets another one opened rather than waiting for an answer that may not come.
///
/// Where a minimum of several is kept, each of them beats, for whatever forgets flows forgets each by itself. Those in
/// use count first: only what they leave of the minimum beats, the ones that would be lent next, in the order in which
/// they are due. They share the interval evenly: a round begins early enough for the last one to be in time, though not
/// before half of an interval, and two never begin closer than half of the minimum's even share.
///
/// Invariants: at most one heartbeat per origin is under way; none begins while as many resources are lent as are to be
/// kept, while the pool is not open, before the first use (unless resources are kept from the start) or after `keepWarm`.
/// Looking is lazy: there is one deadline per origin, use only moves what is due further away, so use schedules nothing.
extension PoolMachine {
  // MARK: When

  /// From now on looked at. Costs a request nothing afterwards, whatever the settings say.
  mutating func watch(_ origin: Int, _ now: Instant) {
    origins[origin].isWatched = true
    if keepsPath(origin, now) { lookLater(origin, now) }
  }

  private mutating func lookLater(_ origin: Int, _ now: Instant) {
    scheduleHeartbeat(origin, soonest(origin, now), now)
  }

  /// Nothing that becomes idle from now on is to beat sooner.
  private func soonest(_ origin: Int, _ now: Instant) -> Interval {
    let least = silence(of: origin, now).scaled(by: 1 - settings.connections.jitter)
    return keepsSeveral ? least.scaled(by: 0.5) : least
  }

  private var keepsSeveral: Bool { settings.connections.min > 1 }

  /// After a heartbeat: others that are kept beside it may have to follow before long.
  private mutating func lookOn(_ origin: Int, _ now: Instant) {
    guard keepsSeveral, let next = nextBeat(origin, now) else { return lookLater(origin, now) }
    scheduleHeartbeat(origin, Swift.min(next.at - now, soonest(origin, now)), now)
  }

  /// Something is known that may bring the next heartbeat forward.
  mutating func hurryHeartbeat(_ origin: Int, _ now: Instant) {
    if origins[origin].isWatched, keepsPath(origin, now) { scheduleHeartbeat(origin, .zero, now) }
  }

  /// Whether the path is to be kept at this time at all, in use or not.
  func keepsPath(_ origin: Int, _ now: Instant) -> Bool {
    let record = origins[origin]
    guard settings.heartbeat.pace != .off, !record.isRemoved, mode == .open || mode == .paused else { return false }
    let isWarm = record.lastUsed != .distantPast && now - record.lastUsed < settings.connections.keepWarm
    return isWarm || settings.connections.min > 0
  }

  /// How long a path may be silent now; the longest span when heartbeats are off.
  func silence(of origin: Int, _ now: Instant) -> Interval {
    let record = origins[origin]
    let pace = record.path.interval(settings.heartbeat, idleLimit: record.idleLimit.believed(now)) ?? .max
    guard record.misses > 0 else { return pace }
    // After a failure it is tried again soon, then less and less soon.
    return Swift.min(pace, settings.heartbeat.shortest.scaled(by: Double(1 << Swift.min(record.misses - 1, 16))))
  }

  private mutating func scheduleHeartbeat(_ origin: Int, _ span: Interval, _ now: Instant) {
    deadlines.cancel(&origins[origin].heartbeatToken)
    origins[origin].heartbeatToken = deadlines.insert(
      now + Swift.max(span, .milliseconds(1)), .heartbeat, index: UInt32(origins[origin].id.rawValue))
  }

  mutating func stopHeartbeats(_ origin: Int) {
    origins[origin].isWatched = false
    deadlines.cancel(&origins[origin].heartbeatToken)
  }

  /// Other settings, or the end of a pause: everybody looks again, not all at once.
  mutating func spreadHeartbeats(_ now: Instant) {
    for origin in origins.positions {
      let isWatched = origins[origin].isWatched
      stopHeartbeats(origin)
      guard isWatched || slots.open(origin) > 0, keepsPath(origin, now) else { continue }
      origins[origin].isWatched = true
      scheduleHeartbeat(origin, someTime(within: silence(of: origin, now)), now)
    }
  }

  private mutating func someTime(within span: Interval) -> Interval { span.scaled(by: 0.1 * random.unit()) }

  /// Looks whether it is time. `planned`: when this was to happen; a machine that was stopped meanwhile (a suspended
  /// host) does not make up for it at once everywhere.
  mutating func heartbeatDue(_ origin: Int, planned: Instant, _ now: Instant, _ actions: inout ActionList) {
    guard keepsPath(origin, now) else { return stopHeartbeats(origin) }
    guard mode == .open, origins[origin].heartbeat == nil, floor(origin, now) > inUse(origin) else {
      return lookLater(origin, now)
    }
    guard let next = nextBeat(origin, now) else {
      // Under verification or being opened, either of which proves it; or it is to be opened now.
      plan(origin, now, &actions)
      return lookLater(origin, now)
    }
    if next.at > now {
      let span = next.at - now
      scheduleHeartbeat(origin, keepsSeveral ? Swift.min(span, soonest(origin, now)) : span, now)
    } else if now - planned > Self.lateness {
      scheduleHeartbeat(origin, someTime(within: silence(of: origin, now)), now)
    } else {
      beat(next.index, of: origin, now, &actions)
      lookLater(origin, now)
    }
  }

  /// Resources that traffic keeps.
  private func inUse(_ origin: Int) -> Int {
    slots.leased(origin) == 0 ? 0 : slots.count(origin, .shared) + slots.count(origin, .full)
  }

  /// Of the idle resources that are kept, the one that is due first, and when it is to beat so that the others will be
  /// in time too. Nil: none is idle, or those in use are as many as are to be kept.
  private func nextBeat(_ origin: Int, _ now: Instant) -> (index: Int, at: Instant)? {
    let kept = slots.hottest(origin, most: floor(origin, now) - inUse(origin))
    let silence = silence(of: origin, now)
    let dues = kept.map { (index: $0, at: due($0, silence)) }.sorted { ($0.at, $0.index) < ($1.at, $1.index) }
    guard let first = dues.first else { return nil }
    guard keepsSeveral else { return first }
    let share = silence.scaled(by: 1 / Double(dues.count))
    var at = first.at
    for (turn, due) in dues.enumerated() { at = Swift.min(at, due.at - share.scaled(by: Double(turn))) }
    let least = first.at - patience(first.index, silence).scaled(by: 0.5)
    let apart = silence.scaled(by: 0.5 / Double(settings.connections.min))
    return (first.index, Swift.max(at, least, origins[origin].beganBeating + apart))
  }

  private func due(_ index: Int, _ silence: Interval) -> Instant {
    Swift.max(slots[index].lastUsed, slots[index].lastBeat) + patience(index, silence)
  }

  private func patience(_ index: Int, _ silence: Interval) -> Interval {
    silence.scaled(by: 1 - settings.connections.jitter * Double(slots[index].spread))
  }

  private static let lateness: Interval = .seconds(1)

  // MARK: The call

  private mutating func beat(_ index: Int, of origin: Int, _ now: Instant, _ actions: inout ActionList) {
    guard let (position, scope) = witness(of: origin, now) else { return }
    let id = slots.id(index)
    let silence = now - Swift.max(slots[index].lastUsed, slots[index].lastBeat)
    slots.startVerifying(index, beating: true)
    origins[origin].beganBeating = now
    origins[origin].heartbeat = Heartbeat(
      resource: id, endpoint: endpoints[position].id, silence: silence)
    let deadline = now + settings.health.timeout
    schedule(index, deadline + Self.answerGrace)
    counters.heartbeats &+= 1
    journal.record(.heartbeat, now, note: scope.rawValue, place: position, subject: id.index)
    actions.append(.heartbeat(id, endpoints[position].id, scope, deadline: deadline))
  }

  /// On whose behalf: of those that serve, the endpoint whose credential was proven longest ago, so that all take turns.
  /// One that was never used is left alone while others were; one that is out has its own checks, and is not called.
  private func witness(of origin: Int, _ now: Instant) -> (position: Int, scope: HeartbeatScope)? {
    var best: (position: Int, standing: Int)?
    for position in endpoints.positions where Int(endpoints[position].origin) == origin {
      let record = endpoints[position]
      guard record.isInService else { continue }
      let isOut = record.isCooling || record.health.state == .ejected
      let standing = isOut ? 2 : record.lastGrant == .distantPast ? 1 : 0
      guard let known = best else {
        best = (position, standing)
        continue
      }
      if (standing, record.lastSuccess) < (known.standing, endpoints[known.position].lastSuccess) {
        best = (position, standing)
      }
    }
    guard let best else { return nil }
    if best.standing == 2 { return (best.position, .path) }
    let isProven = now - endpoints[best.position].lastSuccess < silence(of: origin, now)
    return (best.position, isProven ? .call : .proof)
  }

  // MARK: The answer

  /// The answer to `.heartbeat`.
  public mutating func heartbeatFinished(
    _ resource: ResourceID, _ report: HeartbeatReport, now: Instant, into actions: inout ActionList
  ) {
    guard let index = slots.resolve(resource), slots[index].isBeating else {
      return countStale(resource.index, resource.generation, now)
    }
    let origin = Int(slots[index].origin)
    concludeHeartbeat(index, report, now, &actions)
    settle(now, &actions)
    if origins.places.isUsed(origin) { plan(origin, now, &actions) }
    arm(&actions)
  }

  /// The resource goes back or is closed; path and endpoint are judged apart from each other.
  mutating func concludeHeartbeat(
    _ index: Int, _ report: HeartbeatReport, _ now: Instant, _ actions: inout ActionList
  ) {
    let origin = Int(slots[index].origin)
    guard let heartbeat = takeHeartbeat(index) else { return }
    let isPath = report.carried || report.fate == .reusable
    if isPath { origins[origin].path.survived(heartbeat.silence, now: now, settings.heartbeat) }
    if case .close(let reason) = report.fate {
      if !isPath, report.answer == .failed(.network) { pathDied(origin, after: heartbeat.silence, now, &actions) }
      close(index, reason, now, &actions)
    } else {
      slots.verified(index, beating: true, used: report.carried, now: now)
      schedule(index, nextCheck(index, now))
    }
    judge(heartbeat, report, origin, now, &actions)
    if origins[origin].isWatched { lookOn(origin, now) }
  }

  /// The resource that beats is closed by us or gone: ends the heartbeat in the books.
  mutating func takeHeartbeat(_ index: Int) -> Heartbeat? {
    guard slots[index].isBeating else { return nil }
    slots.stopBeating(index)
    let origin = Int(slots[index].origin)
    defer { origins[origin].heartbeat = nil }
    return origins[origin].heartbeat
  }

  /// The resource is gone in the middle of it. Whoever answers what cannot be read, or begins to answer, was there.
  mutating func heartbeatBroke(_ index: Int, _ reason: CloseReason, _ now: Instant, _ actions: inout ActionList) {
    let origin = Int(slots[index].origin)
    guard let heartbeat = takeHeartbeat(index) else { return }
    let isHeard = reason == .protocolError || reason == .broken
    if isHeard {
      origins[origin].path.survived(heartbeat.silence, now: now, settings.heartbeat)
    } else {
      pathDied(origin, after: heartbeat.silence, now, &actions)
    }
    let failure: FailureClass = reason == .protocolError ? .protocolError : .network
    let report = HeartbeatReport(.failed(failure), carried: isHeard, fate: .close(reason))
    judge(heartbeat, report, origin, now, &actions)
    if origins[origin].isWatched, keepsSeveral { lookOn(origin, now) }
  }

  private mutating func judge(
    _ heartbeat: Heartbeat, _ report: HeartbeatReport, _ origin: Int, _ now: Instant, _ actions: inout ActionList
  ) {
    // Cancelled: it answered, and what it said is none of its business any more (credentials that are being renewed).
    let failure: FailureClass? =
      if case .failed(let failure) = report.answer, failure != .cancelled { failure } else { nil }
    if failure == nil {
      origins[origin].misses = 0
    } else {
      counters.heartbeatsFailed &+= 1
      origins[origin].misses = Swift.min(origins[origin].misses + 1, 1000)
    }
    guard let position = endpoints.position(heartbeat.endpoint), !endpoints[position].isRemoved else { return }
    journal.record(.heartbeatEnded, now, note: failure.map { $0.rawValue + 1 } ?? 0, place: position)
    endpoints[position].heartbeats.count(failure, successes: endpoints[position].successes, now)
    tellHeartbeat(position, failure, &actions)
    if concerns(report, failure) { conclude(position, report.answer, now, &actions) }
  }

  /// Whether the endpoint has shown anything: one that was not asked has not, a path that was forgotten is no fault of
  /// its own, and neither is that of another host, unless it speaks of the credential.
  private func concerns(_ report: HeartbeatReport, _ failure: FailureClass?) -> Bool {
    guard let failure else { return report.answer != .unavailable }
    if failure == .network { return false }
    return report.carried || report.fate != .reusable || failure.blames == .credential
  }

  /// Said once when it begins, and once when it is over.
  private mutating func tellHeartbeat(_ position: Int, _ failure: FailureClass?, _ actions: inout ActionList) {
    let wasFailing = endpoints[position].saidHeartbeatFailing
    endpoints[position].saidHeartbeatFailing = failure != nil
    if let failure, !wasFailing { actions.append(.emit(.heartbeatFailing(endpoints[position].id, failure))) }
    if failure == nil, wasFailing { actions.append(.emit(.heartbeatRecovered(endpoints[position].id))) }
  }

  // MARK: Learning

  /// A resource that had been silent for so long was dead.
  mutating func pathDied(_ origin: Int, after silence: Interval, _ now: Instant, _ actions: inout ActionList) {
    guard origins[origin].path.died(silence, now: now, settings.heartbeat) else { return }
    journal.record(.pathDied, now, place: origin, detail: UInt32(clamping: silence.nanoseconds / 1_000_000))
    actions.append(.emit(.pathDied(origins[origin].id, after: silence)))
    hurryHeartbeat(origin, now)
  }

  /// An exchange on a resource that had been unused for a while met nobody.
  mutating func noteBrokenExchange(
    _ lease: LeaseRecord, _ report: ExchangeReport, _ now: Instant, _ actions: inout ActionList
  ) {
    guard report.result == .failed(.network), report.latency == .zero, report.fate != .reusable,
      lease.silence > settings.connections.verifyAfter
    else { return }
    pathDied(Int(endpoints[Int(lease.endpoint)].origin), after: lease.silence, now, &actions)
  }
}

/// A heartbeat under way.
struct Heartbeat: Hashable, Sendable {
  var resource: ResourceID
  var endpoint: EndpointID
  /// Since the path had last been heard of.
  var silence: Interval
}
