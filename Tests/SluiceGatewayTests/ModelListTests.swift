import NIOPosix
import SluiceDialects
import SluiceGateway
import SluicePolicy
import Testing

@Suite("The list of models", .mustEnd)
struct ModelListTests {
  private static let listing =
    #"{"object":"list","data":["#
    + ["gpt-4o", "gpt-4o-mini", "whisper-1"].map {
      #"{"id":"\#($0)","object":"model","created":1,"owned_by":"x"}"#
    }.joined(separator: ",") + "]}"

  private func ids(_ answer: RawAnswer) -> [String] {
    answer.body.components(of: #""id":""#).dropFirst().map { String($0.prefix { $0 != "\"" }) }
  }

  @Test("The provider's list is filtered by the pool's patterns, which do not appear themselves")
  func filtered() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start(
      [.init(ports: [upstream.port], models: ["my-tune"], allowed: ["gpt-*", "my-tune"])],
      routes: [
        RouteDefinition(model: "fast", targets: [RouteTarget(pool: "openai", upstreamModel: "gpt-4o-mini")]),
        RouteDefinition(model: "any-*", targets: [RouteTarget(pool: "openai", upstreamModel: "gpt-4o-mini")]),
      ])
    let client = try await gateway.connect()
    try await client.send(Requests.get("/v1/models"))
    let provider = try await upstream.connection()
    #expect(await provider.readRequest().line == "GET /v1/models HTTP/1.1")
    try await provider.answer(Self.listing)
    let answer = await client.readAnswer()
    #expect(ids(answer).sorted() == ["fast", "gpt-4o", "gpt-4o-mini", "my-tune"])
    #expect(answer.header("date") != nil)
    await gateway.stop()
    try await upstream.stop()
  }

  /// How the provider goes on behind its second page.
  enum Rest: CaseIterable { case ends, fails, neverEnds }

  @Test("All pages of a list are asked for, up to a bound", arguments: Rest.allCases)
  func pages(_ rest: Rest) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(dialect: .anthropic, ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.get("/v1/models"))
    let provider = try await upstream.connection()
    let count = rest == .neverEnds ? 16 : 2
    for page in 1...count {
      let line = await provider.readRequest().line
      let more = page == 1 ? "" : "&after_id=m%2F\(page - 1)"
      #expect(line == "GET /v1/models?limit=1000\(more) HTTP/1.1")
      if rest == .fails, page == 2 {
        try await provider.answer("{}", status: 500)
      } else {
        let hasMore = rest == .neverEnds || page < count
        try await provider.answer(
          #"{"data":[{"type":"model","id":"m/\#(page)"}],"has_more":\#(hasMore),"last_id":"m/\#(page)"}"#)
      }
    }
    let expected = (1...count).map { "m/\($0)" }.dropLast(rest == .fails ? 1 : 0)
    #expect(ids(await client.readAnswer()).sorted() == expected.sorted())
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A provider that cannot be asked does not take the others' models away")
  func oneIsOut() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([
      .init(ports: [upstream.port]),
      .init(
        name: "second", ports: [1], models: ["own"], allowed: ["own"], settle: { $0.connections.failFastAfter = 1 }),
    ])
    let client = try await gateway.connect()
    try await client.send(Requests.get("/v1/models"))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.answer(Self.listing)
    #expect(ids(await client.readAnswer()).sorted() == ["gpt-4o", "gpt-4o-mini", "own", "whisper-1"])
    // Nobody waits for it a second time.
    try await client.send(Requests.get("/v1/models"))
    #expect(ids(await client.readAnswer()).count == 4)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A reload keeps what providers said, and filters it anew")
  func reload() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    var pool = TestGateway.Pool(ports: [upstream.port])
    let gateway = try await TestGateway.start([pool])
    let client = try await gateway.connect()
    try await client.send(Requests.get("/v1/models"))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.answer(Self.listing)
    #expect(ids(await client.readAnswer()).count == 3)
    pool.allowed = ["whisper-*"]
    let made = try TestGateway.make(
      pool, loops: Array(TestGateway.group.makeIterator()), gateway.connector, driver: gateway.pools[0])
    try await gateway.server.publish(TestGateway.configuration([made], [pool]))
    try await client.send(Requests.get("/v1/models"))
    #expect(ids(await client.readAnswer()) == ["whisper-1"])
    await gateway.stop()
    try await upstream.stop()
  }
}

extension String {
  fileprivate func components(of separator: String) -> [String] {
    var parts = [""]
    var rest = self[...]
    while !rest.isEmpty {
      if rest.hasPrefix(separator) {
        parts.append("")
        rest = rest.dropFirst(separator.count)
      } else {
        parts[parts.count - 1].append(rest.removeFirst())
      }
    }
    return parts
  }
}
