internal import Logging
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP1
internal import NIOHTTP2

/// One client connection of HTTP/2: keeps its streams, each of which answers one request, and carries out the faults that
/// strike the connection as a whole.
///
/// States: serving → going away (GOAWAY sent: no stream above `lastTaken` is looked at, closed when the last one has
/// ended) → deaf (nothing that arrives is answered any more) → closed; each may go to any later one. Invariants: a stream
/// is in `streams` until it has been answered, reset or dropped; `rest` runs only while there is none.
final class HTTP2Session: ChannelInboundHandler, ConnectionGuest {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  let core: SimulatorCore
  private let channel: any Channel
  private let rest: Rest
  private var context: ChannelHandlerContext?
  private var streams: [HTTP2StreamID: HTTP2Stream] = [:]
  private var newest = HTTP2StreamID.rootStream
  /// The newest stream that was begun to be answered.
  private var newestServed = HTTP2StreamID.rootStream
  private var isGoingAway = false
  private var isDeaf = false
  private var closesOnReuse = false
  /// Strikes as soon as there is no stream.
  private var pending: SimulatorFault.Kind?
  /// For frames of answers; they are made one after the other.
  var scratch: [UInt8] = []

  /// Bytes of a request that may be on their way before the simulator has seen any.
  private static let window = 1 << 20

  init(_ core: SimulatorCore, channel: any Channel) {
    self.core = core
    self.channel = channel
    rest = Rest(core, channel: channel)
    rest.onSilence = { [unowned self] in isDeaf = true }
  }

