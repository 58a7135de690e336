import NIOCore
import SluiceDialects
import SluicePolicy
import SluiceRuntime

/// One client connection: reads requests strictly, one after the other, and lets each be answered before the next one
/// is looked at.
///
/// Phases and successors:
///   head → body (a head with a body) | answering (without one, or refused) | closed
///   body → answering | closed
///   answering → head (the answer is complete) | lingering | closed
///   lingering → closed        the last answer is out; what the client still sends is dropped until it sees it
/// Invariants: bytes behind the current request are kept, at most `maxPipelinedBytes` plus one read, and then nothing
/// more is read; no request is begun, and nothing read, while earlier answers pile up unsent; a connection whose request could not be understood or was not read to its end is never used again;
/// there is at most one timer, armed for the earliest thing to happen.
///
/// Confined to the channel's event loop, which `@unchecked Sendable` relies on.
final class InboundConnection: ChannelInboundHandler, DeadlineTarget, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  enum Phase: UInt8 { case head, body, answering, lingering, closed }

  let loop: LoopContext
  let timer: DeadlineTimer
  var context: ChannelHandlerContext?
  var peer = ClientPeer(isLocal: false)
  /// Place in the loop's list.
  var index = -1

  var phase = Phase.head
  /// What arrived and has not been looked at.
  var pending = ByteBuffer()
  private var search = HeadEndSearch()
  private var isReadWithheld = false
  private var isProcessing = false
  private var lingered = 0

  // The request under way
  var began: Instant?
  var configuration: GatewayConfiguration
  var request: InboundRequest?
  /// The object of the latest request; used again when nobody else holds it.
  private var latest: InboundRequest?
  var adminPath: String?
  private var collector: BodyCollector?
  var callerKey: Int?
  var isLastRequest = false
  var isOldClient = false
  /// The answer must have no body.
  var isHead = false
  var exchange: Exchange?
  /// Counts answers, so that a late word of the administration side cannot reach another client request.
  var answerNumber: UInt64 = 0
  /// The request that the administration side has not begun to answer.
  var awaitedAnswer: RequestID?

  var deadline = Instant.distantFuture
  var armed = Instant.distantFuture
  /// Bytes that the client had not taken when the deadline came last.
  var unsentBefore = Int.max
  private var out = ByteBuffer()

  init(loop: LoopContext) {
    self.loop = loop
    configuration = loop.configuration
    timer = DeadlineTimer(loop: loop.loop, clock: loop.clock)
  }

  var limits: GatewayLimits { configuration.limits }

  // MARK: - The channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { opened(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    opened(context)
    context.fireChannelActive()
  }

  private func opened(_ context: ChannelHandlerContext) {
    guard index < 0, phase != .closed else { return }
    peer = ClientPeer(remote: context.remoteAddress, local: context.localAddress)
    loop.add(self)
    setDeadline(loop.clock.now() + limits.idleTimeout)
    if loop.isDraining { return close() }
    context.read()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var buffer = unwrapInboundIn(data)
    switch phase {
    case .closed: return
    case .lingering:
      lingered += buffer.readableBytes
      if lingered > limits.maxLingerBytes { close() }
      return
    case .head, .body, .answering:
      if pending.readableBytes == 0 { pending = buffer } else { pending.writeBuffer(&buffer) }
    }
    process()
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReadWithheld = !mayRead
    if !isReadWithheld { context.read() }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    exchange?.writabilityChanged(context.channel.isWritable)
    guard context.channel.isWritable else { return }
    process()
    readOn()
  }

  private var mayRead: Bool {
    switch phase {
    case .closed: false
    case .answering: pending.readableBytes < limits.maxPipelinedBytes
    case .head: isWritable
    case .body, .lingering: true
    }
  }

  private func readOn() {
    guard isReadWithheld, mayRead else { return }
    isReadWithheld = false
    context?.read()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    ended()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    ended()
    self.context = nil
  }

  /// The client is gone, or we closed the connection.
  private func ended() {
    guard phase != .closed else { return }
    phase = .closed
    timer.cancel()
    exchange?.clientGone()
    exchange = nil
    dropRequest()
    pending = ByteBuffer()
    loop.connectionCount.withLock { $0 -= 1 }
    loop.remove(self)
  }

  func dropRequest() {
    if let collector { loop.purse.refund(collector.reserved) }
    if let request { loop.purse.refund(request.reserved) }
    collector = nil
    request = nil
    adminPath = nil
    awaitedAnswer = nil
  }
}

