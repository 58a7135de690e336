import NIOCore
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// The merged list of models of one surface in one configuration, as one event loop knows it.
///
/// Providers are asked when a client wants the list and it is older than `lifetime`; clients that come meanwhile wait for
/// the same answer. A provider that does not answer within `patience` is left out this time, and asked again next time.
///
/// Confined to its event loop.
final class ModelDirectory {
  static let lifetime = Interval.seconds(300)
  static let patience = Interval.seconds(5)
  /// Clients that wait for one list.
  static let maxWaiters = 256

  private let loop: LoopContext
  private let configuration: GatewayConfiguration
  private let surface: Surface
  private var models: [ModelEntry] = []
  private var fetchedAt: Instant?
  private var outstanding = 0
  private var collected: [[ModelEntry]] = []
  private var waiters: [([ModelEntry]) -> Void] = []

  init(loop: LoopContext, configuration: GatewayConfiguration, surface: Surface) {
    self.loop = loop
    self.configuration = configuration
    self.surface = surface
  }

  /// Hands over the list, now or when the providers have answered; false when too many wait already.
  func list(now: Instant, _ done: @escaping ([ModelEntry]) -> Void) -> Bool {
    if let fetchedAt, now - fetchedAt < Self.lifetime {
      done(models)
      return true
    }
    guard waiters.count < Self.maxWaiters else { return false }
    waiters.append(done)
    if outstanding == 0 { fetch(now) }
    return true
  }

  private func fetch(_ now: Instant) {
    let pools = configuration.pools.filter { $0.dialect.surface == surface && $0.models.isEmpty }
    collected = Array(repeating: [], count: pools.count)
    outstanding = pools.count + 1
    for (index, pool) in pools.enumerated() {
      ModelFetch(loop: loop, pool: pool) { models in
        self.collected[index] = models ?? []
        self.arrived(complete: models != nil)
      }.start(now)
    }
    arrived(complete: true)
  }

  private var isPartial = false

  private func arrived(complete: Bool) {
    if !complete { isPartial = true }
    outstanding -= 1
    guard outstanding == 0 else { return }
    merge()
    fetchedAt = isPartial ? nil : loop.clock.now()
    isPartial = false
    let all = waiters
    waiters = []
    for waiter in all { waiter(models) }
  }

  /// What providers say, then what only the configuration knows; each name once.
  private func merge() {
    var seen: Set<String> = []
    models = collected.joined().filter { seen.insert($0.id).inserted }
    let configured = configuration.pools.filter { $0.dialect.surface == surface }.flatMap(\.models)
    for name in configured + configuration.routes.models(surface: surface) where seen.insert(name).inserted {
      models.append(ModelEntry(id: name, owner: "sluice"))
    }
    collected = []
  }
}

/// Asks one pool's provider for its models, once, with a bound on time and size.
///
/// Confined to its event loop, which `@unchecked Sendable` relies on: pools, connections, relays and the timer answer
/// there.
private final class ModelFetch: PoolWaiter, UpstreamPeer, DeadlineTarget, @unchecked Sendable {
  typealias Resource = HTTPConnection

  static let maxBytes = 4 << 20

  private let loop: LoopContext
  private let pool: GatewayPool
  private let timer: DeadlineTimer
  private var done: (([ModelEntry]?) -> Void)?
  private var lease: Lease<HTTPConnection>?
  private var link = UpstreamLink.none
  private var ticket: TicketID?
  private var status = 0
  private var body = ByteBuffer()
  private var sentAt = Instant.distantPast

  init(loop: LoopContext, pool: GatewayPool, done: @escaping ([ModelEntry]?) -> Void) {
    self.loop = loop
    self.pool = pool
    self.done = done
    timer = DeadlineTimer(loop: loop.loop, clock: loop.clock)
  }

  func start(_ now: Instant) {
    let deadline = now + ModelDirectory.patience
    timer.arm(deadline, for: self)
    let wish = AcquireRequest(loop: loop.id, priority: .low, deadline: deadline, arrival: now)
    switch pool.driver.acquire(wish, waiter: self) {
    case .granted(let lease): granted(lease)
    case .queued(let ticket): self.ticket = ticket
    case .rejected: finish(nil)
    }
  }

  func granted(_ lease: consuming Lease<HTTPConnection>) {
    ticket = nil
    guard done != nil, let endpoint = pool.endpoint(lease.grant.endpoint) else {
      lease.release(.unused)
      return finish(nil)
    }
    let connection = lease.resource
    let isLocal = lease.grant.loop == loop.id
    self.lease = consume lease
    sentAt = loop.clock.now()
    link =
      isLocal
      ? .local(connection) : .relayed(CrossLoopRelay(home: loop.loop, connection: connection, peer: self))
    link.start(UpstreamRequest(head: head(endpoint)), peer: self)
  }

  private func head(_ endpoint: GatewayEndpoint) -> ByteBuffer {
    var head: [UInt8] = []
    head.append("GET ")
    let call = UpstreamCall(.models)
    pool.dialect.appendUpstreamTarget(basePath: endpoint.basePath, call, to: &head)
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
    let page = status == 200 ? body.withUnsafeReadableBytes { ModelList.parse(ByteSlice($0)) } : nil
    let failure = pool.dialect.probeVerdict(status: status)
    release(
      ExchangeReport(result: failure.map { .failed($0) } ?? .success, fate: fate, total: loop.clock.now() - sentAt))
    finish(page?.models)
  }

  func upstreamFailed(_ failure: UpstreamFailure) {
    release(ExchangeReport(result: .failed(failure.failureClass), fate: .close(.broken)))
    finish(nil)
  }

  func deadlineCame() {
    guard done != nil else { return }
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
    if let lease = lease.take() { lease.release(report) }
  }

  private func finish(_ models: [ModelEntry]?) {
    guard let done else { return }
    self.done = nil
    timer.cancel()
    done(models)
  }
}
