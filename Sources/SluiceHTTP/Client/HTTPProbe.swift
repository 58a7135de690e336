package import NIOCore
import NIOPosix
import SluiceDialects
package import SluicePolicy
package import SluiceRuntime

/// The free call that shows whether an endpoint is well.
package struct HTTPProbeTarget: Sendable {
  package var origin: HTTPOrigin
  /// It goes where the endpoint's requests go, so that it may travel on their connections.
  package var isOnOrigin: Bool
  /// Makes a complete request, for each probe anew: some are signed with the time.
  package var request: @Sendable () -> ByteBuffer
  /// What status and body say about the endpoint; nil: it is well.
  package var verdict: @Sendable (_ status: Int, _ body: ByteBuffer) -> FailureClass?

  package init(
    origin: HTTPOrigin, isOnOrigin: Bool = true, request: @escaping @Sendable () -> ByteBuffer,
    verdict: @escaping @Sendable (_ status: Int, _ body: ByteBuffer) -> FailureClass?
  ) {
    self.origin = origin
    self.isOnOrigin = isOnOrigin
    self.request = request
    self.verdict = verdict
  }

  /// A call that is always the same, judged by its status.
  package init(
    origin: HTTPOrigin, head: ByteBuffer, verdict: @escaping @Sendable (_ status: Int) -> FailureClass?
  ) {
    self.init(origin: origin, request: { head }, verdict: { status, _ in verdict(status) })
  }
}

/// Probes endpoints over a connection of their own, so that resolving, connecting, TLS and the credential are all
/// proven, and a busy or emptied pool is not asked for a slot.
package struct HTTPProbe: ResourceProbe {
  /// An answer longer than this was good enough; the rest is not waited for.
  static let maxBody = 262_144

  private let connector: HTTPConnector
  let clock: any MonotonicClock
  let target: @Sendable (_ identity: String) -> HTTPProbeTarget?

  /// `target` is asked for each probe, by the endpoint's identity, so that it follows a reload; nil: no free call.
  package init(
    connector: HTTPConnector, clock: any MonotonicClock = SystemClock(),
    target: @escaping @Sendable (_ identity: String) -> HTTPProbeTarget?
  ) {
    self.connector = connector
    self.clock = clock
    self.target = target
  }

  package func probe(
    _ endpoint: EndpointID, identity: String, deadline: Instant, _ done: @escaping @Sendable (ProbeResult) -> Void
  ) {
    guard let target = target(identity),
      let eventLoop = MultiThreadedEventLoopGroup.currentEventLoop
        ?? connector.transport.loops.first
    else { return done(.unavailable) }
    let left = max(Interval.zero, deadline - clock.now())
    let started = eventLoop.now
    connector.ask(
      target.origin, on: eventLoop, bound: Self.maxBody, deadline: started + .nanoseconds(left.nanoseconds),
      clock: clock, { UpstreamRequest(head: target.request()) }
    ) { done(target.result($0, since: started, on: eventLoop)) }
  }
}

extension HTTPProbeTarget {
  /// What an answer, or its absence, says about the endpoint.
  func result(
    _ answer: Result<SmallAnswer, AnswerFailure>, since started: NIODeadline, on eventLoop: any EventLoop
  ) -> ProbeResult {
    switch answer {
    case .failure(let failure): return .failed(failure.failureClass)
    case .success(let answer):
      let latency = Interval(nanoseconds: (eventLoop.now - started).nanoseconds)
      return verdict(answer.status, answer.body).map(ProbeResult.failed) ?? .success(latency: latency)
    }
  }
}
