import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import SluiceRuntime
import Testing

@Suite("Limits that answers tell", .mustEnd)
struct QuotaHeaderTests {
  private static func headers(remaining: Int, reset: String = "60s") -> String {
    "x-ratelimit-limit-requests: 100\r\nx-ratelimit-remaining-requests: \(remaining)\r\nx-ratelimit-reset-requests: \(reset)\r\n"
  }

  @Test("A key of which nothing is left is left alone before it refuses")
  func usedUp() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([
      .init(ports: [upstream.port], keys: ["first", "second"], maxConnections: 1)
    ])
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let provider = try await upstream.connection()
    let used = await provider.readRequest().header("authorization")
    try await provider.answer(Requests.answer, headers: Self.headers(remaining: 0))
    #expect(await client.readAnswer().header("x-ratelimit-remaining-requests") == "0")
    for _ in 1...4 {
      try await client.send(Requests.chat())
      let next = await provider.readRequest().header("authorization")
      #expect(next != used)
      try await provider.answer(Requests.answer, headers: Self.headers(remaining: 50))
      #expect(await client.readAnswer().status == 200)
    }
    let endpoints = gateway.pools[0].snapshot().endpoints
    let cooling = try #require(endpoints.first { $0.state == .cooling })
    #expect("Bearer sk-\(cooling.name)" == used)
    #expect(cooling.quota?.requests.limit == 100 && cooling.quota?.requests.remaining == 0)
    // OpenAI's limits come back bit by bit: a tenth of the time is enough to go on with.
    let until = try #require(cooling.outUntil), now = try #require(cooling.quota?.heardAt)
    #expect(until - now == .seconds(6))
    let other = try #require(endpoints.first { $0.state != .cooling })
    #expect(other.quota?.requests.remaining == 50)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A stream's head tells at once, not its end")
  func streams() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port], keys: ["first", "second"])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat(stream: true))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send(
      "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\(Self.headers(remaining: 0))transfer-encoding: chunked\r\n\r\n"
    )
    try await provider.sendChunk(Requests.chunk("a"))
    _ = await client.read(until: "\r\n\r\n")
    #expect(gateway.pools[0].snapshot().endpoints.count { $0.state == .cooling } == 1)
    provider.close()
    client.close()
    await gateway.stop()
    try await upstream.stop()
  }

  @Test(
    "Answers without such headers, and without a reset, pause nobody",
    arguments: ["", "x-ratelimit-remaining-requests: 0\r\n"])
  func unknown(headers: String) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    for _ in 1...2 {
      try await client.send(Requests.chat())
      let provider = try await upstream.connection()
      _ = await provider.readRequest()
      try await provider.answer(Requests.answer, headers: headers + "connection: close\r\n")
      #expect(await client.readAnswer().status == 200)
    }
    #expect(gateway.pools[0].snapshot().endpoints[0].state == .healthy)
    await gateway.stop()
    try await upstream.stop()
  }
}
