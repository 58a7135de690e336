package import NIOCore
import SluiceDialects
package import SluicePolicy
package import SluiceRuntime

/// One HTTP/1.1 connection to an upstream, as a channel handler on bytes: requests arrive serialised, responses leave as
/// slices of what was read. There is no codec below it, only TLS where the origin asks for it.
///
/// States and successors:
///   idle → head (start), closed
///   head → fixed | chunked | untilClose (head with a body), idle | spent (head without one), closed
///   fixed, chunked → idle | spent (the end), closed
///   untilClose → closed
///   spent → closed                    the exchange is over, and so is the connection's use
/// Invariants: there is a peer exactly in head, fixed, chunked and untilClose; each peer hears exactly one of
/// `upstreamEnd` and `upstreamFailed`, unless it cancelled; `closed` is reported once; a byte that no exchange asked
/// for ends the connection, so the next response can never be taken for somebody else's; a read is outstanding while
/// idle, so the end of a connection is noticed when it happens and not when it is needed.
///
/// Why not the standard HTTP/1 handlers: they cost about as much as the whole rest of proxying (measured), and their
/// response decoder is lenient about ends. Why `@unchecked Sendable`: all state is confined to `eventLoop`; only `close`
/// and `verify` may be called elsewhere, and they hop first.
package final class HTTPConnection: ChannelInboundHandler, UpstreamExchange, SocketPath, @unchecked Sendable {
  package typealias InboundIn = ByteBuffer
  package typealias OutboundOut = ByteBuffer

  enum Phase: UInt8 {
    case idle, head, fixed, chunked, untilClose, spent, closed
  }

  package let eventLoop: any EventLoop
  let options: HTTPConnectionOptions
  let events: ResourceEvents?
  let clock: any MonotonicClock
  package let monitor: DeadPathMonitor
  let isTLS: Bool

  // The socket
  var context: ChannelHandlerContext?
  /// Below TLS, to end a connection without a farewell that nobody would answer.
  var socketContext: ChannelHandlerContext?
  package internal(set) var descriptor: CInt?
  var lastError: (any Error)?
  var hasReportedClose = false
  var monitorIndex = -1

  // The exchange
  var phase = Phase.idle
  var peer: (any UpstreamPeer)?
  /// Changes with every start and end: callbacks may do either, and whoever called them looks here afterwards.
  var exchange: UInt64 = 0
  var isHead = false
  var keepAlive = true
  var isDoubtful = false
  var bytesReceived = 0
  var informational = 0
  var wantsRead = true
  var hasDelivered = false
  /// The monitor's tick during which the exchange began.
  package internal(set) var startedTick: UInt64 = 0
  /// The whole request was acknowledged.
  package internal(set) var isPathProven = false
  /// A read is being handed on. What it still brings was sent before a request that starts meanwhile.
  var isInRead = false
  var startedInRead = false
  /// What happened while `start` was still writing; handled right after it.
  var isStarting = false
  var whileStarting = Deferred()

  // The response being read
  var partialHead: ByteBuffer?
  var headSearch = HeadEndSearch()
  /// The latest head's index: its memory serves for the next one once nobody else reads it.
  var spareHeaders = HeaderIndex()
  var remaining = 0
  var decoder = ChunkedDecoder()
  var ranges: [ByteRange] = []

  // Between exchanges
  /// Exchanges that ended well.
  package internal(set) var served = 0
  var idleSince: NIODeadline
  /// Seconds of the latest `keep-alive: timeout=N`, told to the pool when it changes: the pool leaves before.
  var announcedLimit: Int?

  struct Deferred {
    var bytes: ByteBuffer?
    var isInactive = false
  }

  package init(
    eventLoop: any EventLoop, options: HTTPConnectionOptions, events: ResourceEvents?, clock: any MonotonicClock,
    monitor: DeadPathMonitor, isTLS: Bool
  ) {
    self.eventLoop = eventLoop
    self.options = options
    self.events = events
    self.clock = clock
    self.monitor = monitor
    self.isTLS = isTLS
    idleSince = eventLoop.now
  }

  package var isOpen: Bool { phase != .closed && phase != .spent }
  /// Our end of the connection; nil once it is gone.
  package var localAddress: SocketAddress? { context?.channel.localAddress }
  var isActive: Bool { context?.channel.isActive ?? false }
  var isInExchange: Bool { peer != nil }
  var peerSpeaksUnasked: Bool { isTLS }
  func isPathDead() -> Bool { isSocketDead() }

  func pathDied() {
    guard isInExchange else { return }
    fail(.deadPath, closing: .deadPath)
  }

  /// Sends a request. On `eventLoop`, when no exchange is under way; the peer is kept until it heard of the end.
  ///
  /// Head and body leave in one vectored write. A connection that has closed meanwhile fails the exchange as
  /// `replaySafe`: nothing was sent.
  package func start(_ request: UpstreamRequest, peer: any UpstreamPeer) {
    eventLoop.preconditionInEventLoop()
    precondition(self.peer == nil, "one exchange at a time")
    guard phase == .idle, let context else { return refuse(peer) }
    begin(request, peer: peer)
    isStarting = true
    if request.body == nil, request.moreBody.isEmpty {
      context.writeAndFlush(wrapOutboundOut(request.head), promise: nil)
    } else {
      context.write(wrapOutboundOut(request.head), promise: nil)
      if let body = request.body { context.write(wrapOutboundOut(body), promise: nil) }
      for piece in request.moreBody { context.write(wrapOutboundOut(piece), promise: nil) }
      context.flush()
    }
    isStarting = false
    // Idle connections have a read outstanding, so none is asked for here.
    if whileStarting.bytes != nil || whileStarting.isInactive { resumeLater() }
  }

  /// The exchange is not wanted any more. The peer hears nothing further; the connection closes, which is how HTTP/1
  /// tells the upstream. On `eventLoop`.
  package func cancel() {
    eventLoop.preconditionInEventLoop()
    guard peer != nil else { return }
    peer = nil
    shut(reason: .cancelled)
  }

  /// Withholds reading while the peer cannot take more. What is already in the kernel's buffer still comes when the
  /// upstream closes: at most `receiveBufferBytes`. On `eventLoop`.
  package func setReading(_ on: Bool) {
    eventLoop.preconditionInEventLoop()
    guard wantsRead != on else { return }
    wantsRead = on
    if on, phase != .closed { context?.read() }
  }

  package func verify(deadline: Instant, _ done: @escaping @Sendable (Bool) -> Void) {
    verifyPath(deadline: deadline, done)
  }

  package func close(reason: CloseReason) {
    guard eventLoop.inEventLoop else { return eventLoop.execute { self.close(reason: reason) } }
    shut(reason: reason)
  }
}

