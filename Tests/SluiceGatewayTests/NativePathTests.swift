import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import Testing

/// Requests on a provider's own paths, by methods of every kind.
@Suite("Native paths", .mustEnd)
struct NativePathTests {
  @Test(
    "An answer to HEAD has no body, whatever its head says, and the connections go on",
    arguments: [
      "content-length: 1000\r\n", "content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n",
      "transfer-encoding: chunked\r\n",
    ], [200, 404, 500])
  func head(fields: String, status: Int) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port], exchange: .unhurried(attempts: 1))])
    let client = try await gateway.connect()
    var provider: RawSocket?
    for _ in 1...2 {
      try await client.send("HEAD /pools/openai/v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n")
      let socket = if let provider { provider } else { try await upstream.connection() }
      provider = socket
      #expect(await socket.readRequest().line == "HEAD /v1/models HTTP/1.1")
      try await socket.send("HTTP/1.1 \(status) Whatever\r\n\(fields)\r\n")
      let head = await client.read(until: "\r\n\r\n")
      #expect(head.hasPrefix("HTTP/1.1 \(status) "))
      #expect(!head.lowercased().contains("transfer-encoding"))
    }
    try await client.send(Requests.get("/nowhere"))
    #expect(await client.read(count: 12) == "HTTP/1.1 404")
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("The gateway's own refusals of HEAD have no body either", arguments: ["/nowhere", "/pools/x/y", "/v1/models"])
  func ownHead(path: String) async throws {
    let gateway = try await TestGateway.start([
      .init(name: "x", ports: [1], settle: { $0.connections.failFastAfter = 1 })
    ])
    let client = try await gateway.connect()
    try await client.send("HEAD \(path) HTTP/1.1\r\nhost: localhost\r\n\r\n")
    let head = await client.read(until: "\r\n\r\n")
    #expect(head.contains("content-length: "))
    try await client.send(Requests.get("/nowhere"))
    #expect(await client.read(count: 12) == "HTTP/1.1 404")
    await gateway.stop()
  }

  @Test(
    "A refusal that names no reason takes no key out, since it may be about the path",
    arguments: [
      (401, "{}", true), (402, "{}", true), (401, #"{"error":{"message":"no","code":"invalid_api_key"}}"#, false),
    ])
  func bareRefusal(status: Int, body: String, isInService: Bool) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.get("/pools/openai/v1/organization/users"))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.answer(body, status: status)
    // The provider's own answer in any case.
    #expect(await client.readAnswer().status == status)
    let later = try await gateway.connect()
    async let answer: RawAnswer = {
      try await later.send(Requests.chat())
      return await later.readAnswer()
    }()
    if isInService {
      _ = await provider.readRequest()
      try await provider.answer(Requests.answer)
    }
    #expect(try await (answer.status == 200) == isInService)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("TRACE is refused: its answer would be our credential")
  func trace() async throws {
    let gateway = try await TestGateway.start([.init(ports: [1])])
    let client = try await gateway.connect()
    try await client.send("TRACE /pools/openai/v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n")
    let answer = await client.readAnswer()
    #expect(answer.status == 405)
    #expect(answer.header("allow") == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
    await gateway.stop()
  }

  @Test(
    "An access key in the query stays here; without access keys the query is the provider's business",
    arguments: [
      ("?key=ann", "", true), ("?a=1&key=ann&b=2", "?a=1&b=2", true), ("?keys=1&key=ann", "?keys=1", true),
      ("?a=1&key=own&b=2", "?a=1&key=own&b=2", false),
    ])
  func queryKey(sent: String, seen: String, isGuarded: Bool) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let access = AccessTable(keys: isGuarded ? [AccessKey(name: "ann", digest: KeyDigest(of: "ann"))] : [])
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])], access: access)
    let client = try await gateway.connect()
    try await client.send(Requests.get("/pools/openai/v1/files" + sent))
    let provider = try await upstream.connection()
    #expect(await provider.readRequest().line == "GET /v1/files\(seen) HTTP/1.1")
    try await provider.answer("{}")
    #expect(await client.readAnswer().status == 200)
    await gateway.stop()
    try await upstream.stop()
  }
}
