import NIOCore
import NIOPosix
import SluiceRuntime

/// A provider as a test plays it: each connection on which something arrives is handed over as a socket. Those that a
/// pool only keeps ready are not.
final class RawUpstream: Sendable {
  let port: Int
  private let channel: any Channel
  private let accepted: BoundedMailbox<RawSocket>

  private init(channel: any Channel, accepted: BoundedMailbox<RawSocket>) {
    self.channel = channel
    self.accepted = accepted
    port = channel.localAddress?.port ?? 0
  }

  static func start(on group: any EventLoopGroup) async throws -> RawUpstream {
    let accepted = BoundedMailbox<RawSocket>(capacity: 4_096)
    let channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 256)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try RawSocket.accept(channel) { _ = accepted.send($0) } }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return RawUpstream(channel: channel, accepted: accepted)
  }

  /// The next connection that the gateway uses.
  func connection() async throws -> RawSocket {
    guard let socket = await accepted.next() else { throw UpstreamGone() }
    return socket
  }

  func stop() async throws {
    try await channel.close().get()
  }
}

struct UpstreamGone: Error {}

/// A request as the upstream saw it.
struct SeenRequest {
  var head: String
  var body: String

  func header(_ name: String) -> String? { RawAnswer(status: 0, head: head, body: "").header(name) }
  var line: String { String(head.split(separator: "\r\n").first ?? "") }
}

extension RawSocket {
  /// The next request; its head is empty when the connection ended.
  func readRequest() async -> SeenRequest {
    let head = await read(until: "\r\n\r\n")
    var request = SeenRequest(head: head, body: "")
    if let length = request.header("content-length").flatMap(Int.init) { request.body = await read(count: length) }
    return request
  }

  /// A plain answer.
  func answer(_ body: String, status: Int = 200, headers: String = "") async throws {
    try await send(
      "HTTP/1.1 \(status) Whatever\r\ncontent-type: application/json\r\n\(headers)content-length: \(body.utf8.count)\r\n\r\n\(body)"
    )
  }

  static let streamHead =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

  func sendChunk(_ payload: String) async throws {
    try await send(String(payload.utf8.count, radix: 16) + "\r\n" + payload + "\r\n")
  }

  func endChunks() async throws { try await send("0\r\n\r\n") }
}
