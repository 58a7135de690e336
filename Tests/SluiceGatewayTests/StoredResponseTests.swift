import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import Testing

@Suite("Stored responses", .mustEnd)
struct StoredResponseTests {
  private static func created(_ id: String) -> String {
    #"{"object":"response","metadata":{"id":"no"},"id":"\#(id)","status":"completed","output":[]}"#
  }

  private static func create(_ extra: String = "", stream: Bool = false) -> String {
    Requests.post("/v1/responses", #"{"model":"gpt-4o","input":"hi","stream":\#(stream)\#(extra)}"#)
  }

  /// A gateway with two accounts behind one address, and a client's connection.
  private struct Scene {
    let upstream: RawUpstream
    let gateway: TestGateway
    let client: RawSocket

    init(keys: [String] = ["first", "second"], affinity: PoolAffinity = .header) async throws {
      upstream = try await RawUpstream.start(on: TestGateway.group)
      gateway = try await TestGateway.start([
        .init(ports: [upstream.port], keys: keys, affinity: affinity, maxConnections: 1)
      ])
      client = try await gateway.connect()
    }

    func end() async throws {
      await gateway.stop()
      try await upstream.stop()
    }
  }

  /// Who was asked.
  private func account(_ request: SeenRequest) -> String? { request.header("authorization") }

  @Test("Later requests go to the account that stored the response, whoever's turn it is", arguments: [false, true])
  func sticky(streams: Bool) async throws {
    let scene = try await Scene()
    var owners: [String: String] = [:]
    var upstream: RawSocket?
    for id in ["resp_1", "resp_2"] {
      try await scene.client.send(Self.create(stream: streams))
      if upstream == nil { upstream = try await scene.upstream.connection() }
      let provider = try #require(upstream)
      owners[id] = account(await provider.readRequest())
      if streams {
        try await provider.send(RawSocket.streamHead)
        let event = #"{"type":"response.created","response":\#(Self.created(id))}"#
        try await provider.sendChunk("event: response.created\ndata: \(event)")
        try await provider.sendChunk(
          "\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{}}\n\n")
        try await provider.endChunks()
      } else {
        try await provider.answer(Self.created(id))
      }
      #expect(await scene.client.readAnswer().status == 200)
    }
    let provider = try #require(upstream)
    #expect(Set(owners.values).count == 2, "the two accounts take turns")
    for (path, method) in [("", "GET"), ("/input_items", "GET"), ("/cancel", "POST"), ("", "GET")] {
      for (id, owner) in owners {
        try await scene.client.send("\(method) /v1/responses/\(id)\(path) HTTP/1.1\r\nhost: localhost\r\n\r\n")
        let request = await provider.readRequest()
        #expect(account(request) == owner)
        #expect(request.line == "\(method) /v1/responses/\(id)\(path) HTTP/1.1")
        try await provider.answer(Self.created(id))
        #expect(await scene.client.readAnswer().status == 200)
      }
    }
    for (id, owner) in owners {
      for _ in 1...2 {
        try await scene.client.send(Self.create(#","previous_response_id":"\#(id)""#))
        #expect(account(await provider.readRequest()) == owner)
        try await provider.answer(Self.created("resp_next"))
        #expect(await scene.client.readAnswer().status == 200)
      }
    }
    // The connection's next requests are bound to nobody.
    var free: Set<String?> = []
    for _ in 1...2 {
      try await scene.client.send(Self.create())
      free.insert(account(await provider.readRequest()))
      try await provider.answer(Self.created("resp_free"))
      #expect(await scene.client.readAnswer().status == 200)
    }
    #expect(free.count == 2)
    try await scene.end()
  }

  @Test("A response that nobody knows is a 404 that says so, where more than one account might have it")
  func unknown() async throws {
    let scene = try await Scene()
    for request in [
      Requests.get("/v1/responses/resp_x"), "DELETE /v1/responses/resp_x HTTP/1.1\r\nhost: localhost\r\n\r\n",
      Requests.get("/v1/responses/resp_x/input_items"), Self.create(#","previous_response_id":"resp_x""#),
    ] {
      try await scene.client.send(request)
      let answer = await scene.client.readAnswer()
      #expect(answer.status == 404)
      #expect(answer.body.contains("unknown_stored_response"))
      #expect(answer.header("date")?.hasSuffix(" GMT") == true)
    }
    try await scene.end()
  }

  @Test("With one account there is no question which")
  func single() async throws {
    let scene = try await Scene(keys: ["only"])
    try await scene.client.send(Self.create(#","previous_response_id":"resp_x""#))
    let provider = try await scene.upstream.connection()
    _ = await provider.readRequest()
    try await provider.answer(Self.created("resp_y"))
    #expect(await scene.client.readAnswer().status == 200)
    try await scene.client.send(Requests.get("/v1/responses/resp_z"))
    #expect(await provider.readRequest().line == "GET /v1/responses/resp_z HTTP/1.1")
    try await provider.answer("{}", status: 404)
    #expect(await scene.client.readAnswer().status == 404)
    try await scene.end()
  }

  // MARK: Access keys

  /// A gateway that tells its callers apart; `keys` are their secrets.
  private static func shared(_ upstream: RawUpstream, keys: [String] = ["ann", "bob"]) async throws -> TestGateway {
    try await TestGateway.start(
      [.init(ports: [upstream.port], maxConnections: 1)],
      access: AccessTable(keys: keys.map { AccessKey(name: $0, digest: KeyDigest(of: $0)) }))
  }

  private static func request(_ line: String, as key: String, _ body: String? = nil) -> String {
    let type = body.map { "content-type: application/json\r\ncontent-length: \($0.utf8.count)\r\n" } ?? ""
    return "\(line) HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \(key)\r\n\(type)\r\n\(body ?? "")"
  }

  @Test("An access key reaches its own responses only", arguments: [false, true])
  func accessKeys(streams: Bool) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await Self.shared(upstream)
    let client = try await gateway.connect()
    let body = #"{"model":"gpt-4o","input":"hi","stream":\#(streams)}"#
    try await client.send(Self.request("POST /v1/responses", as: "ann", body))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    if streams {
      try await provider.send(RawSocket.streamHead)
      try await provider.sendChunk(
        "event: response.created\ndata: {\"type\":\"response.created\",\"response\":\(Self.created("resp_1"))}\n\n"
          + "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{}}\n\n")
      try await provider.endChunks()
    } else {
      try await provider.answer(Self.created("resp_1"))
    }
    #expect(await client.readAnswer().status == 200)
    func next(_ id: String) -> String { #"{"model":"gpt-4o","input":"hi","previous_response_id":"\#(id)"}"# }
    let requests: [(String, String?)] = [
      ("GET /v1/responses/resp_1", nil), ("GET /v1/responses/resp_1/input_items", nil),
      ("POST /v1/responses/resp_1/cancel", nil), ("POST /v1/responses", next("resp_1")),
      ("POST /v1/responses", next("resp\\u005f1")), ("GET /pools/openai/v1/responses/resp_1", nil),
      ("GET /pools/openai/v1//responses//resp_1/", nil), ("GET /pools/openai/v1/%72esponses/resp%5F1", nil),
      ("POST /pools/openai/v1/responses", next("resp_1")), ("DELETE /v1/responses/resp_1", nil),
    ]
    for (line, body) in requests {
      try await client.send(Self.request(line, as: "bob", body))
      let answer = await client.readAnswer()
      #expect(answer.status == 404, "\(line)")
      #expect(answer.body.contains("unknown_stored_response"), "\(line)")
    }
    for (line, body) in requests {
      try await client.send(Self.request(line, as: "ann", body))
      #expect(await provider.readRequest().line.hasPrefix(line.prefix { $0 != " " }), "\(line)")
      try await provider.answer("{}")
      #expect(await client.readAnswer().status == 200, "\(line)")
    }
    await gateway.stop()
    try await upstream.stop()
  }

  @Test(
    "What a provider could read in another way than the gateway does not pass, where callers are told apart",
    arguments: [
      ("GET /v1/responses/own/../other", nil), ("GET /v1/responses/own/%2e%2E/other", nil),
      ("GET /v1/responses/own/%252e%252e/other", nil), ("GET /v1/responses/own/..;x/other", nil),
      ("GET /v1/responses/own/..%5Cother", nil), ("GET /v1/files/../responses/other", nil),
      ("POST /v1/responses", "\u{FEFF}{\"previous_response_id\":\"other\"}"),
      ("POST /v1/responses", "\u{1F}\u{8B}compressed"),
      ("POST /v1/responses", String(repeating: "[", count: 5_000)),
      ("POST /v1/responses", #"{"previous\u005fresponse_id":"other"}"#),
    ] as [(String, String?)])
  func readInAnotherWay(line: String, body: String?) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await Self.shared(upstream)
    let client = try await gateway.connect()
    let line = line.replacing(" ", with: " /pools/openai")
    try await client.send(Self.request(line, as: "ann", body))
    let answer = await client.readAnswer()
    #expect(answer.status == 400 || answer.status == 404)
    #expect(answer.header("x-sluice-attempts") == "0")
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("Where the path has nothing to do with responses, a body need not be JSON")
  func otherBodies() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await Self.shared(upstream)
    let client = try await gateway.connect()
    try await client.send(Self.request("POST /pools/openai/v1/files", as: "ann", "--boundary"))
    let provider = try await upstream.connection()
    #expect(await provider.readRequest().body == "--boundary")
    try await provider.answer("{}")
    #expect(await client.readAnswer().status == 200)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("Two previous responses are refused: readers of JSON differ about which counts")
  func twoPrevious() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await Self.shared(upstream, keys: ["ann"])
    let client = try await gateway.connect()
    let body = #"{"model":"gpt-4o","previous_response_id":"a","previous_response_id":"b"}"#
    try await client.send(Self.request("POST /v1/responses", as: "ann", body))
    let answer = await client.readAnswer()
    #expect(answer.status == 400)
    #expect(answer.body.contains("previous_response_id"))
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("What nobody knows may be somebody's, where callers are told apart", arguments: [1, 2])
  func unknownOwner(callers: Int) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await Self.shared(upstream, keys: Array(["ann", "bob"].prefix(callers)))
    let client = try await gateway.connect()
    try await client.send(Self.request("GET /v1/responses/resp_x", as: "ann"))
    if callers == 1 {
      let provider = try await upstream.connection()
      _ = await provider.readRequest()
      try await provider.answer("{}")
    }
    #expect(await client.readAnswer().status == (callers == 1 ? 200 : 404))
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A deleted response is forgotten; one that could not be deleted is not")
  func deleted() async throws {
    let scene = try await Scene()
    try await scene.client.send(Self.create())
    let provider = try await scene.upstream.connection()
    _ = await provider.readRequest()
    try await provider.answer(Self.created("resp_1"))
    #expect(await scene.client.readAnswer().status == 200)
    for status in [400, 200] {
      try await scene.client.send("DELETE /v1/responses/resp_1 HTTP/1.1\r\nhost: localhost\r\n\r\n")
      _ = await provider.readRequest()
      try await provider.answer("{}", status: status)
      #expect(await scene.client.readAnswer().status == status)
    }
    try await scene.client.send(Requests.get("/v1/responses/resp_1"))
    #expect(await scene.client.readAnswer().status == 404)
    try await scene.end()
  }

  @Test("The oldest is forgotten first")
  func bound() {
    var stored = StoredResponses(capacity: 3)
    for key in 1...5 { stored.remember(UInt64(key), account: UInt64(key * 10)) }
    #expect(stored.count == 3)
    #expect((1...5).map { stored[UInt64($0)] } == [nil, nil, 30, 40, 50])
    stored.forget(4)
    #expect(stored[4] == nil)
    for key in 6...1_000 { stored.remember(UInt64(key), account: 1) }
    #expect(stored.count == 3)
    #expect(StoredResponses.defaultCapacity == 65_536)
  }

  @Test("Ids are found however a stream is divided, and only where they belong")
  func reading() {
    let event = #"data: {"type":"response.created","sequence_number":0,"response":{"object":"response","id":"resp_9"}}"#
    let text = Array((": hello\n\n" + event + "\n\ndata: {\"response\":{\"id\":\"other\"}}\n\n").utf8)
    for size in [1, 2, 7, text.count] {
      var reader = StoredResponseReader()
      var found: [String] = []
      for start in stride(from: 0, to: text.count, by: size) {
        let piece = Array(text[start..<min(text.count, start + size)])
        if let id = piece.withUnsafeBytes({ reader.consume($0) }) { found.append(id) }
      }
      #expect(found == ["resp_9"])
    }
    for (body, id) in [
      (#"{"output":[{"id":"a"}],"id":"b"}"#, "b"), (#"{"id":"c","output":[{"#, "c"), (#"{"id":7}"#, nil), ("[]", nil),
      ("", nil), (#"{"id":"\#(String(repeating: "x", count: 257))"}"#, nil),
    ] as [(String, String?)] {
      #expect(Array(body.utf8).withUnsafeBytes { StoredResponseReader.answer($0) } == id)
    }
  }

  @Test(
    "Dates are written as RFC 9110 wants them",
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
      (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
    ])
  func dates(seconds: Int64, text: String) {
    var date = AnswerDate()
    let line = date.line(at: UnixTime(milliseconds: seconds * 1_000 + 999))
    #expect(String(decoding: line, as: UTF8.self) == "date: \(text)\r\n")
    #expect(date.line(at: UnixTime(milliseconds: seconds * 1_000 + 1_000)) != line)
  }
}
