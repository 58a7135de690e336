import NIOCore
import SluiceDialects
import SluiceHTTP
import SluiceRuntime

/// Carries one exchange between the client's event loop (home) and a connection that lives on another one: the only
/// place where bytes change threads. What one read brought crosses in one hop.
///
/// Back-pressure: the far side stops reading while more than `window` bytes are on their way or not yet taken, besides
/// when home asks for it.
///
/// `@unchecked Sendable`: `peer` is touched at home only, everything below `// Far side` on the connection's loop only.
final class CrossLoopRelay: UpstreamPeer, @unchecked Sendable {
  static let window = 262_144

  private let home: any EventLoop
  private let connection: UpstreamConnection
  /// Nil once the exchange ended or was cancelled: what still arrives is dropped.
  private var peer: (any UpstreamPeer)?

  // Far side
  private var exchange: (any UpstreamExchange)?
  private var queue: [Event] = []
  private var inFlight = 0
  private var homeReads = true
  private var isOver = false

  private enum Event: Sendable {
    case head(ResponseHead, ByteBuffer, reused: Bool)
    case body(UpstreamBodyPart, bytes: Int)
    case readComplete
    case end(reusable: Bool)
    case failed(UpstreamFailure)
  }

  init(home: any EventLoop, connection: UpstreamConnection, peer: any UpstreamPeer) {
    self.home = home
    self.connection = connection
    self.peer = peer
  }

  // MARK: - At home

  func start(_ request: UpstreamRequest) {
    connection.eventLoop.execute { self.begin(request) }
  }

  func cancel() {
    peer = nil
    connection.eventLoop.execute {
      guard !self.isOver else { return }
      self.isOver = true
      self.exchange?.cancel()
    }
  }

  func setReading(_ on: Bool) {
    connection.eventLoop.execute {
      self.homeReads = on
      self.applyReading()
    }
  }

  private func arrived(_ events: [Event]) {
    var taken = 0
    for event in events {
      switch event {
      case .head(let head, let bytes, let reused): peer?.upstreamHead(head, bytes: bytes, reused: reused)
      case .body(let part, let bytes):
        taken += bytes
        peer?.upstreamBody(part)
      case .readComplete: peer?.upstreamReadComplete()
      case .end(let reusable): takePeer()?.upstreamEnd(reusable: reusable)
      case .failed(let failure): takePeer()?.upstreamFailed(failure)
      }
    }
    guard taken > 0, peer != nil else { return }
    let bytes = taken
    connection.eventLoop.execute { self.acknowledged(bytes) }
  }

  private func takePeer() -> (any UpstreamPeer)? {
    let last = peer
    peer = nil
    return last
  }

  // MARK: - At the connection

  private func begin(_ request: UpstreamRequest) {
    guard !isOver else { return }
    exchange = connection.start(request, peer: self)
    applyReading()
  }

  func upstreamHead(_ head: ResponseHead, bytes: ByteBuffer, reused: Bool) {
    queue.append(.head(head, bytes, reused: reused))
  }

  func upstreamBody(_ part: UpstreamBodyPart) {
    let bytes = part.payloadBytes
    inFlight += bytes
    queue.append(.body(part, bytes: bytes))
  }

  func upstreamReadComplete() {
    queue.append(.readComplete)
    send()
    applyReading()
  }

  func upstreamEnd(reusable: Bool) {
    isOver = true
    queue.append(.end(reusable: reusable))
    send()
  }

  func upstreamFailed(_ failure: UpstreamFailure) {
    isOver = true
    queue.append(.failed(failure))
    send()
  }

  private func send() {
    let events = queue
    queue = []
    home.execute { self.arrived(events) }
  }

  private func acknowledged(_ bytes: Int) {
    inFlight -= bytes
    applyReading()
  }

  private func applyReading() {
    guard !isOver else { return }
    exchange?.setReading(homeReads && inFlight < Self.window)
  }
}

/// The way from an exchange to its connection.
enum UpstreamLink {
  case none
  case local(any UpstreamExchange)
  case relayed(CrossLoopRelay)

  var isOpen: Bool { if case .none = self { false } else { true } }

  /// Begins an exchange; `home` is the caller's loop.
  static func start(
    _ request: UpstreamRequest, on connection: UpstreamConnection, home: any EventLoop, peer: any UpstreamPeer
  ) -> UpstreamLink {
    if connection.eventLoop === home { return .local(connection.start(request, peer: peer)) }
    let relay = CrossLoopRelay(home: home, connection: connection, peer: peer)
    relay.start(request)
    return .relayed(relay)
  }

  func cancel() {
    switch self {
    case .none: break
    case .local(let exchange): exchange.cancel()
    case .relayed(let relay): relay.cancel()
    }
  }

  func setReading(_ on: Bool) {
    switch self {
    case .none: break
    case .local(let exchange): exchange.setReading(on)
    case .relayed(let relay): relay.setReading(on)
    }
  }
}
