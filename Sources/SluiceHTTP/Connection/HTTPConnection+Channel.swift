package import NIOCore
import NIOPosix
import NIOSSL
import SluicePolicy

// What the channel tells.
extension HTTPConnection {
  package func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { $0 }
    idleSince = eventLoop.now
    monitor.add(self)
    context.read()
  }

  package func handlerRemoved(context: ChannelHandlerContext) {
    descriptor = nil
    self.context = nil
    socketContext = nil
    if phase != .closed, !whileStarting.isInactive { ended() }
  }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    guard !isStarting else { return stash(buffer) }
    isInRead = true
    received(buffer)
  }

  package func channelReadComplete(context: ChannelHandlerContext) {
    guard !isStarting else { return }
    readCompleted()
  }

  func readCompleted() {
    isInRead = false
    startedInRead = false
    if hasDelivered {
      hasDelivered = false
      peer?.upstreamReadComplete()
    }
    if wantsRead, phase != .closed { context?.read() }
  }

  /// Written and not yet sent bytes are asked for when they matter; the event itself says nothing new.
  package func channelWritabilityChanged(context: ChannelHandlerContext) {}

  package func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // The first one is the cause; the channel closes after it, and reports that by itself unless TLS broke.
    if lastError == nil { lastError = error }
    if !(error is IOError), !isUncleanShutdown { context.close(promise: nil) }
  }

  package func channelInactive(context: ChannelHandlerContext) {
    descriptor = nil
    if isStarting || whileStarting.bytes != nil {
      whileStarting.isInactive = true
    } else {
      ended()
    }
    context.fireChannelInactive()
  }

  /// The connection is gone, and not by us.
  func ended() {
    guard phase != .closed else { return }
    switch phase {
    case .closed: break
    case .idle: shut(reason: .remoteClosed, idleFor: idleTime)
    case .spent: shut(reason: .remoteClosed)
    case .untilClose where lastError == nil && isSent: endWithConnection()
    case .head, .fixed, .chunked, .untilClose:
      let reason = brokenBy
      fail(reason, closing: reason == .deadPath ? .deadPath : .remoteClosed)
    }
  }

  private func endWithConnection() {
    keepAlive = false
    finish(leftover: 0)
  }

  private var brokenBy: UpstreamFailure.Reason { .broken(by: lastError, isTLS: isTLS) }

  private var isUncleanShutdown: Bool { (lastError as? NIOSSLError) == .uncleanShutdown }

  var idleTime: Interval { Interval(nanoseconds: (eventLoop.now - idleSince).nanoseconds) }

  private func stash(_ buffer: ByteBuffer) {
    if whileStarting.bytes == nil {
      whileStarting.bytes = buffer
    } else {
      whileStarting.bytes?.writeImmutableBuffer(buffer)
    }
  }
}
