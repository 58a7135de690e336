import NIOCore
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// Carries out one exchange after another for one client connection: asks the pool, sends upstream, forwards the answer.
/// What to do next is decided by the `ExchangeMachine`; here it is done.
///
/// Stages and successors (the machine's states, seen from the bytes):
///   idle → waiting (begin)
///   waiting → holding | collecting | opening          the upstream's head
///   holding → forwarding (outgrew the hold) | idle | waiting (another try)
///   opening → streaming (its first event came) | idle | waiting (another try)
///   collecting → waiting (another try) | idle
///   streaming, forwarding → idle
/// Invariants: while not idle there is a connection to answer to; a lease is held exactly while an upstream exchange
/// runs; the client's head is written at most once per exchange.
///
/// Confined to its event loop, which `@unchecked Sendable` relies on: pools answer on the loop named in the request,
/// and so do connections and relays.
final class Exchange: PoolWaiter, UpstreamPeer, @unchecked Sendable {
  typealias Resource = UpstreamConnection

  enum Stage: UInt8 { case idle, waiting, holding, collecting, opening, streaming, forwarding }

  let loop: LoopContext
  /// Set while an exchange runs.
  var connection: InboundConnection?
  var stage = Stage.idle
  var machine: ExchangeMachine

  // What was asked
  var request: InboundRequest?
  var fields: RequestFields?
  /// There are `fields`; asking them copies them.
  private(set) var isScanned = false
  var route: ModelRoute?
  var targets: [ResolvedTarget] = []
  var targetIndex = -1
  var id = RequestID(0)
  var surface = Surface.openai
  var operation = Operation.chat
  /// The client asked for a stream.
  var wantsStream = false
  var isOldClient = false
  var isHead = false
  var bytesIn = 0
  /// An estimate; what clocks and sizes of models are compared with.
  var promptTokens = 0
  var began = Instant.distantPast

  // The target at hand, in its provider's words
  var preparedTarget = -1
  /// The provider's own operation.
  var upstreamOperation = Operation.chat
  var translation: Translation?
  /// The request in the provider's protocol.
  var translatedBody = ByteBuffer()
  /// Why the request cannot be carried to the target.
  var refusal: TranslationRefusal?

  // The attempt under way
  var lease: Lease<UpstreamConnection>?
  var link = UpstreamLink.none
  var ticket: TicketID?
  /// What is asked for may not come from endpoints that are known to refuse the model.
  private var leavesRefusingOut = false
  var endpointName = ""
  /// Who answers the attempt under way.
  var account: UInt64 = 0
  /// What it was signed with, where its endpoint wants that.
  var signing: SigningIdentity?
  /// What was refused is the signature, which is being put right.
  var isMending = false
  /// Why there was nothing to sign with.
  var complaint: String?
  /// Whose the response is that may be stored.
  var owner: UInt64 = 0
  var upstreamHeadBytes = ByteBuffer()
  /// A ticket could not be withdrawn, so its lease still comes: this object must not serve another exchange.
  private(set) var isRetired = false
  private var awaitsConfiguration = false

  // The answer
  var responseHead: ResponseHead?
  var responseBytes = ByteBuffer()
  var collected = ByteBuffer()
  var isCollectedCut = false
  /// The last error answer of a provider, to be passed on if nothing better comes.
  var recorded: RecordedAnswer?
  var meter: StreamMeter?
  var heldEvent = HeldEvent()
  var streamTranslation: StreamTranslation?
  /// What a stream has become in the client's protocol and the client has not got: more than nothing only while the
  /// stream is opening.
  var turned: [UInt8] = []
  /// While the id of the response that a stream brings is not known.
  var responseReader: StoredResponseReader?
  /// How the client's stream is cut into events.
  var eventFraming = StreamFraming.serverSentEvents
  var framing = AnswerFraming.none
  var isTerminated = false
  var status = 0
  var bytesOut = 0
  var firstTokenAt: Instant?
  var measure = AnswerMeasure()
  /// The end of a plain answer that is passed on as it comes.
  var tail: AnswerTail?
  var lastSentAt = Instant.distantPast
  var isPaused = false

