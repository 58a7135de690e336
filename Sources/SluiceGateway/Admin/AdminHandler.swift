package import NIOCore

/// The administration side behind the gateway's own listener. Asked only about paths that belong to no surface and do
/// not begin with `/v1/`, so that clients of the surfaces never pay for it.
package protocol AdminHandler: Sendable {
  /// What a path is. Called on an event loop for every request that belongs to no surface; must not block.
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
  /// The path is a page that holds no data: a browser opens it before anybody can enter a token there.
  case page
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
  package var status: Int
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(status: Int = 200, headers: [(name: String, value: String)] = [], body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  package static func json(_ bytes: [UInt8], status: Int = 200) -> AdminResponse {
    AdminResponse(
      status: status, headers: [("content-type", "application/json"), ("cache-control", "no-store")],
      body: bytes)
  }

  package static func text(_ text: String, status: Int = 200) -> AdminResponse {
    AdminResponse(
      status: status, headers: [("content-type", "text/plain; charset=utf-8")], body: Array(text.utf8))
  }
}
