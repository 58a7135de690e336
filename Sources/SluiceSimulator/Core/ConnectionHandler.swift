internal import NIOCore
internal import NIOHTTP1

/// One client connection of HTTP/1.1: collects requests, answers them one after the other, and carries out the faults.
///
/// States of the connection:
/// - serving: requests are collected; at most one exchange runs, further requests (pipelining) wait in `queue`.
/// - resting: no exchange; perhaps a timer for a fault that strikes an idle connection.
/// - deaf: nothing that arrives is answered any more (hang, half close, drop, lingering close).
/// - closed.
///
/// Invariants: `exchange` is nil unless a counted or control request is being answered; of the exchange's timer and that
/// of `rest` one at most is set.
final class ConnectionHandler: ChannelInboundHandler, ConnectionGuest, TimerTarget {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = ByteBuffer

  private let core: SimulatorCore
  private let channel: any Channel
  private var context: ChannelHandlerContext?
  private var partial: SimulatedRequest?
  private var queue: [SimulatedRequest] = []
  private var exchange: Exchange?
  /// The plan of a request nobody answers.
  private var unanswered = false
  private let rest: Rest
  private var timer: SimulatorTimers.Token?
  private var scratch: [UInt8] = []
  private var isDeaf = false
  private var isBlocked = false
  private var closesOnReuse = false

  /// Pipelined requests beyond this are not read before earlier ones are answered.
  private static let maxQueued = 32

  init(_ core: SimulatorCore, channel: any Channel) {
    self.core = core
    self.channel = channel
    rest = Rest(core, channel: channel)
    rest.onSilence = { [unowned self] in isDeaf = true }
  }

  // MARK: Channel events

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    cancelTimer()
    if let exchange {
      if exchange.plan.isCounted { core.stats.requestCancelled(midStream: exchange.hasSentBytes) }
    } else if unanswered {
      core.stats.requestCancelled(midStream: false)
    }
    exchange = nil
    unanswered = false
    isDeaf = true
    queue.removeAll()
    partial = nil
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isDeaf else { return }
    switch unwrapInboundIn(data) {
    case .head(let head): began(head)
    case .body(let bytes): continued(bytes)
    case .end: completed()
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable, isBlocked {
      isBlocked = false
      pump()
    }
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard error is HTTPParserError, !isDeaf else {
      context.close(promise: nil)
      return
    }
    isDeaf = true
    guard exchange == nil, !unanswered else { return }
    send(bytes: Array("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".utf8))
    linger()
  }

  func shutDown() {
    if exchange?.plan.isCounted == true || unanswered { core.stats.requestBroken() }
    exchange = nil
    unanswered = false
    channel.close(promise: nil)
  }

  // MARK: Requests