  struct RecordedAnswer {
    var head: ResponseHead
    var bytes: ByteBuffer
    var body: ByteBuffer
    var endpoint: String
    /// The place along the route.
    var targetIndex: Int
    /// What it means; for clients of another protocol than the provider's.
    var failure: ProviderFailure
    /// The client gets it in the gateway's words: its provider speaks another protocol, or said it in a stream.
    var isRewritten: Bool
  }

  init(loop: LoopContext) {
    self.loop = loop
    machine = ExchangeMachine(settings: ExchangeSettings(), now: .distantPast)
  }

  var isActive: Bool { stage != .idle }
  var target: ResolvedTarget { targets[targetIndex] }

  /// The next moment at which `deadlineCame` has something to do.
  var nextDeadline: Instant {
    let next = machine.nextDeadline ?? .distantFuture
    return stage == .streaming || stage == .opening ? min(next, commentDue) : next
  }

  func begin(
    _ request: consuming InboundRequest, fields: RequestFields?, route: ModelRoute, connection: InboundConnection,
    now: Instant
  ) {
    self.connection = connection
    self.fields = fields
    isScanned = fields != nil
    self.route = route
    promptTokens = fields.map { TokenCount.estimate($0).input } ?? 0
    targets = fitting(route.ordered(random: loop.nextRandom()))
    targetIndex = 0
    preparedTarget = -1
    id = request.id
    surface = request.match.surface
    operation = request.match.operation
    wantsStream = request.match.operation.streams(fields?.stream)
    isOldClient = request.head.version == .zero
    isHead = request.head.method == .head
    owner = connection.configuration.access.owner(request.caller.key)
    bytesIn = request.bytes.readableBytes + request.body.readableBytes
    began = request.began
    status = 0
    bytesOut = 0
    firstTokenAt = nil
    measure = AnswerMeasure()
    endpointName = ""
    isTerminated = false
    isPaused = false
    stage = .waiting
    machine = ExchangeMachine(
      settings: settings(), targetCount: targets.count, callerDeadline: request.callerDeadline(),
      model: route.hash, wantsStream: wantsStream, now: request.began)
    self.request = consume request
    loop.requestStarted(target, now)
    perform(machine.requestReceived(now: now), now)
  }

  /// Leaves out targets whose model is too small for the prompt, unless all are: then the provider may say so.
  private func fitting(_ targets: [ResolvedTarget]) -> [ResolvedTarget] {
    guard targets.count > 1, targets.contains(where: { !$0.fits(promptTokens: promptTokens) }) else { return targets }
    let fitting = targets.filter { $0.fits(promptTokens: promptTokens) }
    return fitting.isEmpty ? targets : fitting
  }

  /// Does what the machine decided, in the order of the decision's fields.
  func perform(_ decision: ExchangeDecision, _ now: Instant) {
    if decision.cancelTicket, let ticket {
      self.ticket = nil
      if !target.pool.driver.cancel(ticket) { isRetired = true }
    }
    if decision.cancelUpstream {
      let old = link
      link = .none
      old.cancel()
    }
    if let report = decision.release, let lease = lease.take() {
      link = .none
      learn(from: report)
      noteRefusal(report, by: lease.grant.endpoint, now)
      awaitsConfiguration = false
      let connection = lease.resource
      lease.release(connection.settled(report))
    }
    step(decision.step, now)
  }

  private func step(_ step: ExchangeStep, _ now: Instant) {
    switch step {
    case .sleep:
      stage = .waiting
      connection?.deadlineMoved(nextDeadline)
    case .none: connection?.deadlineMoved(nextDeadline)
    case .acquire(let plan): acquire(plan, now)
    case .send: send()
    case .hold: wait(.holding)
    case .collect: wait(.collecting)
    case .open: awaitFirstEvent(now)
    case .deliver: deliver(now)
    case .finish: finishAnswer(now)
    case .fail(let failure): fail(failure, now)
    case .breakOff(let failure): breakOff(failure, now)
    case .abandon: complete(status: 499, now)
    }
  }

  /// The answer's body is kept back, under the clock for the time between its bytes.
  private func wait(_ stage: Stage) {
    self.stage = stage
    connection?.deadlineMoved(nextDeadline)
  }
}

// MARK: - The pool

