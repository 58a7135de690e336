import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import SluiceDialects
import SluicePolicy
import SluiceRuntime

// What the channel tells.
extension HTTP2Connection {
  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { $0 }
    monitor.add(self)
    // The codec below has sent the preface by now; the connection's own window cannot be told in SETTINGS.
    grantWindow(options.http2.connectionWindow - 65_535, on: .rootStream)
    context.read()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    descriptor = nil
    self.context = nil
    socketContext = nil
    ended()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isInRead = true
    reads &+= 1
    startedTick = monitor.tick
    pingTick = nil
    let frame = unwrapInboundIn(data)
    switch frame.payload {
    case .headers(let content): receivedHeaders(content, on: frame.streamID)
    case .data(let content): receivedData(content, on: frame.streamID)
    case .rstStream(let code): receivedReset(code, on: frame.streamID)
    case .settings(.settings(let settings)): receivedSettings(settings)
    case .goAway(let last, _, _): receivedGoAway(last)
    // The codec answers and counts the others; push is switched off, so a promise is an error to it.
    case .ping, .settings(.ack), .windowUpdate, .priority, .pushPromise, .alternativeService, .origin: break
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isInRead = false
    handOn()
    endHalfOpen()
    if let faulted {
      self.faulted = nil
      fail(faulted.stream, .streamReset(HTTP2Code(faulted.code)))
    }
    if let fault = openFault {
      openFault = nil
      shut(.protocolError, failing: .http2(HTTP2Fault(fault)))
    }
    flushNow()
    if phase != .closed { context.read() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case let event as NIOHTTP2WindowUpdatedEvent: windowChanged(event)
    case let event as StreamClosedEvent: streamClosed(event)
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case is IOError: if lastError == nil { lastError = error }
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
      if lastError == nil { lastError = error }
      if (error as? NIOSSLError) != .uncleanShutdown { context.close(promise: nil) }
    case let error as NIOHTTP2Errors.StreamError where !isStarting:
      fail(error.streamID, .http2(.ofStream(error.baseError)))
    // Frames that the codec kept back for a stream which has ended meanwhile.
    case is NIOHTTP2Errors.CreatedStreamAfterGoaway where phase == .draining: break
    case is NIOHTTP2Errors.NoSuchStream where isWriting && !isStarting,
      is NIOHTTP2Errors.StreamClosed where isWriting && !isStarting,
      is NIOHTTP2Errors.BadStreamStateTransition where isWriting && !isStarting:
      break
    default: noteFault(error)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    descriptor = nil
    ended()
    context.fireChannelInactive()
  }

  /// The connection is gone, and not by us.
  private func ended() {
    guard phase != .closed else { return }
    handOn()
    let reason = openFault.map { .http2(HTTP2Fault($0)) } ?? UpstreamFailure.Reason.broken(by: lastError, isTLS: isTLS)
    let closing: CloseReason =
      switch reason {
      case .deadPath: .deadPath
      case .http2: .protocolError
      default: .remoteClosed
      }
    shut(closing, failing: reason)
  }

  /// The codec reports errors of streams and of the connection alike; those of a stream stand beside its closing, before
  /// or behind it.
  private func noteFault(_ error: any Error) {
    if let faulted {
      self.faulted = nil
      return fail(faulted.stream, .http2(.ofStream(error)))
    }
    if openFault == nil { openFault = error }
    guard !isInRead, !isStarting else { return }
    // Found outside of any frame of ours, so no read of ours ends behind it.
    eventLoop.assumeIsolated().execute {
      guard let fault = self.openFault else { return }
      self.openFault = nil
      self.shut(.protocolError, failing: .http2(HTTP2Fault(fault)))
    }
  }

  private func handOn() {
    guard !touched.isEmpty else { return }
    var batch: [HTTP2Exchange] = []
    swap(&batch, &touched)
    for exchange in batch { exchange.readCompleted() }
    // Keeps the room.
    batch.removeAll(keepingCapacity: true)
    if touched.isEmpty { swap(&batch, &touched) }
  }

  /// The response is complete although the request is not: the rest is not wanted (RFC 9113 §8.1).
  private func endHalfOpen() {
    guard !completed.isEmpty else { return }
    for exchange in completed { abandon(exchange, .cancel) }
    completed.removeAll(keepingCapacity: true)
  }
}

// Frames.
extension HTTP2Connection {
  private func receivedHeaders(_ content: HTTP2Frame.FramePayload.Headers, on stream: HTTP2StreamID) {
    guard let exchange = streams[stream] else { return }
    // Behind the head, fields are trailers, which nobody here asks for.
    if exchange.phase == .head {
      let head = HTTP2ResponseHead.make(
        content.headers, isHead: exchange.isHead, isEnd: content.endStream, limits: options.limits)
      switch head {
      case .success(let (head, bytes)):
        if head.isInformational {
          if !exchange.receivedInformational() { broken(exchange, .tooManyInformational) }
          return
        }
        exchange.received(head, bytes)
      case .failure(let error): return broken(exchange, .malformed(error))
      }
    }
    if content.endStream { complete(exchange) }
  }