// MARK: - Reading requests

extension InboundConnection {
  /// Looks at what is pending until more is needed or an answer is under way.
  private func process() {
    guard !isProcessing else { return }
    isProcessing = true
    defer { isProcessing = false }
    while true {
      switch phase {
      // A client that does not read its answers gets no further ones.
      case .head: guard isWritable, readHead() else { return }
      case .body: guard readBody() else { return }
      case .answering, .lingering, .closed: return
      }
    }
  }

  private func readHead() -> Bool {
    guard pending.readableBytes > 0 else { return false }
    if began == nil {
      began = loop.clock.now()
      configuration = loop.configuration
      isHead = false
    }
    var search = search
    let limits = limits
    var spare = takeSpareHeaders()
    let parse = pending.withUnsafeReadableBytes {
      RequestHeadParser.parse($0, limits: limits.http, search: &search, reusing: &spare)
    }
    self.search = search
    switch parse {
    case .incomplete:
      setDeadline((began ?? .distantFuture) + limits.headTimeout)
      return false
    case .invalid(let error):
      refuse(malformed: error)
    case .complete(let head, let consumed):
      self.search = HeadEndSearch()
      guard let bytes = pending.readSlice(length: consumed) else { return false }
      headArrived(head, bytes)
    }
    return true
  }

  private func headArrived(_ head: RequestHead, _ bytes: ByteBuffer) {
    isOldClient = head.version == .zero
    isHead = head.method == .head
    isLastRequest = !head.keepAlive || isOldClient || loop.isDraining
    callerKey = nil
    var admission = Admission.refused(GatewayError(.internalError), .openai, allow: nil)
    bytes.withUnsafeReadableBytes { admission = admit(head, $0) }
    switch admission {
    case .refused(let error, let surface, let allow):
      isLastRequest = isLastRequest || !head.bodyLength.isEmpty
      return answer(error, surface: surface, allow: allow)
    case .admin(let path):
      adminPath = path
      begin(
        head, bytes, SurfaceMatch(surface: .openai, operation: .models), Caller(key: nil, priority: .normal))
    case .surface(let match, let caller):
      callerKey = caller.key
      begin(head, bytes, match, caller)
    }
    awaitBody(head)
  }

  private func begin(_ head: RequestHead, _ bytes: ByteBuffer, _ match: SurfaceMatch, _ caller: Caller) {
    let id = RequestID(loop.nextRandom())
    let began = began ?? loop.clock.now()
    if isKnownUniquelyReferenced(&latest), let latest {
      latest.become(id: id, began: began, head: head, bytes: bytes, match: match, caller: caller)
    } else {
      latest = InboundRequest(id: id, began: began, head: head, bytes: bytes, match: match, caller: caller)
    }
    request = latest
  }

  private func takeSpareHeaders() -> HeaderIndex {
    guard isKnownUniquelyReferenced(&latest) else { return HeaderIndex() }
    return latest?.head.takeHeaders() ?? HeaderIndex()
  }