extension Exchange {
  private func acquire(_ plan: AcquirePlan, _ now: Instant) {
    stage = .waiting
    forgetAnswer()
    if plan.target != targetIndex {
      targetIndex = plan.target
      machine.use(settings())
    }
    guard prepareTarget() else { return rejected(RejectionFacts(.unsupportedField), now) }
    guard let request else { return }
    let refusing = refusing(plan, now)
    let wish = AcquireRequest(
      loop: loop.id, priority: request.caller.priority, caller: AccessTable.caller(request.caller.key),
      deadline: plan.deadline, arrival: now, excluding: plan.excluding.union(refusing), pinned: request.pinned,
      freshOnly: plan.freshOnly,
      affinity: request.affinity(target.pool, fields))
    switch target.pool.driver.acquire(wish, waiter: self) {
    case .granted(let lease):
      granted(lease, now)
    case .queued(let ticket):
      self.ticket = ticket
      leavesRefusingOut = !refusing.isEmpty
      machine.queued(now: now)
      connection?.deadlineMoved(nextDeadline)
    case .rejected(let rejection):
      leavesRefusingOut = !refusing.isEmpty
      rejected(rejection, now)
    }
  }

  func granted(_ lease: consuming Lease<UpstreamConnection>) {
    ticket = nil
    granted(lease, loop.clock.now())
  }

  private func granted(_ lease: consuming Lease<UpstreamConnection>, _ now: Instant) {
    let grant = lease.grant
    self.lease = consume lease
    perform(machine.granted(grant, now: now), now)
  }

  func rejected(_ rejection: PoolRejection) {
    ticket = nil
    rejected(rejection, loop.clock.now())
  }

  private func rejected(_ rejection: PoolRejection, _ now: Instant) {
    var facts = RejectionFacts(rejection)
    facts.onlyRefusingLeft =
      leavesRefusingOut && (rejection.reason == .notAllowed || rejection.reason == .credential)
    rejected(facts, now)
  }

  private func rejected(_ facts: RejectionFacts, _ now: Instant) {
    let target = target
    let loop = loop
    let decision = machine.rejected(facts, now: now, random: loop.nextRandom()) {
      loop.withdrawRetry(target, now)
    }
    perform(decision, now)
  }

  /// Sends the request on the lease just granted.
  private func send() {
    guard let grant = lease?.grant, let connection = lease?.resource, let request else { return }
    guard let endpoint = target.pool.endpoint(grant.endpoint) ?? currentEndpoint(grant.endpoint) else {
      // The pool was reconfigured a moment ago; what belongs to the endpoint is still on its way to this loop.
      awaitsConfiguration = true
      loop.awaitConfiguration(self)
      return
    }
    endpointName = endpoint.name
    account = endpoint.account
    if let signer = endpoint.signer {
      signing = signer.identity(endpoint.host, now: WallClock.now())
      guard signing != nil else { return unsigned(signer) }
    }
    link = .start(upstreamRequest(request, endpoint), on: connection, home: loop.loop, peer: self)
    if grant.loop != loop.id { loop.metrics.update(on: loop.id) { $0.relayed &+= 1 } }
    self.connection?.deadlineMoved(nextDeadline)
  }

  func configurationArrived() {
    guard awaitsConfiguration else { return }
    awaitsConfiguration = false
    send()
  }

  /// The endpoint in the configuration in force now, which may be newer than this exchange's.
  func currentEndpoint(_ id: EndpointID) -> GatewayEndpoint? {
    guard let pool = loop.configuration.pool(named: target.pool.name), pool.driver === target.pool.driver else {
      return nil
    }
    return pool.endpoint(id)
  }

