import NIOCore
import NIOHPACK
import NIOHTTP2
import SluiceDialects
import SluicePolicy
import SluiceRuntime

/// One HTTP/2 connection to an upstream: all its streams in one handler on frames, above `NIOHTTP2Handler`, which reads
/// and writes frames, keeps the peer's windows and refuses what RFC 9113 forbids.
///
/// States and successors:
///   opening → open (the peer's first SETTINGS), closed
///   open → draining (GOAWAY, or stream numbers used up), closed
///   draining → closed
/// Invariants: each exchange's peer hears exactly one of `upstreamEnd` and `upstreamFailed`, unless it cancelled;
/// `closed` is reported once; a stream is in `streams` until both sides have ended it; a read is always outstanding,
/// since back-pressure is the streams' windows and never the socket.
///
/// Why not one channel per stream, as NIOHTTP2 offers: a request would cost a channel with its pipeline, promises and
/// buffers, where a small object does. `@unchecked Sendable`: all state is confined to `eventLoop`; only `close` and
/// `verify` may be called elsewhere, and they hop first.
final class HTTP2Connection: ChannelInboundHandler, SocketPath, @unchecked Sendable {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  enum Phase: UInt8 { case opening, open, draining, closed }

  /// Stream numbers are used once each; a connection that comes near the last one is replaced.
  static let lastStream: Int32 = 0x7FFF_FF00

  let eventLoop: any EventLoop
  let options: HTTPConnectionOptions
  let events: ResourceEvents?
  let clock: any MonotonicClock
  let monitor: DeadPathMonitor
  let isTLS: Bool
  /// Hears once: nil when the connection has come about, else why not.
  var onOpened: ((UpstreamFailure.Reason?) -> Void)?

  // The socket
  var context: ChannelHandlerContext?
  /// Below TLS, to end a connection without a farewell that nobody would answer.
  var socketContext: ChannelHandlerContext?
  var descriptor: CInt?
  var lastError: (any Error)?
  private var hasReportedClose = false

  // The streams
  var phase = Phase.opening
  var streams: [HTTP2StreamID: HTTP2Exchange] = [:]
  private var nextStream: Int32 = 1
  var capacity: Int
  /// Handed something on during this read, in this order.
  var touched: [HTTP2Exchange] = []
  /// Complete from the peer's side during this read; our side may not be.
  var completed: [HTTP2Exchange] = []
  var isInRead = false
  /// A frame of ours is on its way through the codec; what it says about it comes from inside the call.
  private(set) var isWriting = false
  private(set) var isStarting = false
  private var needsFlush = false
  /// An error that the codec reported and that no stream has claimed yet.
  var openFault: (any Error)?
  /// A stream that the codec closed for a fault, the word on which is still to come.
  var faulted: (stream: HTTP2StreamID, code: HTTP2ErrorCode)?
  /// Reset by the peer; its closing is no news.
  var lastReset: HTTP2StreamID?

  // Life
  /// Exchanges that ended well.
  var served = 0
  /// Turns with the next read.
  var reads: UInt64 = 0
  private var idleSince: NIODeadline
  var monitorIndex = -1
  var startedTick: UInt64 = 0
  var isPathProven = false
  /// The monitor's tick at which a PING went out that nothing has answered.
  var pingTick: UInt64?

  init(
    eventLoop: any EventLoop, options: HTTPConnectionOptions, events: ResourceEvents?, clock: any MonotonicClock,
    monitor: DeadPathMonitor, isTLS: Bool
  ) {
    self.eventLoop = eventLoop
    self.options = options
    self.events = events
    self.clock = clock
    self.monitor = monitor
    self.isTLS = isTLS
    capacity = min(options.http2.defaultStreams, options.http2.maxStreams)
    idleSince = eventLoop.now
  }

  var isOpen: Bool { phase == .open }
  var isActive: Bool { context?.channel.isActive ?? false }
  var isInExchange: Bool { !streams.isEmpty }
  var localAddress: SocketAddress? { context?.channel.localAddress }