extension HTTPConnection {
  private func begin(_ request: UpstreamRequest, peer: any UpstreamPeer) {
    exchange &+= 1
    self.peer = peer
    phase = .head
    isHead = request.isHead
    keepAlive = request.keepAlive
    bytesReceived = 0
    informational = 0
    wantsRead = true
    startedInRead = isInRead
    isPathProven = false
    isDoubtful = served > 0 || eventLoop.now - idleSince >= .nanoseconds(options.staleAfter.nanoseconds)
    startedTick = monitor.exchangeStarted()
  }

  /// Answers a start on a connection that is gone, after the caller has returned from it.
  private func refuse(_ peer: any UpstreamPeer) {
    exchange &+= 1
    let mine = exchange
    self.peer = peer
    let failure = UpstreamFailure(reason: .closed, bytesReceived: 0, reused: served > 0, replaySafe: true)
    eventLoop.assumeIsolated().execute {
      guard self.exchange == mine, let peer = self.peer else { return }
      self.peer = nil
      peer.upstreamFailed(failure)
    }
  }

  /// Writing can find the connection closed, which makes NIO hand over what was still unread: not from inside `start`.
  private func resumeLater() {
    eventLoop.assumeIsolated().execute {
      let late = self.whileStarting
      self.whileStarting = Deferred()
      if let bytes = late.bytes {
        self.received(bytes)
        self.readCompleted()
      }
      if late.isInactive { self.ended() }
    }
  }

