import NIOCore
import NIOHTTP2
import SluiceDialects

/// One stream: a request and its response.
///
/// States and successors:
///   head → body (the response's head) → complete (END_STREAM) → over
///   head, body → over       failed, refused or cancelled
/// Invariants: there is a peer exactly until over; what arrives while reading is withheld is held in order, at most the
/// stream's window of it, and the end comes behind it. A failure lets go of what is held first: it had arrived.
///
/// Confined to the connection's event loop, which `@unchecked Sendable` relies on.
final class HTTP2Exchange: UpstreamExchange, @unchecked Sendable {
  enum Phase: UInt8 { case head, body, complete }

  let connection: HTTP2Connection
  let isHead: Bool
  /// The connection was used before, or waited unused for long: an end without a byte is no proof that it was reached.
  let isDoubtful: Bool
  let reused: Bool
  /// What the connection had read when the request went out.
  let readsBefore: UInt64
  private(set) var id = HTTP2StreamID.rootStream
  private var peer: (any UpstreamPeer)?
  private(set) var phase = Phase.head
  private(set) var bytesReceived = 0
  private var informational = 0
  private var isReading = true
  private var held = CircularBuffer<ByteBuffer>(initialCapacity: 0)
  /// The peer's window on this stream as it was last told.
  private var window = Int.max
  /// Something was handed on during this read.
  var isTouched = false

  init(
    _ connection: HTTP2Connection, peer: any UpstreamPeer, isHead: Bool, isDoubtful: Bool, reused: Bool,
    readsBefore: UInt64
  ) {
    self.connection = connection
    self.peer = peer
    self.isHead = isHead
    self.isDoubtful = isDoubtful
    self.reused = reused
    self.readsBefore = readsBefore
  }

  var isOver: Bool { peer == nil }
  var isComplete: Bool { phase == .complete }

  func begin(_ id: HTTP2StreamID) { self.id = id }

  func cancel() {
    connection.eventLoop.preconditionInEventLoop()
    guard peer != nil else { return }
    letGo()
    connection.abandon(self, .cancel)
  }

  func setReading(_ on: Bool) {
    connection.eventLoop.preconditionInEventLoop()
    guard isReading != on else { return }
    isReading = on
    guard on, peer != nil else { return }
    if held.isEmpty { return replenish() }
    // Not from inside the call: whoever makes it may be in the middle of something.
    connection.eventLoop.assumeIsolated().execute { self.resume() }
  }
}

// What arrives.
extension HTTP2Exchange {
  func received(_ head: ResponseHead, _ bytes: ByteBuffer) {
    bytesReceived += bytes.readableBytes
    phase = .body
    connection.touch(self)
    peer?.upstreamHead(head, bytes: bytes, reused: reused)
  }

  /// False when there were too many.
  func receivedInformational() -> Bool {
    informational += 1
    return informational <= connection.options.maxInformational
  }

  func received(_ bytes: ByteBuffer) {
    guard bytes.readableBytes > 0 else { return }
    bytesReceived += bytes.readableBytes
    guard isReading, held.isEmpty else { return held.append(bytes) }
    connection.touch(self)
    peer?.upstreamBody(.payload(bytes))
  }

  func receivedEnd() {
    phase = .complete
    if held.isEmpty { end() }
  }

  /// The peer may send this much more. Frames arrive before the word about the window they used.
  func windowChanged(_ size: Int) {
    window = size
    if isReading, held.isEmpty { replenish() }
  }

  func readCompleted() {
    isTouched = false
    peer?.upstreamReadComplete()
  }

  /// The exchange broke. The stream is the connection's business.
  func fail(_ failure: UpstreamFailure) {
    while let bytes = held.popFirst(), let peer { peer.upstreamBody(.payload(bytes)) }
    let peer = peer
    letGo()
    peer?.upstreamFailed(failure)
  }

  private func end() {
    let peer = peer
    letGo()
    connection.served += 1
    peer?.upstreamEnd(reusable: true)
  }

  private func letGo() {
    peer = nil
    held.removeAll()
  }

  private func resume() {
    var hasDelivered = false
    while isReading, let bytes = held.popFirst() {
      hasDelivered = true
      peer?.upstreamBody(.payload(bytes))
    }
    guard held.isEmpty, let peer else { return }
    if isComplete { return end() }
    if isReading { replenish() }
    if hasDelivered { peer.upstreamReadComplete() }
  }

  private func replenish() {
    let target = connection.options.http2.streamWindow
    guard phase != .complete, window <= target / 2 else { return }
    connection.grantWindow(target - window, on: id)
    window = target
  }
}