  private func began(_ head: HTTPRequestHead) {
    if closesOnReuse {
      end(.close)
      return
    }
    rest.cancel()
    var request = SimulatedRequest(head: head)
    let declared = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
    request.isTooLarge = declared > core.options.maxBodyBytes
    if request.isTooLarge {
      accept(request)
      return
    }
    if head.headers.first(name: "expect")?.lowercased() == "100-continue", exchange == nil, queue.isEmpty {
      send(bytes: Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    }
    partial = request
  }

  private func continued(_ bytes: ByteBuffer) {
    guard partial != nil else { return }
    if partial?.body == nil {
      partial?.body = bytes
    } else {
      var bytes = bytes
      partial?.body?.writeBuffer(&bytes)
    }
    guard let request = partial, (request.body?.readableBytes ?? 0) > core.options.maxBodyBytes else { return }
    partial = nil
    var refused = request
    refused.body = nil
    refused.isTooLarge = true
    accept(refused)
  }

  private func completed() {
    guard let request = partial else { return }
    partial = nil
    accept(request)
  }

  private func accept(_ request: SimulatedRequest) {
    // The rest of a body that is too large is not worth reading.
    if request.isTooLarge { isDeaf = true }
    guard exchange == nil, !unanswered else {
      queue.append(request)
      if queue.count >= Self.maxQueued { setReading(false) }
      return
    }
    serve(request)
  }

  private func serveNext() {
    guard !queue.isEmpty, exchange == nil, !unanswered else { return }
    let request = queue.removeFirst()
    if queue.isEmpty { setReading(true) }
    serve(request)
  }

  private func setReading(_ isOn: Bool) {
    try? channel.syncOptions?.setOption(.autoRead, value: isOn)
  }

  private func serve(_ request: SimulatedRequest) {
    let plan = core.plan(request)
    let framing = ResponseFraming(
      isOld: request.head.version.major == 1 && request.head.version.minor == 0,
      closes: !request.head.isKeepAlive || request.isTooLarge || plan.fault == .goAway(.after)
        || isUnframed(plan, request))
    if let answer = plan.answer {
      if plan.isCounted { core.stats.answered(status: answer.status) }
      exchange = Exchange(answer, plan, framing: framing, isHead: request.method == .HEAD, core: core)
      pump()
      return
    }
    unanswered = true
    switch plan.fault {
    case .reset, .resetStream:
      end(.reset)
    case .goAway:
      end(.close)
    case .garbage:
      send(bytes: Array("\u{16}\u{3}not http at all\r\n\r\n\u{0}\u{1}\u{2}".utf8))
      end(.close)
    default:
      // Hangs: the client has to give up.
      isDeaf = true
    }
  }

  /// An HTTP/1.0 stream ends with the connection, as it has neither length nor chunks.
  private func isUnframed(_ plan: ExchangePlan, _ request: SimulatedRequest) -> Bool {
    guard case .stream? = plan.answer?.content else { return false }
    return request.head.version.minor == 0
  }

  // MARK: Sending

  /// Sends what is due, as long as the client takes it.
  private func pump() {
    while exchange != nil, !isBlocked {
      var out = channel.allocator.buffer(capacity: 1_024)
      let step = exchange?.produce(into: &out, scratch: &scratch, now: core.now) ?? .ended
      if out.readableBytes > 0, step != .ended { send(out) }
      // The write may have found the connection broken, which ends everything at once.
      guard exchange != nil else { return }
      switch step {
      case .more:
        isBlocked = !channel.isWritable
      case .wait(let due):
        timer = core.timers.schedule(at: due, self)
        return
      case .stalled:
        return
      case .ended:
        finish(out)
      case .broken(let end):
        self.end(end)
      }
    }
  }

  func timerFired() {
    timer = nil
    pump()
  }

  private func finish(_ last: ByteBuffer) {
    guard let exchange else { return }
    self.exchange = nil
    if exchange.plan.isCounted { core.stats.requestCompleted() }
    let isTooLarge = isDeaf && exchange.framing.closes
    let afterwards = exchange.framing.closes ? nil : exchange.plan.afterwards
    guard exchange.framing.closes || afterwards != nil else {
      send(last)
      serveNext()
      return
    }
    core.stats.sent(last.readableBytes)
    let isWritten = core.loop.makePromise(of: Void.self)
    isWritten.futureResult.assumeIsolated().whenSuccess {
      if let afterwards {
        self.strike(afterwards)
      } else if isTooLarge {
        self.linger()
      } else {
        self.channel.close(promise: nil)
      }
    }
    channel.writeAndFlush(last, promise: isWritten)
  }

  private func send(bytes: [UInt8]) {
    send(channel.allocator.buffer(bytes: bytes))
  }

  private func send(_ bytes: ByteBuffer) {
    core.stats.sent(bytes.readableBytes)
    // Past the decoder: the simulator writes its own bytes, since faults have a say in every one of them.
    channel.writeAndFlush(bytes, promise: nil)
  }

  // MARK: Ends

  /// Breaks the exchange off.
  private func end(_ end: Exchange.Break) {
    if exchange?.plan.isCounted == true || unanswered { core.stats.requestBroken() }
    exchange = nil
    unanswered = false
    isDeaf = true
    cancelTimer()
    if end != .close { SocketEnd.setReset(channel) }
    let isFlushed = core.loop.makePromise(of: Void.self)
    isFlushed.futureResult.assumeIsolated().whenComplete { _ in self.channel.close(promise: nil) }
    // Whatever was sent before must be in the kernel before the close, which drops what still waits.
    channel.writeAndFlush(ByteBuffer(), promise: isFlushed)
  }

  /// Carries out a fault between two requests.
  private func strike(_ fault: SimulatorFault.Kind) {
    guard channel.isActive else { return }
    switch fault {
    case .earlyClose(.afterAnswer):
      end(.close)
    case .earlyClose(.onReuse):
      closesOnReuse = true
      if !queue.isEmpty { end(.close) }
    case .halfClose:
      isDeaf = true
      queue.removeAll()
      channel.close(mode: .output, promise: nil)
    case .idleClose(let after): startRest(.close, after)
    case .drop(let after): startRest(.drop, after)
    default: break
    }
  }

  private func startRest(_ end: Rest.End, _ after: Duration) {
    guard queue.isEmpty, partial == nil, exchange == nil, !unanswered else {
      serveNext()
      return
    }
    rest.begin(end, after: FaultClock.nanoseconds(after))
  }

  /// Closes in a way that lets the client read the answer although it is still sending.
  private func linger() {
    isDeaf = true
    rest.linger()
  }

  private func cancelTimer() {
    if let timer { core.timers.cancel(timer) }
    timer = nil
    rest.cancel()
  }
}

/// Counts what arrives, in front of the decoder.
final class ByteCounter: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let core: SimulatorCore

  init(_ core: SimulatorCore) {
    self.core = core
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    core.stats.received(unwrapInboundIn(data).readableBytes)
    context.fireChannelRead(data)
  }
}