  private func receivedData(_ content: HTTP2Frame.FramePayload.Data, on stream: HTTP2StreamID) {
    guard let exchange = streams[stream] else { return }
    if case .byteBuffer(let bytes) = content.data { exchange.received(bytes) }
    if content.endStream { complete(exchange) }
  }

  private func complete(_ exchange: HTTP2Exchange) {
    completed.append(exchange)
    exchange.receivedEnd()
  }

  private func receivedReset(_ code: HTTP2ErrorCode, on stream: HTTP2StreamID) {
    lastReset = stream
    let isUntouched = streams[stream]?.phase == .head
    fail(stream, code == .refusedStream && isUntouched ? .refused : .streamReset(HTTP2Code(code)))
  }

  private func receivedSettings(_ settings: HTTP2Settings) {
    var room = phase == .opening ? options.http2.defaultStreams : capacity
    for setting in settings where setting.parameter == .maxConcurrentStreams { room = setting.value }
    room = min(room, options.http2.maxStreams)
    let hasChanged = room != capacity
    capacity = room
    if phase == .opening {
      phase = .open
      let opened = onOpened
      onOpened = nil
      opened?(nil)
      // A pool starts from at least one slot.
      if room == 0 { eventLoop.assumeIsolated().execute { self.events?.capacityChanged(self.capacity) } }
    } else if hasChanged, phase == .open {
      events?.capacityChanged(room)
    }
  }

  /// Streams above `last` were not and will not be looked at.
  private func receivedGoAway(_ last: HTTP2StreamID) {
    if phase == .opening { return shut(.remoteClosed, failing: .refused) }
    drain()
    let refused = streams.values.filter { $0.id > last }.sorted { $0.id < $1.id }
    for exchange in refused where streams.removeValue(forKey: exchange.id) != nil {
      exchange.fail(failure(.refused, of: exchange))
    }
    if !refused.isEmpty { streamEnded() }
  }

  private func windowChanged(_ event: NIOHTTP2WindowUpdatedEvent) {
    guard let size = event.inboundWindowSize else { return }
    if event.streamID != .rootStream {
      streams[event.streamID]?.windowChanged(size)
    } else if size <= options.http2.connectionWindow / 2 {
      grantWindow(options.http2.connectionWindow - size, on: .rootStream)
    }
  }

  private func streamClosed(_ event: StreamClosedEvent) {
    if let reason = event.reason, reason != .cancel { return streamFaulted(event.streamID, reason) }
    guard let exchange = streams[event.streamID] else { return }
    if exchange.isComplete {
      streams[event.streamID] = nil
      streamEnded()
    } else {
      fail(event.streamID, event.reason.map { .streamReset(HTTP2Code($0)) } ?? .closed)
    }
  }

  private func streamFaulted(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
    // Resets have told for themselves, the peer's and ours.
    if stream == lastReset || isWriting { return }
    guard let fault = openFault else {
      faulted = (stream, code)
      return
    }
    openFault = nil
    fail(stream, .http2(.ofStream(fault)))
  }

  /// The stream is closed on both sides.
  private func fail(_ stream: HTTP2StreamID, _ reason: UpstreamFailure.Reason) {
    guard let exchange = streams.removeValue(forKey: stream) else { return }
    streamEnded()
    if !exchange.isComplete { exchange.fail(failure(reason, of: exchange)) }
  }

  /// The response is not acceptable.
  private func broken(_ exchange: HTTP2Exchange, _ reason: UpstreamFailure.Reason) {
    abandon(exchange, .protocolError)
    exchange.fail(failure(reason, of: exchange))
  }
}
