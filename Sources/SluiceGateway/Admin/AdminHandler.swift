package import NIOCore

/// The administration side behind the gateway's own listener. Asked first, by exact path, and only about paths outside
/// `/v1/`, so that clients of the surfaces never pay for it.
package protocol AdminHandler: Sendable {
  /// What a path is. Called on an event loop for every request outside `/v1/`; must not block.
  func match(method: String, path: String) -> AdminMatch

  /// Answers a request that was matched and authorised. Called on `loop`; must not block.
  func handle(_ request: AdminRequest, on loop: any EventLoop) -> EventLoopFuture<AdminResponse>
}

/// What the administration side knows about a path.
package enum AdminMatch: Hashable, Sendable {
  case unknown
  /// The path exists, for these methods.
  case methodNotAllowed(allow: String)
  case found
}

/// A request to the administration side; its body is bounded by ``AdminRequest/maxBodyBytes``.
package struct AdminRequest: Sendable {
  package static let maxBodyBytes = 1 << 20

  package var method: String
  package var path: String
  /// What follows the question mark, still percent-encoded.
  package var query: String?
  /// Names in lower case.
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(
    method: String, path: String, query: String? = nil, headers: [(name: String, value: String)] = [],
    body: [UInt8] = []
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
  }

  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// An answer of the administration side. The gateway adds framing and `x-sluice-request-id`.
package struct AdminResponse: Sendable {
  package enum Body: Sendable {
    case bytes([UInt8])
    /// Called once on the connection's event loop; writes to the sink until it finishes or the client is gone.
    case stream(@Sendable (AdminSink) -> Void)
  }

  package var status: Int
  package var headers: [(name: String, value: String)]
  package var body: Body

  package init(status: Int = 200, headers: [(name: String, value: String)] = [], body: Body) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  package static func json(_ bytes: [UInt8], status: Int = 200) -> AdminResponse {
    AdminResponse(
      status: status, headers: [("content-type", "application/json"), ("cache-control", "no-store")],
      body: .bytes(bytes))
  }

  package static func text(_ text: String, status: Int = 200) -> AdminResponse {
    AdminResponse(
      status: status, headers: [("content-type", "text/plain; charset=utf-8")], body: .bytes(Array(text.utf8)))
  }
}

/// Where a streamed answer goes; usable from any thread. A client that reads too slowly is disconnected, so nothing
/// piles up.
package final class AdminSink: Sendable {
  /// Unsent bytes after which the client is given up.
  package static let maxUnsentBytes = 1 << 20

  private let loop: any EventLoop
  private let connection: InboundConnection
  private let exchange: UInt64
  private let closed: EventLoopPromise<Void>

  init(loop: any EventLoop, connection: InboundConnection, exchange: UInt64) {
    self.loop = loop
    self.connection = connection
    self.exchange = exchange
    closed = loop.makePromise()
  }

  /// Succeeds when the client is gone or the answer is complete.
  package var onClose: EventLoopFuture<Void> { closed.futureResult }

  package func write(_ bytes: [UInt8]) {
    loop.execute { self.connection.adminWrite(bytes, exchange: self.exchange) }
  }

  package func finish() {
    loop.execute { self.connection.adminFinish(exchange: self.exchange) }
  }

  func ended() { closed.succeed() }
}