  /// Sends a request. The peer is not called before this returns.
  func start(_ request: UpstreamRequest, peer: any UpstreamPeer) -> HTTP2Exchange {
    eventLoop.preconditionInEventLoop()
    if streams.isEmpty { becameBusy() }
    let isStale = eventLoop.now - idleSince >= .nanoseconds(options.staleAfter.nanoseconds)
    let exchange = HTTP2Exchange(
      self, peer: peer, isHead: request.isHead, isDoubtful: served > 0 || isStale && streams.isEmpty,
      reused: served > 0, readsBefore: reads)
    guard phase == .open, streams.count < options.http2.maxStreams else {
      failLater(exchange, .refused)
      return exchange
    }
    guard let head = HTTP2RequestHead(request.head, isTLS: isTLS, limits: options.limits) else {
      failLater(exchange, .unsendable)
      return exchange
    }
    exchange.begin(takeStream())
    streams[exchange.id] = exchange
    send(head, request, on: exchange)
    return exchange
  }

  private func takeStream() -> HTTP2StreamID {
    let id = HTTP2StreamID(nextStream)
    nextStream += 2
    if nextStream >= Self.lastStream { drain() }
    return id
  }

  private func send(_ head: HTTP2RequestHead, _ request: UpstreamRequest, on exchange: HTTP2Exchange) {
    isStarting = true
    var pieces = [head.rest, request.body].compactMap { $0 } + request.moreBody
    pieces.removeAll { $0.readableBytes == 0 }
    write(.headers(.init(headers: head.fields, endStream: pieces.isEmpty)), on: exchange.id)
    for (index, piece) in pieces.enumerated() {
      write(.data(.init(data: .byteBuffer(piece), endStream: index == pieces.count - 1)), on: exchange.id)
    }
    isPathProven = false
    isStarting = false
    flushSoon()
    guard let fault = openFault else { return }
    openFault = nil
    // Nothing of it was sent.
    streams[exchange.id] = nil
    failLater(exchange, fault is NIOHTTP2Errors.StreamError ? .unsendable : .refused)
  }

  func close(reason: CloseReason) {
    guard eventLoop.inEventLoop else { return eventLoop.execute { self.close(reason: reason) } }
    shut(reason, failing: .closedHere(reason))
  }

  /// The exchange's own side wants no more of it.
  func abandon(_ exchange: HTTP2Exchange, _ code: HTTP2ErrorCode) {
    guard streams.removeValue(forKey: exchange.id) != nil else { return }
    write(.rstStream(code), on: exchange.id)
    flushSoon()
    streamEnded()
  }

  func touch(_ exchange: HTTP2Exchange) {
    guard !exchange.isTouched, isInRead else { return }
    exchange.isTouched = true
    touched.append(exchange)
  }

  func grantWindow(_ bytes: Int, on stream: HTTP2StreamID) {
    guard phase != .closed, bytes > 0 else { return }
    write(.windowUpdate(windowSizeIncrement: bytes), on: stream)
    flushSoon()
  }
}

// Writing.
extension HTTP2Connection {
  func write(_ payload: HTTP2Frame.FramePayload, on stream: HTTP2StreamID) {
    isWriting = true
    context?.write(wrapOutboundOut(HTTP2Frame(streamID: stream, payload: payload)), promise: nil)
    isWriting = false
  }

  /// What was written in one turn of the event loop leaves in one system call.
  func flushSoon() {
    guard !needsFlush else { return }
    needsFlush = true
    if !isInRead { eventLoop.assumeIsolated().execute { self.flushNow() } }
  }

  func flushNow() {
    guard needsFlush else { return }
    needsFlush = false
    context?.flush()
  }
}

// Beginning and ending.
extension HTTP2Connection {
  private func becameBusy() {
    startedTick = monitor.exchangeStarted()
    pingTick = nil
  }

  /// A stream has left `streams`.
  func streamEnded() {
    if streams.isEmpty { idleSince = eventLoop.now }
  }

