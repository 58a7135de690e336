import NIOCore
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// Asks one pool's provider for its models, page by page, with a bound on time, size and pages. What came before a page
/// that could not be had counts.
///
/// Confined to its event loop, which `@unchecked Sendable` relies on: pools, connections, relays and the timer answer
/// there.
final class ModelFetch: PoolWaiter, UpstreamPeer, DeadlineTarget, @unchecked Sendable {
  typealias Resource = UpstreamConnection

  /// Of one page.
  static let maxBytes = 4 << 20
  static let maxPages = 16

  private let loop: LoopContext
  private let pool: GatewayPool
  private let timer: DeadlineTimer
  private var deadline = Instant.distantFuture
  private var done: (([ModelEntry]?) -> Void)?
  private var lease: Lease<UpstreamConnection>?
  private var link = UpstreamLink.none
  private var ticket: TicketID?
  private var status = 0
  private var body = ByteBuffer()
  private var models: [ModelEntry] = []
  private var pages = 0
  /// Of the page to be asked for; nothing for the first one.
  private var query: String?
  /// All pages come from one account.
  private var endpoint: EndpointID?
  private var sentAt = Instant.distantPast

  init(loop: LoopContext, pool: GatewayPool, done: @escaping ([ModelEntry]?) -> Void) {
    self.loop = loop
    self.pool = pool
    self.done = done
    timer = DeadlineTimer(loop: loop.loop, clock: loop.clock)
  }

  func start(_ now: Instant) {
    guard pool.dialect.listsModels else { return finish([]) }
    deadline = now + ModelDirectory.patience
    timer.arm(deadline, for: self)
    acquire(now)
  }

  private func acquire(_ now: Instant) {
    let wish = AcquireRequest(loop: loop.id, priority: .low, deadline: deadline, arrival: now, pinned: endpoint)
    switch pool.driver.acquire(wish, waiter: self) {
    case .granted(let lease): granted(lease)
    case .queued(let ticket): self.ticket = ticket
    case .rejected: finish(nil)
    }
  }

  func granted(_ lease: consuming Lease<UpstreamConnection>) {
    ticket = nil
    guard done != nil, let endpoint = pool.endpoint(lease.grant.endpoint) else {
      lease.release(.unused)
      return finish(nil)
    }
    self.endpoint = lease.grant.endpoint
    let connection = lease.resource
    self.lease = consume lease
    sentAt = loop.clock.now()
    link = .start(UpstreamRequest(head: head(endpoint)), on: connection, home: loop.loop, peer: self)
  }

  private func head(_ endpoint: GatewayEndpoint) -> ByteBuffer {
    var head: [UInt8] = []
    head.append("GET ")
    let call = UpstreamCall(.models)
    pool.dialect.appendUpstreamTarget(basePath: endpoint.basePath, call, to: &head)
    if let query {
      if let mark = head.firstIndex(of: UInt8(ascii: "?")) { head.removeSubrange(mark...) }
      head.append(contentsOf: "?\(query)".utf8)
    }
    head.append(" HTTP/1.1\r\naccept: application/json\r\naccept-encoding: identity\r\nuser-agent: sluice\r\n")
    head.append(contentsOf: endpoint.lines)
    pool.dialect.appendMissingHeaders(client: .none, call, to: &head)
    head.append("\r\n")
    return ByteBuffer(bytes: head)
  }

  func rejected(_ rejection: PoolRejection) {
    ticket = nil
    finish(nil)
  }

  func upstreamHead(_ head: ResponseHead, bytes: ByteBuffer, reused: Bool) { status = head.status }

  func upstreamBody(_ part: UpstreamBodyPart) {
    guard body.readableBytes + part.payloadBytes <= Self.maxBytes else { return giveUp(.protocolError) }
    part.forEachPayload { body.writeBytes($0) }
  }

  func upstreamReadComplete() {}

  func upstreamEnd(reusable: Bool) {
    let fate: ResourceFate = reusable ? .reusable : .close(.remoteClosed)
    let page = status == 200 ? body.withUnsafeReadableBytes { pool.dialect.models(ByteSlice($0)) } : nil
    let failure = body.withUnsafeReadableBytes {
      pool.dialect.probeVerdict(status: status, body: ByteSlice($0))
    }
    release(
      ExchangeReport(result: failure.map { .failed($0) } ?? .success, fate: fate, total: loop.clock.now() - sentAt))
    guard let page else { return finish(nil) }
    models += page.models.prefix(ModelList.limit - models.count)
    pages += 1
    guard let next = page.nextQuery, pages < Self.maxPages, models.count < ModelList.limit else {
      return finish(models)
    }
    (query, status) = (next, 0)
    body.clear()
    acquire(loop.clock.now())
  }

  func upstreamFailed(_ failure: UpstreamFailure) {
    release(ExchangeReport(result: .failed(failure.failureClass), fate: .close(.broken)))
    finish(nil)
  }

  func deadlineCame() {
    guard done != nil else { return }
    guard loop.clock.now() >= deadline else { return timer.arm(deadline, for: self) }
    if let ticket {
      self.ticket = nil
      pool.driver.cancel(ticket)
    }
    giveUp(.timeout)
  }

  private func giveUp(_ failure: FailureClass) {
    link.cancel()
    release(ExchangeReport(result: .failed(failure), fate: .close(.cancelled)))
    finish(nil)
  }

  private func release(_ report: ExchangeReport) {
    link = .none
    guard let lease = lease.take() else { return }
    let connection = lease.resource
    lease.release(connection.settled(report))
  }

  private func finish(_ models: [ModelEntry]?) {
    guard let done else { return }
    self.done = nil
    timer.cancel()
    done(models ?? (pages > 0 ? self.models : nil))
  }
}
