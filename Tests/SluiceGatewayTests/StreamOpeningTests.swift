import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import SluiceRuntime
import Testing

/// A stream of which the client has nothing yet can still go somewhere else.
@Suite("Streams that have not begun", .mustEnd)
struct StreamOpeningTests {
  /// A gateway with two keys towards one upstream, and a client that has asked for a stream.
  struct Scene {
    let upstream: RawUpstream
    let gateway: TestGateway
    let client: RawSocket
    let surface: Surface

    init(
      _ provider: ProviderDialect, asks surface: Surface, attempts: Int = 2, limits: GatewayLimits = .unhurried
    ) async throws {
      self.surface = surface
      upstream = try await RawUpstream.start(on: TestGateway.group)
      gateway = try await TestGateway.start(
        [
          .init(
            name: "p", dialect: provider, ports: [upstream.port], keys: ["first", "second"],
            exchange: .unhurried(attempts: attempts), maxConnections: 1)
        ], limits: limits, clock: .system)
      client = try await gateway.connect()
      try await ask()
    }

    func ask() async throws {
      let body = #"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#
      try await client.send(
        Requests.post(surface == .anthropic ? "/v1/messages" : "/v1/chat/completions", body))
    }

    /// The next attempt, answered with the head of a stream and these bytes.
    func attempt(_ first: String = "") async throws -> (provider: RawSocket, key: String?) {
      let provider = try await upstream.connection()
      return (provider, try await again(provider, first))
    }

    /// As `attempt`, on a connection that is used once more.
    func again(_ provider: RawSocket, _ first: String) async throws -> String? {
      let request = await provider.readRequest()
      let chunk = first.isEmpty ? "" : String(first.utf8.count, radix: 16) + "\r\n" + first + "\r\n"
      try await provider.send(RawSocket.streamHead + chunk)
      return request.header("authorization") ?? request.header("x-api-key")
    }

    func end() async throws {
      await gateway.stop()
      try await upstream.stop()
    }
  }

  private static let overloaded =
    "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"
  private static let limited =
    "data: {\"error\":{\"message\":\"slow down\",\"type\":\"rate_limit_error\",\"code\":\"rate_limit_exceeded\"}}\n\n"
  private static let whole = Requests.opening + Requests.chunk("b", finish: true) + Requests.done

  @Test(
    "A stream that ends, breaks or closes before its first event is tried again",
    arguments: ["reset", "close", "end", ": comment\n\n", "data: {\"half\":"], [Surface.openai, .anthropic])
  func broken(how: String, surface: Surface) async throws {
    let scene = try await Scene(.openai, asks: surface)
    let isPiece = how.contains(":")
    var (provider, _) = try await scene.attempt(isPiece ? how : "")
    switch how {
    case "reset": provider.reset()
    case "end": try await provider.endChunks()
    default: provider.close()
    }
    if how == "end" {
      _ = try await scene.again(provider, Self.whole)
    } else {
      (provider, _) = try await scene.attempt(Self.whole)
    }
    try await provider.endChunks()
    let answer = await scene.client.readAnswer()
    #expect(answer.status == 200)
    #expect(answer.header("x-sluice-attempts") == "2")
    #expect(answer.body.contains("b") && !answer.body.contains("half") && !answer.body.contains("comment"))
    let metrics = try await scene.gateway.metrics { $0.total.requests == 1 }
    #expect(metrics.total.retries == 1 && metrics.total.streamsBroken == 0 && metrics.streamsOpen == 0)
    try await scene.end()
  }