  /// The exchange is complete; `leftover` are bytes behind its end, which nobody asked for.
  func finish(leftover: Int) {
    guard let peer else { return }
    self.peer = nil
    exchange &+= 1
    served += 1
    wantsRead = true
    hasDelivered = false
    idleSince = eventLoop.now
    let reusable = keepAlive && leftover == 0 && isSent && phase != .closed
    if phase != .closed { phase = reusable ? .idle : .spent }
    let mine = exchange
    peer.upstreamEnd(reusable: reusable)
    if !reusable, exchange == mine { shut(reason: leftover > 0 ? .protocolError : .remoteClosed) }
  }

  /// The exchange, if there is one, broke. Closes the connection before the peer hears of it.
  func fail(_ reason: UpstreamFailure.Reason, closing: CloseReason) {
    let peer = peer
    self.peer = nil
    let failure = UpstreamFailure(
      reason: reason, bytesReceived: bytesReceived, reused: served > 0, replaySafe: isReplaySafe(reason))
    shut(reason: closing, news: news(reason, closing))
    peer?.upstreamFailed(failure)
  }

  /// What the pool is told: an answer that cannot be read or ends in the middle shows that the path was there. A late
  /// 408 is the remote side's idle limit and told like any other close.
  private func news(_ reason: UpstreamFailure.Reason, _ closing: CloseReason) -> CloseReason {
    switch reason {
    case .closed, .truncated, .reset: bytesReceived > 0 ? .broken : closing
    default: closing
    }
  }

  /// A response may overtake its request; what is not sent yet would be read as part of the next one. The water marks
  /// are set so that a channel is writable exactly when nothing is left to write.
  var isSent: Bool { context?.channel.isWritable ?? false }

  private func isReplaySafe(_ reason: UpstreamFailure.Reason) -> Bool {
    switch reason {
    case .idleTimeoutAnswer: true
    case .closed, .truncated, .reset, .deadPath: isDoubtful && bytesReceived == 0
    default: false
    }
  }

  /// Closes. A peer that is still there hears of it. `news`: what is said about it, should nobody have asked for it.
  func shut(reason: CloseReason, idleFor: Interval? = nil, news: CloseReason = .remoteClosed) {
    guard phase != .closed else { return }
    phase = .closed
    exchange &+= 1
    let peer = peer
    self.peer = nil
    release(idleFor: idleFor, news)
    // TLS waits for the peer's farewell, which a cancelled upstream or a dead path would delay or never send.
    let exit = reason.isPolite && peer == nil ? context : socketContext ?? context
    exit?.close(promise: nil)
    peer?.upstreamFailed(
      UpstreamFailure(
        reason: .closedHere(reason), bytesReceived: bytesReceived, reused: served > 0, replaySafe: false))
  }

  /// Gives up what is shared with others, and says so, once.
  func release(idleFor: Interval?, _ news: CloseReason) {
    guard !hasReportedClose else { return }
    hasReportedClose = true
    monitor.remove(self)
    partialHead = nil
    events?.closed(idleFor: idleFor, reason: news)
  }
}

extension CloseReason {
  /// The connection is in order and only not needed any more.
  var isPolite: Bool {
    switch self {
    case .idle, .idleLimit, .age, .drained, .excess, .recycled, .shutdown: true
    case .broken, .remoteClosed, .connectFailed, .verification, .protocolError, .cancelled, .clockJump, .deadPath:
      false
    }
  }
}
