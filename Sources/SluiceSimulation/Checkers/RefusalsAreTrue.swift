import SluicePolicy

/// The queue keeps to its bounds, and the reason given for a refusal is the truth.
///
/// Nobody is queued for whom there is no room, the room reserved for other classes taken into account.
/// `queueFull`: nobody of that class fits, room reserved for other classes taken into account. `deadline`: it has
/// passed. `draining`, `closed`: the pool is. The others say that nothing can serve in time: then no endpoint that the
/// caller allows is in service and not cooling with an open resource at its origin. `limited` says moreover that all of
/// them cool because of limits, and `noEndpoint` that not all do; this is judged when the decision is complete.
struct RefusalsAreTrue: SimulationChecker {
  let name = "refusals are true"
  private var tickets = TicketBook()
  private var resources = ResourceBook()
  private var endpoints = EndpointBook()
  private var queue = QueueSettings()
  private var mode = PoolState.open
  /// Queued just now; others may leave in the same decision.
  private var newcomer: AcquireRequest?
  /// Refused in the decision under way because of limits, or in spite of them.
  private var turnedAway: [(request: AcquireRequest, isLimited: Bool)] = []
  private var lastFactAt = Instant.distantPast

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    if let newcomer, !fact.isPartOfDecision {
      self.newcomer = nil
      if isFull(for: newcomer.priority, but: 1) {
        return "\(tickets.waiting.count) wait, \(queue.capacity) may; there was no room for class \(newcomer.priority)"
      }
    }
    // A deadline's decision has no fact of its own in front: it is told by its time.
    if !fact.isPartOfDecision || now > lastFactAt, let complaint = judgeLimits() { return complaint }
    lastFactAt = now
    tickets.observe(fact, at: now)
    resources.observe(fact, at: now)
    endpoints.observe(fact)
    switch fact {
    case .configured(let settings, _): queue = settings.queue
    case .drainBegan: mode = .draining
    case .closeBegan: mode = .closed
    case .queued: newcomer = tickets.wish
    case .refusedAtOnce(_, let rejection): return judge(rejection, tickets.wish, now)
    case .refusedLater(_, let rejection):
      return rejection.reason == .queueFull
        ? "refused for want of room after waiting" : judge(rejection, tickets.left?.request, now)
    default: break
    }
    return nil
  }

  private mutating func judge(_ rejection: PoolRejection, _ request: AcquireRequest?, _ now: Instant) -> String? {
    guard let request else { return "nobody had asked" }
    if rejection.reason == .limited || rejection.reason == .noEndpoint {
      turnedAway.append((request, rejection.reason == .limited))
    }
    let isTrue: Bool =
      switch rejection.reason {
      case .queueFull: isFull(for: request.priority)
      case .deadline: request.deadline <= now
      case .draining: mode == .draining
      case .closed: mode == .closed
      case .noEndpoint, .limited, .notAllowed, .credential, .connectFailed: !canBeServed(request)
      }
    return isTrue ? nil : "refused as \(rejection.reason.label), which is not so"
  }

  private mutating func judgeLimits() -> String? {
    defer { turnedAway = [] }
    for (request, isLimited) in turnedAway {
      guard let truth = endpoints.onlyLimitsKeepOut(request), truth != isLimited else { continue }
      return isLimited
        ? "refused because of limits, though something else keeps an endpoint out"
        : "refused although only limits keep the endpoints out, and not said so"
    }
    return nil
  }

  /// Whether there is no room for one more, or was none before the last `but` of this class came.
  private func isFull(for priority: PriorityClass, but: Int = 0) -> Bool {
    var kept = 0
    for other in PriorityClass.allCases where other != priority {
      let waiting = tickets.waiting.values.count { $0.request.priority == other }
      kept += max(0, Int(Double(queue.capacity) * queue.reserved[other]) - waiting)
    }
    return tickets.waiting.count - but + kept >= queue.capacity
  }

  private func canBeServed(_ request: AcquireRequest) -> Bool {
    endpoints.origins.contains { endpoint, origin in
      endpoints.isAllowed(endpoint, for: request) && endpoints.isAvailable(endpoint)
        && resources.entries.values.contains { $0.origin == origin && $0.isUsable }
    }
  }
}
