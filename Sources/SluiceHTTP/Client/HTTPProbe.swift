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
    let until = started + .nanoseconds(left.nanoseconds)
    connector.open(target.origin, on: eventLoop, deadline: until, clock: clock) { result in
      switch result {
      case .failure(let failure): done(.failed(failure.failureClass))
      case .success(let connection):
        let exchange = ProbeExchange(connection, target, started: started, done)
        exchange.begin(deadline: until)
      }
    }
  }
}

/// One probe's exchange. States: waiting → judged, by the end of the answer, its failure or the deadline.
private final class ProbeExchange: UpstreamPeer {
  private let connection: UpstreamConnection
  private var exchange: (any UpstreamExchange)?
  private let target: HTTPProbeTarget
  private let started: NIODeadline
  private var done: ((ProbeResult) -> Void)?
  private var timer: Scheduled<Void>?
  private var status = 0
  private var body = ByteBuffer()

  init(
    _ connection: UpstreamConnection, _ target: HTTPProbeTarget, started: NIODeadline,
    _ done: @escaping (ProbeResult) -> Void
  ) {
    self.connection = connection
    self.target = target
    self.started = started
    self.done = done
  }

  func begin(deadline: NIODeadline) {
    timer = connection.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.judged(.failed(.timeout)) }
    exchange = connection.start(UpstreamRequest(head: target.request()), peer: self)
  }

  func upstreamHead(_ head: ResponseHead, bytes: ByteBuffer, reused: Bool) {
    status = head.status
  }

  func upstreamBody(_ part: UpstreamBodyPart) {
    part.forEachPayload { body.writeBytes($0) }
    if body.readableBytes > HTTPProbe.maxBody { upstreamEnd(reusable: false) }
  }

  func upstreamReadComplete() {}

  func upstreamEnd(reusable: Bool) {
    let latency = Interval(nanoseconds: (connection.eventLoop.now - started).nanoseconds)
    judged(target.verdict(status, body).map(ProbeResult.failed) ?? .success(latency: latency))
  }

  func upstreamFailed(_ failure: UpstreamFailure) {
    judged(.failed(failure.failureClass))
  }

  private func judged(_ result: ProbeResult) {
    guard let done else { return }
    self.done = nil
    timer?.cancel()
    timer = nil
    exchange?.cancel()
    exchange = nil
    connection.close(reason: .verification)
    done(result)
  }
}