  /// No new streams; the pool replaces the connection.
  func drain() {
    guard phase == .open else { return }
    phase = .draining
    events?.draining()
  }

  func failure(_ reason: UpstreamFailure.Reason, of exchange: HTTP2Exchange) -> UpstreamFailure {
    UpstreamFailure(
      reason: reason, bytesReceived: exchange.bytesReceived, reused: exchange.reused,
      replaySafe: isReplaySafe(reason, exchange))
  }

  /// Since the request went out nothing at all has come on this connection: it may have been dead for long.
  private func isReplaySafe(_ reason: UpstreamFailure.Reason, _ exchange: HTTP2Exchange) -> Bool {
    switch reason {
    case .refused: true
    case .closed, .truncated, .reset, .deadPath: exchange.isDoubtful && reads == exchange.readsBefore
    default: false
    }
  }

  private func failLater(_ exchange: HTTP2Exchange, _ reason: UpstreamFailure.Reason) {
    eventLoop.assumeIsolated().execute { exchange.fail(self.failure(reason, of: exchange)) }
  }

  /// Closes. Exchanges that are still under way hear `reason`, before anything else can happen to them.
  func shut(_ closing: CloseReason, failing reason: UpstreamFailure.Reason) {
    guard phase != .closed else { return }
    let wasOpening = phase == .opening
    let idleFor = closing == .remoteClosed && streams.isEmpty && !wasOpening ? idleTime : nil
    phase = .closed
    let left = streams.values.sorted { $0.id < $1.id }
    streams = [:]
    release(idleFor: idleFor, wasOpening: wasOpening, news(closing, left))
    leave(politely: closing.isPolite && left.isEmpty)
    for exchange in left where !exchange.isComplete { exchange.fail(failure(reason, of: exchange)) }
    let opened = onOpened
    onOpened = nil
    opened?(reason)
  }

  private func leave(politely: Bool) {
    guard politely else {
      // TLS waits for the peer's farewell, which a dead path would never send.
      (socketContext ?? context)?.close(promise: nil)
      return
    }
    write(.goAway(lastStreamID: .rootStream, errorCode: .noError, opaqueData: nil), on: .rootStream)
    context?.flush()
    context?.close(promise: nil)
  }

  /// What the pool is told, should nobody have asked for it: whoever answers badly, or has begun to, was there.
  private func news(_ closing: CloseReason, _ left: [HTTP2Exchange]) -> CloseReason {
    switch closing {
    case .deadPath: .deadPath
    case .protocolError where !left.isEmpty: .protocolError
    case .remoteClosed where left.contains { $0.bytesReceived > 0 }: .broken
    default: .remoteClosed
    }
  }

  /// Gives up what is shared with others, and says so, once. What never opened is the connector's to report.
  private func release(idleFor: Interval?, wasOpening: Bool, _ news: CloseReason) {
    guard !hasReportedClose else { return }
    hasReportedClose = true
    monitor.remove(self)
    if !wasOpening { events?.closed(idleFor: idleFor, reason: news) }
  }

  private var idleTime: Interval { Interval(nanoseconds: (eventLoop.now - idleSince).nanoseconds) }
}

// Whether anybody is still there.
extension HTTP2Connection {
  var peerSpeaksUnasked: Bool { true }
  var isSent: Bool { context?.channel.isWritable ?? false }

  func isPathDead() -> Bool {
    if isSocketDead() { return true }
    let now = monitor.tick
    if let pingTick { return now &- pingTick >= Self.ticks(options.http2.pingTimeout) }
    if now &- startedTick >= Self.ticks(options.http2.pingAfter) {
      pingTick = now
      isPathProven = false
      write(.ping(HTTP2PingData(withInteger: now), ack: false), on: .rootStream)
      flushSoon()
    }
    return false
  }

  func pathDied() {
    guard isInExchange else { return }
    shut(.deadPath, failing: .deadPath)
  }

  private static func ticks(_ interval: Interval) -> UInt64 {
    UInt64(max(1, interval.nanoseconds / DeadPathMonitor.period.nanoseconds))
  }
}