  static func makeCodec(_ core: SimulatorCore) -> NIOHTTP2Handler {
    var connection = NIOHTTP2Handler.ConnectionConfiguration()
    connection.initialSettings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: core.maxConcurrentStreams),
      HTTP2Setting(parameter: .initialWindowSize, value: window),
      HTTP2Setting(parameter: .maxHeaderListSize, value: 1 << 16),
    ]
    // A client that gives up a thousand calls at once is what the simulator is for.
    connection.controlFrameRateLimit.maximumCount = 100_000
    connection.maximumRecentlyResetStreams = 10_000
    connection.maximumConnectionGlitches = 100_000
    var stream = NIOHTTP2Handler.StreamConfiguration()
    stream.streamResetFrameRateLimit.maximumCount = 100_000
    return NIOHTTP2Handler(
      mode: .server, frameDelegate: nil, connectionConfiguration: connection, streamConfiguration: stream)
  }

  var openStreams: Int { streams.count }

  // MARK: Channel events

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelInactive(context: ChannelHandlerContext) {
    rest.cancel()
    isDeaf = true
    for stream in takeStreams() { stream.end(.cancelled) }
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isDeaf else { return }
    let frame = unwrapInboundIn(data)
    switch frame.payload {
    case .headers(let content): received(content, on: frame.streamID)
    case .data(let content): received(content, on: frame.streamID)
    case .rstStream: streams.removeValue(forKey: frame.streamID)?.end(.cancelled)
    default: break
    }
    becameIdle()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let closed = event as? StreamClosedEvent { streams.removeValue(forKey: closed.streamID)?.end(.broken) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    // Frames for a stream that the client has just given up.
    case is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.NoSuchStream, is NIOHTTP2Errors.StreamClosed,
      is NIOHTTP2Errors.BadStreamStateTransition:
      break
    // Or for one that was turned back: the codec takes them for an error, and cannot say so behind our GOAWAY.
    case is NIOHTTP2Errors.RaisedGoawayLastStreamID where isGoingAway: break
    // Or it sends on after our GOAWAY, when the codec is done with the last stream: what that stream was answered is
    // still on its way.
    case is NIOHTTP2Errors.IOOnClosedConnection: break
    // The codec has told the client what is wrong.
    default:
      core.logger.notice(
        "a connection of HTTP/2 is cut off", metadata: ["error": "\(error)", "streams": "\(streams.count)"])
      context.close(promise: nil)
    }
  }

  func shutDown() {
    for stream in takeStreams() { stream.end(.broken) }
    channel.close(promise: nil)
  }

  private func takeStreams() -> [HTTP2Stream] {
    defer { streams = [:] }
    return streams.values.sorted { $0.id < $1.id }
  }

  // MARK: Requests

  private func received(_ content: HTTP2Frame.FramePayload.Headers, on id: HTTP2StreamID) {
    // Fields behind the body are of no interest.
    if let stream = streams[id] { return content.endStream ? stream.completed() : () }
    guard id > newest else { return }
    newest = id
    rest.cancel()
    if closesOnReuse { return breakOff(.close) }
    guard let head = HTTP2Head.request(content.headers) else { return reset(id, .protocolError) }
    let stream = HTTP2Stream(id, head, self)
    streams[id] = stream
    stream.begin(isComplete: content.endStream)
  }

  private func received(_ content: HTTP2Frame.FramePayload.Data, on id: HTTP2StreamID) {
    guard case .byteBuffer(let bytes) = content.data else { return }
    if bytes.readableBytes > 0 { write(.windowUpdate(windowSizeIncrement: bytes.readableBytes), on: .rootStream) }
    if let stream = streams[id] {
      if bytes.readableBytes > 0, !content.endStream, stream.takesMore {
        write(.windowUpdate(windowSizeIncrement: bytes.readableBytes), on: id)
      }
      stream.continued(bytes)
      if content.endStream { stream.completed() }
    }
    context?.flush()
  }

  func serves(_ stream: HTTP2StreamID) { newestServed = max(newestServed, stream) }

  /// A stream has been answered to its end.
  func ended(_ stream: HTTP2Stream, afterwards: SimulatorFault.Kind?) {
    streams[stream.id] = nil
    if let afterwards { pending = afterwards }
    becameIdle()
  }

  private func becameIdle() {
    guard streams.isEmpty, !isDeaf else { return }
    if isGoingAway { return leave() }
    guard let fault = pending else { return }
    pending = nil
    strike(fault)
  }

  // MARK: Faults

  /// Carries out a fault between two requests.
  private func strike(_ fault: SimulatorFault.Kind) {
    switch fault {
    case .earlyClose(.afterAnswer): breakOff(.close)
    case .earlyClose(.onReuse): closesOnReuse = true
    case .halfClose:
      isDeaf = true
      channel.close(mode: .output, promise: nil)
    case .idleClose(let after): rest.begin(.close, after: FaultClock.nanoseconds(after))
    case .drop(let after): rest.begin(.drop, after: FaultClock.nanoseconds(after))
    default: break
    }
  }

  /// Streams above the last one are not answered, those up to it are.
  func goAway(after last: HTTP2StreamID) {
    isGoingAway = true
    write(.goAway(lastStreamID: last, errorCode: .noError, opaqueData: nil), on: .rootStream)
    context?.flush()
    becameIdle()
  }

  /// The newest stream is the last one, or `stream` is the first that is not looked at.
  ///
  /// A stream whose body was late may be older than one that is answered already; GOAWAY cannot refuse it alone.
  func goAway(_ mode: SimulatorFault.GoAwayMode, at stream: HTTP2StreamID) {
    switch mode {
    case .after: if !isGoingAway { goAway(after: newest) }
    case .before where newestServed < stream: goAway(after: stream.previous)
    case .before:
      if !isGoingAway { goAway(after: newestServed) }
      streams.removeValue(forKey: stream)?.end(.broken)
      reset(stream, .refusedStream)
    }
  }

  /// Ends a stream, or everything, in a way that no client asked for.
  func breakOff(_ end: Exchange.Break, at stream: HTTP2Stream? = nil) {
    if case .resetStream(let error) = end, let stream {
      streams.removeValue(forKey: stream.id)?.end(.broken)
      return reset(stream.id, error.code)
    }
    isDeaf = true
    rest.cancel()
    for stream in takeStreams() { stream.end(.broken) }
    if end == .garbage {
      let codec = try? channel.pipeline.syncOperations.context(handlerType: NIOHTTP2Handler.self)
      // No frame has this type and this length.
      codec?.write(NIOAny(ByteBuffer(bytes: [UInt8](repeating: 0xFF, count: 64))), promise: nil)
    }
    if end == .reset { SocketEnd.setReset(channel) }
    close()
  }

  private func close() {
    whenFlushed { $0.channel.close(promise: nil) }
  }

  /// The client may still be sending, for streams that it will hear were turned back: a close would take away from it
  /// what it has not read yet.
  private func leave() {
    whenFlushed { $0.rest.linger() }
  }

  private func whenFlushed(_ body: @escaping (HTTP2Session) -> Void) {
    isDeaf = true
    let isFlushed = core.loop.makePromise(of: Void.self)
    isFlushed.futureResult.assumeIsolated().whenComplete { _ in body(self) }
    // Below the codec: whatever was sent before must be in the kernel before the close.
    let codec = try? channel.pipeline.syncOperations.context(handlerType: NIOHTTP2Handler.self)
    guard let codec else { return isFlushed.succeed() }
    codec.writeAndFlush(NIOAny(ByteBuffer()), promise: isFlushed)
  }

  // MARK: Frames

  func allow(streams: Int) {
    write(.settings(.settings([HTTP2Setting(parameter: .maxConcurrentStreams, value: streams)])), on: .rootStream)
    context?.flush()
  }

  private func reset(_ id: HTTP2StreamID, _ code: HTTP2ErrorCode) {
    write(.rstStream(code), on: id)
    context?.flush()
    becameIdle()
  }

  func write(_ payload: HTTP2Frame.FramePayload, on stream: HTTP2StreamID, promise: EventLoopPromise<Void>? = nil) {
    guard let context else { promise?.fail(ChannelError.ioOnClosedChannel); return }
    context.write(wrapOutboundOut(HTTP2Frame(streamID: stream, payload: payload)), promise: promise)
  }

  func flush() { context?.flush() }

  func buffer() -> ByteBuffer { channel.allocator.buffer(capacity: 1_024) }
}

extension HTTP2StreamID {
  /// The client's stream before this one.
  fileprivate var previous: HTTP2StreamID {
    let number = Int32(self)
    return number <= 2 ? .rootStream : HTTP2StreamID(number - 2)
  }
}

extension SimulatorFault.StreamError {
  fileprivate var code: HTTP2ErrorCode {
    switch self {
    case .internalError: .internalError
    case .refusedStream: .refusedStream
    case .cancel: .cancel
    case .enhanceYourCalm: .enhanceYourCalm
    }
  }
}
