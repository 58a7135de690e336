import NIOCore
import SluicePolicy
import SluiceRuntime

// Whether anybody is still there.
extension SocketPath {
  /// `trusting`: a peer that was heard of within this time is believed to be there; absent: as the options say.
  func verifyPath(deadline: Instant, trusting: Interval? = nil, _ done: @escaping @Sendable (Bool) -> Void) {
    guard eventLoop.inEventLoop else {
      return eventLoop.execute { self.verifyPath(deadline: deadline, trusting: trusting, done) }
    }
    switch glance(trusting: trusting ?? options.trustHeardWithin) {
    case .gone: done(false)
    case .alive: done(true)
    case .unheard(let facts): probe(facts, deadline: deadline, done)
    case .unread:
      // Peers of TLS and of HTTP/2 may say things of their own at any time (tickets, settings). The read that is
      // outstanding takes them, and closes the connection if it was anything else.
      eventLoop.assumeIsolated().execute { done(self.isOpen) }
    }
  }

  private func glance(trusting: Interval) -> Glance {
    guard isOpen, isActive else { return .gone }
    guard !isInExchange, let descriptor else { return .alive }
    switch SocketFacts.pending(descriptor) {
    case .ended: return .gone
    case .bytes: return peerSpeaksUnasked ? .unread : .gone
    case .nothing: break
    }
    guard let facts = SocketFacts.read(descriptor) else { return .alive }
    // An unanswered keep-alive probe: the kernel itself has begun to doubt.
    guard facts.isEstablished, facts.probes == 0 else { return .gone }
    let trusted = trusting.nanoseconds / 1_000_000
    return Int64(facts.lastHeardMilliseconds) < trusted ? .alive : .unheard(facts)
  }

  /// Makes the kernel send a keep-alive probe now and waits for its acknowledgement, which no event announces: looked
  /// for a few times within the deadline.
  private func probe(_ facts: SocketFacts, deadline: Instant, _ done: @escaping @Sendable (Bool) -> Void) {
    guard let descriptor else { return done(false) }
    let left = (deadline - clock.now()).nanoseconds
    let patience = min(left, max(100_000_000, Int64(facts.roundTripMicroseconds) * 4_000))
    SocketFacts.sendProbe(descriptor, quietForMilliseconds: facts.lastHeardMilliseconds)
    let asked = eventLoop.now
    let until = asked + .nanoseconds(max(0, patience))
    let step = max(1_000_000, Int64(facts.roundTripMicroseconds) * 500)
    awaitAnswer(asked: asked, after: Int64(facts.lastHeardMilliseconds), step: step, until: until, done)
  }

  /// Without an answer the silence that there was goes on growing; with one it is shorter than the time since asking.
  /// Half of the old silence between the two leaves room for the kernel's coarse clock, and a loop that looks late sees
  /// the same.
  private func awaitAnswer(
    asked: NIODeadline, after silence: Int64, step: Int64, until: NIODeadline,
    _ done: @escaping @Sendable (Bool) -> Void
  ) {
    let next = min(until, eventLoop.now + .nanoseconds(step))
    eventLoop.assumeIsolated().scheduleTask(deadline: next) {
      let passed = (self.eventLoop.now - asked).nanoseconds / 1_000_000
      guard self.isOpen, let descriptor = self.descriptor, let facts = SocketFacts.read(descriptor) else {
        return done(false)
      }
      let isHeard = Int64(facts.lastHeardMilliseconds) < passed + silence / 2 || self.isInExchange
      guard isHeard || self.eventLoop.now >= until else {
        return self.awaitAnswer(asked: asked, after: silence, step: step * 2, until: until, done)
      }
      SocketFacts.setKeepAliveIdle(descriptor, seconds: self.options.keepAliveIdle.nanoseconds / 1_000_000_000)
      done(isHeard)
    }
  }
}

// For the dead path monitor.
extension SocketPath {
  /// The kernel's word on an exchange that lasts for a second or more: bytes of ours are unacknowledged, were repeated,
  /// and nothing is heard.
  func isSocketDead() -> Bool {
    guard !isPathProven, let descriptor, let facts = SocketFacts.read(descriptor) else { return false }
    if facts.unacknowledged == 0 {
      // All of the request has arrived; from now on silence means that the upstream thinks.
      isPathProven = isSent
      return false
    }
    return facts.retransmits > 0 && facts.lastHeardMilliseconds >= DeadPathMonitor.silenceMilliseconds
  }
}

/// What one look at an unused socket tells.
private enum Glance {
  case gone, alive, unread
  case unheard(SocketFacts)
}