  @Test(
    "A first event that is an error goes to another key, whether or not the stream ends",
    arguments: [true, false], [Surface.openai, .anthropic])
  func error(ends: Bool, surface: Surface) async throws {
    for (dialect, event) in [(ProviderDialect.anthropic, Self.overloaded), (.openai, Self.limited)] {
      let scene = try await Scene(dialect, asks: surface)
      let (provider, first) = try await scene.attempt("event: ping\ndata: {\"type\": \"ping\"}\n\n" + event)
      var second: String?
      if ends { try? await provider.endChunks() }
      // Where the end comes with the error the connection serves on; otherwise it is given up.
      let next = try await scene.attemptAnywhere(provider)
      second = next.key
      try await next.provider.answer(#"{"error":{"message":"no","type":"invalid_request_error"}}"#, status: 400)
      let answer = await scene.client.readAnswer()
      #expect(answer.status == 400, "\(answer)")
      #expect(answer.header("x-sluice-attempts") == "2")
      #expect(first != nil && second != nil && first != second)
      try await scene.end()
    }
  }

  @Test("When no key does better the client gets the error with a status, in its own words")
  func exhausted() async throws {
    for (dialect, event, surface, status, words) in [
      (ProviderDialect.anthropic, Self.overloaded, Surface.anthropic, 503, "overloaded_error"),
      (.anthropic, Self.overloaded, .openai, 503, "service_unavailable_error"),
      (.openai, Self.limited, .openai, 429, "rate_limit_exceeded"),
      (.openai, Self.limited, .anthropic, 429, "rate_limit_error"),
    ] {
      let scene = try await Scene(dialect, asks: surface, attempts: 2)
      var (provider, _) = try await scene.attempt(event)
      provider = try await scene.attemptAnywhere(provider, event).provider
      let answer = await scene.client.readAnswer()
      #expect(answer.status == status, "\(answer)")
      #expect(answer.header("content-type") == "application/json")
      #expect(answer.body.contains(words) && answer.body.contains(event == Self.limited ? "slow down" : "Overloaded"))
      #expect(answer.header("x-sluice-attempts") == "2")
      // The client's connection lives on.
      try await scene.client.send(Requests.get("/nowhere"))
      #expect(await scene.client.readAnswer().status == 404)
      try await scene.end()
    }
  }

  @Test("An error behind the first event is the client's: nothing is tried again")
  func begun() async throws {
    let scene = try await Scene(.openai, asks: .openai)
    let (provider, _) = try await scene.attempt(Requests.opening + Self.limited)
    try await provider.endChunks()
    let answer = await scene.client.readAnswer()
    #expect(answer.status == 200)
    #expect(answer.body == Requests.opening + Self.limited)
    #expect(answer.header("x-sluice-attempts") == "1")
    try await scene.end()
  }

  @Test("A translated stream whose first event cannot be read is tried again")
  func unreadable() async throws {
    let scene = try await Scene(.openai, asks: .anthropic)
    _ = try await scene.attempt("data: {\"choi\n\n")
    let (provider, _) = try await scene.attempt(Self.whole)
    try await provider.endChunks()
    let answer = await scene.client.readAnswer()
    #expect(answer.status == 200)
    #expect(answer.body.contains("message_stop"))
    #expect(answer.header("x-sluice-attempts") == "2")
    try await scene.end()
  }

  @Test("Comments are held no longer than one event may be")
  func bound() async throws {
    var limits = GatewayLimits.unhurried
    limits.maxHeldEvent = 1_000
    let scene = try await Scene(.openai, asks: .openai, limits: limits)
    let comments = String(repeating: ": waiting\n\n", count: 100)
    let (provider, _) = try await scene.attempt(comments)
    #expect(await scene.client.read(until: "\r\n\r\n").contains("200 OK"))
    #expect(await scene.client.readChunk() == comments)
    provider.close()
    #expect(await scene.client.readChunks().contains("upstream_broke"))
    try await scene.end()
  }

  @Test("Once the client got its keep-alive, errors are events of the stream")
  func keepalive() async throws {
    var limits = GatewayLimits.unhurried
    limits.keepaliveComment = .milliseconds(20)
    let scene = try await Scene(.openai, asks: .openai, limits: limits)
    let (provider, _) = try await scene.attempt(": waiting\n\n")
    #expect(await scene.client.read(until: "\r\n\r\n").contains("200 OK"))
    #expect(await scene.client.readChunk() == ": waiting\n\n", "what was held back comes first")
    #expect(await scene.client.readChunk() == ": keepalive\n\n")
    try await provider.sendChunk(Self.limited)
    try await provider.endChunks()
    let rest = await scene.client.readChunks()
    #expect(rest.contains(Self.limited), "passed on, between comments")
    let metrics = try await scene.gateway.metrics { $0.total.requests == 1 }
    #expect(metrics.total.retries == 0 && metrics.total.streamsBroken == 1)
    try await scene.end()
  }
}

extension StreamOpeningTests.Scene {
  /// The next attempt, on the connection at hand or, where that was given up, on another one.
  func attemptAnywhere(
    _ former: RawSocket, _ first: String? = nil
  ) async throws -> (provider: RawSocket, key: String?) {
    var provider = former
    var request = await former.readRequest()
    if request.head.isEmpty {
      provider = try await upstream.connection()
      request = await provider.readRequest()
    }
    if let first {
      try await provider.send(
        RawSocket.streamHead + String(first.utf8.count, radix: 16) + "\r\n" + first + "\r\n")
    }
    return (provider, request.header("authorization") ?? request.header("x-api-key"))
  }
}
