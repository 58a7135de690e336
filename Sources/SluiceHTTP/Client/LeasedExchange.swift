package import SluicePolicy
package import SluiceRuntime

/// One exchange over a lease that the caller acquired: for callers that write the head themselves, because the endpoint
/// (host, path, credential) is known only once the pool has granted one.
///
/// The lease goes back when the exchange is over, whatever its end; one that never sends anything counts as forgotten.
package struct LeasedExchange: Sendable {
  package let grant: Grant
  private let box: LeaseBox

  package init(_ lease: consuming Lease<UpstreamConnection>) {
    grant = lease.grant
    box = LeaseBox(lease)
  }

  /// Nothing will be sent.
  package func giveBack() { box.release(.unused) }

  /// Sends the one request. Returns with the head; the lease goes back when the body has ended, failed or been let go of.
  ///
  /// With a judge, an answer of status 400 and up is thrown as `HTTPRefusedAnswer`, and the pool hears the judge's word.
  /// Throws `HTTPClientError` otherwise, `CancellationError` when the task is cancelled.
  package func send(
    _ request: UpstreamRequest, timeouts: HTTPClientTimeouts, judge: HTTPRefusal.Judge? = nil
  ) async throws -> HTTPClientResponse {
    let exchange = ClientExchange(box.connection, timeouts: timeouts, judge: judge) { [box] in box.release($0) }
    return try await exchange.run(request)
  }
}

/// Holds a lease until the exchange is over. `@unchecked Sendable`: made by one task, released once, on the
/// connection's event loop.
private final class LeaseBox: @unchecked Sendable {
  let connection: UpstreamConnection
  private var lease: Lease<UpstreamConnection>?

  init(_ lease: consuming Lease<UpstreamConnection>) {
    connection = lease.resource
    self.lease = consume lease
  }

  func release(_ report: ExchangeReport) {
    guard let lease = lease.take() else { return }
    lease.release(report)
  }
}