  private func upstreamRequest(_ request: InboundRequest, _ endpoint: GatewayEndpoint) -> UpstreamRequest {
    if let translation {
      var (head, body) = translatedRequest(translation, endpoint)
      AttemptSignature.insert(into: &head, endpoint, body: body, nil, as: signing)
      upstreamHeadBytes.clear(minimumCapacity: head.count)
      upstreamHeadBytes.writeBytes(head)
      loop.giveBack(&head)
      return UpstreamBody.attach(body, nil, to: &upstreamHeadBytes)
    }
    let hasBody = request.match.inspected || !request.head.bodyLength.isEmpty
    let splice = change(request.body)
    let count = splice?.resultCount(request.body.readableBytes) ?? request.body.readableBytes
    var bytes = loop.takeScratch()
    UpstreamHead(
      head: request.head, bytes: request.bytes, endpoint: endpoint, dialect: target.pool.dialect, match: request.match,
      model: target.upstreamModel ?? route?.model ?? "", keepsModel: target.upstreamModel == nil,
      hasAccessKey: request.caller.key != nil, streams: wantsStream, bodyCount: hasBody ? count : nil,
      inspected: request.match.inspected
    ).append(to: &bytes)
    AttemptSignature.insert(into: &bytes, endpoint, body: request.body, splice, as: signing)
    upstreamHeadBytes.clear(minimumCapacity: bytes.count + (count <= UpstreamBody.inline ? count : 0))
    upstreamHeadBytes.writeBytes(bytes)
    loop.giveBack(&bytes)
    guard hasBody, count > 0 else { return UpstreamRequest(head: upstreamHeadBytes, isHead: isHead) }
    var whole = UpstreamBody.attach(request.body, splice, to: &upstreamHeadBytes)
    whole.isHead = isHead
    return whole
  }

  /// The change to the body: what the pool's options add, or the model's other name along the route.
  private func change(_ body: ByteBuffer) -> BodySplice? {
    guard let fields else { return nil }
    let added = body.withUnsafeReadableBytes {
      target.pool.dialect.addition(to: ByteSlice($0), fields, operation)
    }
    if let added { return added }
    guard let range = fields.modelRange, let model = fields.model else { return nil }
    let name = target.pool.dialect.upstreamModel(target.upstreamModel ?? model)
    return name == model ? nil : .model(range, with: name)
  }
}

// MARK: - Events from elsewhere

extension Exchange {
  func clientGone() {
    guard isActive else { return }
    let now = loop.clock.now()
    perform(machine.clientGone(now: now), now)
  }

  func shutDown() {
    guard isActive else { return }
    let now = loop.clock.now()
    perform(machine.shutDown(now: now), now)
  }

  func deadlineCame(_ now: Instant) {
    guard isActive else { return }
    if let due = machine.nextDeadline, due <= now {
      let target = target
      let loop = loop
      perform(
        machine.deadlineReached(now: now, random: loop.nextRandom()) { loop.withdrawRetry(target, now) }, now)
    }
    guard stage == .opening || stage == .streaming, commentDue <= now else { return }
    // From here on the client wants signs of life more than another try.
    if stage == .opening { openStream(with: nil, now) }
    if stage == .streaming { sendComment(now) }
    connection?.flush()
  }

  func writabilityChanged(_ isWritable: Bool) {
    guard isActive, isPaused == isWritable, link.isOpen else { return }
    isPaused = !isWritable
    if isPaused {
      machine.readingPaused()
    } else {
      machine.readingResumed(now: loop.clock.now())
      connection?.deadlineMoved(nextDeadline)
    }
    link.setReading(isWritable)
  }

  /// Forgets what an attempt that ended has left behind.
  private func forgetAnswer() {
    signing = nil
    responseHead = nil
    responseBytes = ByteBuffer()
    collected = ByteBuffer()
    isCollectedCut = false
    meter = nil
    streamTranslation = nil
    turned = []
    responseReader = nil
  }

  /// Lets go of everything that only another attempt would need.
  func forgetRequest() {
    if translatedBody.capacity > 0 { translatedBody = ByteBuffer() }
    guard let old = request else { return }
    loop.purse.refund(old.reserved)
    old.dropBytes()
    request = nil
  }

  /// Accounts for the exchange and hands the connection back.
  func complete(status: Int, closes: Bool = false, _ now: Instant) {
    self.status = status
    if stage == .streaming, let meter { measure = meter.measure(promptTokens: promptTokens) }
    record(now)
    if stage == .streaming { loop.metrics.update(on: loop.id) { $0.streamsOpen -= 1 } }
    stage = .idle
    forgetAnswer()
    recorded = nil
    complaint = nil
    translation = nil
    refusal = nil
    tail = nil
    if !heldEvent.isEmpty || heldEvent.isTorn { heldEvent = HeldEvent() }
    fields = nil
    link = .none
    forgetRequest()
    let connection = connection
    self.connection = nil
    connection?.exchangeEnded(closes: closes, now)
  }
}
