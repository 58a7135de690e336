import NIOCore
import SluiceDialects
package import SluicePolicy
package import SluiceRuntime

/// Heartbeats travel on the very connection that they keep.
///
/// Where the provider's free call goes to the endpoint's own origin, it is made on the connection: path, remote side and
/// credential are proven at once, and whatever counts idle time on the way or at the end begins anew. Where it goes
/// elsewhere (Bedrock: STS) or the endpoint is not to be asked, the kernel sends a TCP keep-alive probe and the
/// acknowledgement proves the path; the call elsewhere is made over a connection of its own when a proof is due.
extension HTTPProbe {
  package func heartbeat(
    _ request: HeartbeatRequest, on resource: any PoolableResource,
    _ done: @escaping @Sendable (HeartbeatReport) -> Void
  ) {
    guard let connection = resource as? UpstreamConnection else {
      return resource.verify(deadline: request.deadline) { done($0 ? .alive : .dead) }
    }
    let target = request.scope == .path ? nil : target(request.identity)
    if let target, target.isOnOrigin {
      let left = max(Interval.zero, request.deadline - clock.now())
      HeartbeatCall(connection, target, done).begin(deadline: connection.eventLoop.now + .nanoseconds(left.nanoseconds))
      return
    }
    connection.feelPath(deadline: request.deadline) { isThere in
      guard isThere else { return done(.dead) }
      guard target != nil, request.scope == .proof else { return done(.alive) }
      self.probe(request.endpoint, identity: request.identity, deadline: request.deadline) {
        done(HeartbeatReport($0, carried: false))
      }
    }
  }
}

/// One heartbeat's exchange on a pooled connection. States: waiting → told, by the end of the answer, its failure or the
/// deadline. Confined to the connection's event loop.
private final class HeartbeatCall: UpstreamPeer {
  private let connection: UpstreamConnection
  private let target: HTTPProbeTarget
  private let started: NIODeadline
  private var exchange: (any UpstreamExchange)?
  private var done: ((HeartbeatReport) -> Void)?
  private var timer: Scheduled<Void>?
  private var status = 0
  private var body = ByteBuffer()

  init(
    _ connection: UpstreamConnection, _ target: HTTPProbeTarget, _ done: @escaping @Sendable (HeartbeatReport) -> Void
  ) {
    self.connection = connection
    self.target = target
    self.done = done
    started = connection.eventLoop.now
  }

  func begin(deadline: NIODeadline) {
    timer = connection.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      // Whoever does not answer in time may still do so: the connection is of no more use, its path is not to blame.
      self.tell(HeartbeatReport(.failed(.timeout), carried: false, fate: .close(.verification)))
    }
    exchange = connection.start(UpstreamRequest(head: target.request()), peer: self)
  }

  func upstreamHead(_ head: ResponseHead, bytes: ByteBuffer, reused: Bool) {
    status = head.status
  }

  func upstreamBody(_ part: UpstreamBodyPart) {
    part.forEachPayload { body.writeBytes($0) }
    // An answer that long was good enough; a connection on which the rest is still to come is not.
    if body.readableBytes > HTTPProbe.maxBody { upstreamEnd(reusable: false) }
  }

  func upstreamReadComplete() {}

  func upstreamEnd(reusable: Bool) {
    let latency = Interval(nanoseconds: (connection.eventLoop.now - started).nanoseconds)
    let answer = target.verdict(status, body).map(ProbeResult.failed) ?? .success(latency: latency)
    tell(
      HeartbeatReport(
        answer, carried: true, fate: reusable || connection.isShared ? .reusable : .close(.remoteClosed)))
  }

  func upstreamFailed(_ failure: UpstreamFailure) {
    exchange = nil
    // The peer is about to leave and says so by itself.
    if failure.isRefused { return tell(.alive) }
    // Of a shared connection only the stream has failed, unless nobody is there any more.
    let isOver = failure.failureClass == .network || !connection.isShared
    tell(
      HeartbeatReport(
        .failed(failure.failureClass), carried: !isOver, fate: isOver ? .close(.broken) : .reusable))
  }

  /// The pool hears of it before the exchange is let go of, which may close the connection: that is then no news.
  private func tell(_ report: HeartbeatReport) {
    guard let done else { return }
    self.done = nil
    timer?.cancel()
    timer = nil
    done(report)
    if report.fate != .reusable || !report.carried { exchange?.cancel() }
    exchange = nil
  }
}
