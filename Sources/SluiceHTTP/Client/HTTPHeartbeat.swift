import NIOCore
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
      return call(target, on: connection, until: request.deadline, done)
    }
    connection.feelPath(deadline: request.deadline) { isThere in
      guard isThere else { return done(.dead) }
      guard target != nil, request.scope == .proof else { return done(.alive) }
      self.probe(request.endpoint, identity: request.identity, deadline: request.deadline) {
        done(HeartbeatReport($0, carried: false))
      }
    }
  }

  private func call(
    _ target: HTTPProbeTarget, on connection: UpstreamConnection, until deadline: Instant,
    _ done: @escaping @Sendable (HeartbeatReport) -> Void
  ) {
    let started = connection.eventLoop.now
    let left = max(Interval.zero, deadline - clock.now())
    AnswerCall.start(
      UpstreamRequest(head: target.request()), on: connection, bound: Self.maxBody,
      deadline: started + .nanoseconds(left.nanoseconds)
    ) { result in
      let answer = target.result(result, since: started, on: connection.eventLoop)
      done(HeartbeatReport(answer, after: result, isShared: connection.isShared))
    }
  }
}

extension HeartbeatReport {
  /// What the exchange says about path and connection.
  fileprivate init(_ answer: ProbeResult, after result: Result<SmallAnswer, AnswerFailure>, isShared: Bool) {
    switch result {
    case .success(let whole):
      // Of a shared connection only the stream is given up where the answer is too long to wait for.
      let isReusable = whole.reusable || isShared
      self.init(answer, carried: true, fate: isReusable ? .reusable : .close(.remoteClosed))
    case .failure(.exchange(let failure)) where failure.isRefused:
      // The peer is about to leave and says so by itself.
      self = .alive
    case .failure(.exchange(let failure)):
      // Whoever has said something is there, however badly it went. Of a shared connection only the stream has failed,
      // unless nobody is there any more.
      let isHeard = failure.bytesReceived > 0
      let isOver = failure.failureClass == .network || !isShared
      let reason = failure.failureClass == .protocolError ? CloseReason.protocolError : .broken
      self.init(answer, carried: isHeard || !isOver, fate: isOver ? .close(reason) : .reusable)
    case .failure(.timeout), .failure(.connect):
      // Whoever does not answer in time may still do so: the connection is of no more use, its path is not to blame.
      self.init(answer, carried: false, fate: .close(.verification))
    }
  }
}