  private func awaitBody(_ head: RequestHead) {
    guard !head.bodyLength.isEmpty else { return requestComplete() }
    let limit = adminPath == nil ? limits.maxRequestBody : AdminRequest.maxBodyBytes
    if case .fixed(let count) = head.bodyLength, count > limit { return refuseBody(.bodyTooLarge) }
    let now = loop.clock.now()
    collector = BodyCollector(
      length: head.bodyLength, limit: limit, http: limits.http,
      pace: BodyPace(began: now, pause: limits.bodyTimeout, rate: limits.minBodyRate))
    phase = .body
    // What is here already is read next, and then it is known whether there is anything to wait for.
    guard pending.readableBytes == 0 else { return }
    setDeadline(now + limits.bodyTimeout)
    guard head.expectContinue else { return }
    context?.writeAndFlush(wrapOutboundOut(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
  }

  private func readBody() -> Bool {
    guard pending.readableBytes > 0 else { return false }
    guard let outcome = collector?.take(from: &pending, &loop.purse) else { return false }
    switch outcome {
    case .needMore:
      let now = loop.clock.now()
      setDeadline(collector?.deadline(now) ?? now + limits.bodyTimeout)
      return false
    case .complete:
      request?.body = collector?.body ?? ByteBuffer()
      request?.reserved = collector?.reserved ?? 0
      collector = nil
      requestComplete()
    case .tooLarge: refuseBody(.bodyTooLarge)
    case .noMemory: refuseBody(.bufferFull)
    case .malformed(let error): refuse(malformed: error)
    }
    return true
  }

  private func requestComplete() {
    phase = .answering
    guard let request else { return }
    self.request = nil
    guard let path = adminPath else { return dispatch(request) }
    adminPath = nil
    answerAdministrator(path, request)
  }

  private func refuseBody(_ code: GatewayErrorCode) {
    let surface = request?.match.surface ?? .openai
    isLastRequest = true
    dropRequest()
    answer(GatewayError(code, retryAfter: code == .bufferFull ? .seconds(1) : nil), surface: surface)
  }

  /// After bytes that are no HTTP nothing on the connection can be trusted.
  private func refuse(malformed error: HTTPParseError) {
    loop.metrics.update(on: loop.id) { $0.malformed[error, default: 0] &+= 1 }
    let surface = request?.match.surface ?? .openai
    isLastRequest = true
    dropRequest()
    let code: GatewayErrorCode =
      switch error.status {
      case 414: .targetTooLong
      case 431: .headTooLarge
      case 501: .notImplemented
      default: .malformedRequest
      }
    answer(
      GatewayError(code, message: "\(code.advice) (\(error.label))", status: error.status), surface: surface)
  }
}

// MARK: - Writing answers

extension InboundConnection {
  /// The head of an answer, with a small body right behind it.
  func writeHead(_ bytes: [UInt8], followedBy body: ByteBuffer?) {
    out.clear(minimumCapacity: bytes.count + (body?.readableBytes ?? 0))
    out.writeBytes(bytes)
    if let body { out.writeImmutableBuffer(body) }
    write(out)
  }

  /// Gives up the memory in which heads are put together, until the next one.
  func dropOutput() { out = ByteBuffer() }

  func write(_ buffer: ByteBuffer) {
    context?.write(wrapOutboundOut(buffer), promise: nil)
  }

  func flush() {
    context?.flush()
  }

  var isWritable: Bool { context?.channel.isWritable ?? false }

  /// Whether the connection ends with this answer.
  func willClose(framing: AnswerFraming) -> Bool {
    isLastRequest || loop.isDraining || framing == .untilClose
  }

  /// The answer is out. The next request may be waiting already.
  func exchangeEnded(closes: Bool, _ now: Instant) {
    if exchange?.isRetired == true { exchange = nil }
    answerEnded(closes: closes, now)
  }

  func answerEnded(closes: Bool, _ now: Instant) {
    guard phase == .answering else { return }
    answerNumber &+= 1
    began = nil
    latest?.dropBytes()
    guard !closes, !isLastRequest, !loop.isDraining else { return closeAfterAnswer(now) }
    phase = .head
    unsentBefore = .max
    setDeadline(now + limits.idleTimeout)
    readOn()
    guard pending.readableBytes > 0 else { return pending = ByteBuffer() }
    // Not from inside the exchange that just ended.
    if !isProcessing { loop.loop.assumeIsolated().execute { self.process() } }
  }

  /// Says that nothing more follows, and gives the client the time to read the answer before the connection goes: with
  /// unread bytes in the kernel a close would be a reset, which can overtake the answer.
  func closeAfterAnswer(_ now: Instant) {
    guard let context else { return }
    phase = .lingering
    unsentBefore = .max
    pending = ByteBuffer()
    // A slow client may take its time to read; only then the short wait begins.
    setDeadline(now + limits.idleTimeout)
    let flushed = loop.loop.makePromise(of: Void.self)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: flushed)
    flushed.futureResult.assumeIsolated().whenComplete { _ in self.shutOutput() }
    readOn()
  }

  private func shutOutput() {
    guard phase == .lingering, let context else { return }
    setDeadline(loop.clock.now() + limits.lingerTimeout)
    context.close(mode: .output, promise: nil)
  }

  /// Ends an answer in the middle, so that the client cannot take it for whole.
  func cutAnswer(framing: AnswerFraming) {
    guard phase == .answering, let context else { return }
    answerNumber &+= 1
    // Where only the end of the connection marks the end of an answer, it has to look like an accident.
    if framing == .untilClose, let socket = context.channel as? any SocketOptionProvider {
      // `struct linger`: on, for zero seconds.
      let linger: (Int32, Int32) = (1, 0)
      socket.unsafeSetSocketOption(level: .socket, name: .so_linger, value: linger).whenFailure { _ in }
    }
    context.close(promise: nil)
  }

  func close() {
    context?.close(promise: nil)
  }
}
