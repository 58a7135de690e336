import NIOCore
import NIOHTTP2
import NIOPosix
import SluiceDialects
import SluiceGateway
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

/// Clients of HTTP/1.1 in front, a provider of HTTP/2 behind.
@Suite("HTTP/2 to the provider", .mustEnd)
struct HTTP2Tests {
  @Test("Plain answers and streams of many clients share a connection of each loop")
  func shared() async throws {
    let upstream = try await HTTP2Upstream.start { connection, stream in
      if Int(stream) % 4 == 1 {
        connection.head(stream, type: "application/json")
        connection.body(stream, Requests.answer, end: true)
      } else {
        connection.head(stream, type: "text/event-stream")
        connection.body(stream, Requests.chunk("a") + Requests.chunk("b", finish: true))
        connection.body(stream, Requests.done, end: true)
      }
    }
    let gateway = try await TestGateway.start([.init(ports: [upstream.port], version: .http2)])
    for number in 0..<12 {
      let client = try await gateway.connect()
      // Which of the two comes back is the stream's number's to say, so every other one is wanted as a stream.
      try await client.send(Requests.chat(stream: number % 2 == 1))
      let answer = await client.readAnswer()
      #expect(answer.status == 200)
      #expect(answer.body == Requests.answer || answer.body.hasSuffix(Requests.done), "\(answer)")
      #expect(answer.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
      client.close()
    }
    let connections = try await upstream.run { $0.map(\.requests) }
    #expect(connections.count <= 2 && connections.reduce(0, +) == 12)
    let port = upstream.port
    #expect(try await upstream.run { $0.flatMap(\.authorities).allSatisfy { $0 == "127.0.0.1:\(port)" } })
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A client that leaves costs its stream, not the connection")
  func cancelled() async throws {
    let upstream = try await HTTP2Upstream.start { connection, stream in
      connection.head(stream, type: "text/event-stream")
      connection.body(stream, Requests.chunk("a"))
    }
    let gateway = try await TestGateway.start([.init(ports: [upstream.port], version: .http2)])
    for _ in 0..<4 {
      let client = try await gateway.connect()
      try await client.send(Requests.chat(stream: true))
      _ = await client.read(until: "\r\n\r\n")
      #expect(await client.readChunk() == Requests.chunk("a"))
      client.close()
    }
    while try await upstream.run({ $0.flatMap(\.resets).count }) < 4 { await Task.yield() }
    #expect(try await upstream.run { $0.flatMap(\.resets) } == [.cancel, .cancel, .cancel, .cancel])
    #expect(try await upstream.run { $0.count } <= 2)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("What the provider refused to look at goes out again, and nobody is to blame")
  func refused() async throws {
    let upstream = try await HTTP2Upstream.start { connection, stream in
      if connection.index == 0, stream == 1 { return connection.write(.rstStream(.refusedStream), stream) }
      if connection.index == 0 {
        return connection.write(.goAway(lastStreamID: 1, errorCode: .noError, opaqueData: nil), .rootStream)
      }
      connection.head(stream, type: "application/json")
      connection.body(stream, Requests.answer, end: true)
    }
    // A single try: whatever counted as a failure would reach the client.
    let gateway = try await TestGateway.start([
      .init(ports: [upstream.port], exchange: ExchangeSettings(attempts: 1), maxConnections: 1, version: .http2)
    ])
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let answer = await client.readAnswer()
    #expect(answer.status == 200, "\(answer)")
    #expect(try await upstream.run { $0.map(\.requests) } == [2, 1])
    #expect(gateway.pools[0].snapshot().endpoints.allSatisfy { $0.failures == 0 })
    await gateway.stop()
    try await upstream.stop()
  }
}
