import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import SluiceRuntime
import Testing

/// Anthropic's clients answered by a provider that speaks OpenAI's protocol, which the test plays.
@Suite("Exchanges between two protocols", .mustEnd)
struct TranslatedExchangeTests {
  private struct Scene {
    let upstream: RawUpstream
    let gateway: TestGateway
    let client: RawSocket

    init(attempts: Int = 1, keys: [String] = ["first"]) async throws {
      upstream = try await RawUpstream.start(on: TestGateway.group)
      gateway = try await TestGateway.start([
        .init(ports: [upstream.port], keys: keys, exchange: .unhurried(attempts: attempts), maxConnections: 1)
      ])
      client = try await gateway.connect()
    }

    /// Asks, and gives the upstream's side of the exchange and what it was asked.
    func ask(stream: Bool = false, extra: String = "") async throws -> (provider: RawSocket, seen: SeenRequest) {
      let body =
        #"{"model":"gpt-4o-mini","max_tokens":64,"stream":\#(stream),"system":"Be brief.","messages":[{"role":"user","content":"hello"}]\#(extra)}"#
      try await client.send(
        Requests.post(
          "/v1/messages", body,
          headers:
            "anthropic-version: 2023-06-01\r\nx-api-key: client-secret\r\nx-stainless-lang: python\r\ncookie: a=b\r\n"))
      let provider = try await upstream.connection()
      return (provider, await provider.readRequest())
    }

    func end() async throws {
      await gateway.stop()
      try await upstream.stop()
    }
  }

  @Test("A plain answer, and nothing of the client's head that is not for everybody")
  func plain() async throws {
    let scene = try await Scene()
    let (provider, seen) = try await scene.ask(extra: #","top_k":3"#)
    #expect(seen.line == "POST /v1/chat/completions HTTP/1.1")
    #expect(seen.header("authorization") == "Bearer sk-first")
    for name in ["x-api-key", "anthropic-version", "cookie", "x-stainless-lang"] { #expect(seen.header(name) == nil) }
    #expect(!seen.head.contains("client-secret"))
    let asked = try JSONReader.read(Array(seen.body.utf8))
    #expect(asked["model"]?.string == "gpt-4o-mini")
    #expect(asked["messages"]?.array?.count == 2)
    #expect(asked["top_k"] == nil)
    try await provider.answer(Requests.answer, headers: "x-request-id: up-1\r\n")
    let answer = await scene.client.readAnswer()
    #expect(answer.status == 200)
    #expect(answer.header("content-type") == "application/json")
    #expect(answer.header("x-sluice-dropped") == "top_k")
    #expect(answer.header("x-sluice-pool") == "openai")
    let told = try JSONReader.read(Array(answer.body.utf8))
    #expect(told["type"]?.string == "message" && told["stop_reason"]?.string == "end_turn")
    #expect(told["content"]?.array?.first?["text"]?.string == "hi")
    #expect(told["usage"]?["input_tokens"]?.int == 5 && told["usage"]?["output_tokens"]?.int == 2)
    let metrics = try await scene.gateway.metrics { $0.total.requests == 1 }
    #expect(metrics.total.inputTokens == 5 && metrics.total.outputTokens == 2)
    try await scene.end()
  }

  @Test("A stream, event by event, with its usage at the end")
  func stream() async throws {
    let scene = try await Scene()
    let (provider, seen) = try await scene.ask(stream: true)
    let asked = try JSONReader.read(Array(seen.body.utf8))
    #expect(asked["stream_options"]?["include_usage"]?.bool == true, "the client's protocol promises usage")
    try await provider.send(RawSocket.streamHead)
    try await provider.sendChunk(Requests.chunk("one"))
    let head = await scene.client.read(until: "\r\n\r\n")
    #expect(head.contains("content-type: text/event-stream"))
    let first = await scene.client.readChunk() ?? ""
    #expect(first.hasPrefix("event: message_start") && first.contains("one"), "not held until the end")
    let usage =
      #"data: {"id":"c1","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#
    try await provider.sendChunk(Requests.chunk("", finish: true) + usage + "\n\n" + Requests.done)
    try await provider.endChunks()
    let rest = await scene.client.readChunks()
    #expect(
      rest.contains(#""output_tokens":3"#)
        && rest.hasSuffix("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"))
    let metrics = try await scene.gateway.metrics { $0.total.requests == 1 }
    #expect(metrics.total.outputTokens == 3 && metrics.total.estimatedOutputTokens == 0)
    try await scene.end()
  }

  @Test("The provider's error in the client's words, with its wait")
  func refused() async throws {
    let scene = try await Scene()
    let (provider, _) = try await scene.ask()
    try await provider.answer(
      #"{"error":{"message":"Slow down, please","type":"requests","code":"rate_limit_exceeded"}}"#, status: 429,
      headers: "retry-after: 7\r\n")
    let answer = await scene.client.readAnswer()
    #expect(answer.status == 429)
    #expect(answer.header("retry-after") == "7")
    let told = try JSONReader.read(Array(answer.body.utf8))
    #expect(told["type"]?.string == "error" && told["error"]?["type"]?.string == "rate_limit_error")
    #expect(told["error"]?["message"]?.string?.contains("Slow down, please") == true)
    try await scene.end()
  }

  @Test("An answer that makes no sense is a 502, never a guess", arguments: ["{", "[]", "{}", #"{"choices":[]}"#])
  func unreadable(body: String) async throws {
    let scene = try await Scene()
    let (provider, _) = try await scene.ask()
    try await provider.answer(body)
    let answer = await scene.client.readAnswer()
    #expect(answer.status == 502, "\(answer.body)")
    #expect(try JSONReader.read(Array(answer.body.utf8))["type"]?.string == "error")
    try await scene.end()
  }

  @Test(
    "A stream that cannot be finished ends with the client's own error event",
    arguments: [
      #"data: {"error":{"message":"the server failed","type":"server_error"}}"# + "\n\n", "data: {\n\n", nil,
    ])
  func brokenStream(next: String?) async throws {
    let scene = try await Scene()
    let (provider, _) = try await scene.ask(stream: true)
    try await provider.send(RawSocket.streamHead)
    try await provider.sendChunk(Requests.chunk("one"))
    _ = await scene.client.read(until: "\r\n\r\n")
    #expect(await scene.client.readChunk()?.contains("one") == true)
    if let next { try await provider.sendChunk(next + Requests.chunk("never seen")) } else { provider.close() }
    if next?.contains("server failed") == true { try await provider.endChunks() }
    let rest = await scene.client.readChunks()
    #expect(rest.contains("event: error\n") && !rest.contains("<cut>"), "\(rest)")
    #expect(!rest.contains("never seen") && !rest.contains("message_stop"), "\(rest)")
    let metrics = try await scene.gateway.metrics { $0.total.requests == 1 }
    #expect(metrics.total.streamsBroken == 1)
    try await scene.end()
  }

  @Test("A client that leaves takes the upstream along", arguments: [false, true])
  func clientGone(stream: Bool) async throws {
    let scene = try await Scene()
    let (provider, _) = try await scene.ask(stream: stream)
    if stream {
      try await provider.send(RawSocket.streamHead)
      try await provider.sendChunk(Requests.chunk("one"))
      _ = await scene.client.read(until: "\r\n\r\n")
      #expect(await scene.client.readChunk()?.contains("one") == true)
    }
    scene.client.close()
    await provider.waitForEnd()
    let metrics = try await scene.gateway.metrics { $0.total.cancelled == 1 }
    #expect(metrics.total.outputTokens == (stream ? 1 : 0), "what was read counts, by estimate")
    #expect(metrics.total.estimatedOutputTokens == (stream ? 1 : 0))
    try await scene.end()
  }

  @Test("Another key answers when the first is limited, with the request written again")
  func otherKey() async throws {
    let scene = try await Scene(keys: ["first", "second"])
    let (provider, seen) = try await scene.ask()
    try await provider.answer(#"{"error":{"message":"limited","code":"rate_limit_exceeded"}}"#, status: 429)
    let again = await provider.readRequest()
    #expect(again.body == seen.body && again.header("authorization") != seen.header("authorization"))
    try await provider.answer(Requests.answer)
    #expect(await scene.client.readAnswer().status == 200)
    try await scene.end()
  }

  @Test("A whole answer beyond the bound is not waited for")
  func tooLong() async throws {
    let scene = try await Scene()
    let (provider, _) = try await scene.ask()
    try await provider.send(
      "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n{\"x\":\"")
    let piece = String(repeating: "x", count: 1 << 20)
    for _ in 0..<17 { provider.post(piece) }
    await provider.waitForEnd()
    let answer = await scene.client.readAnswer()
    #expect(answer.status == 502)
    try await scene.end()
  }

  @Test("An event beyond the bound ends the stream with an error")
  func tooLongAnEvent() async throws {
    let scene = try await Scene()
    let (provider, _) = try await scene.ask(stream: true)
    try await provider.send(RawSocket.streamHead)
    try await provider.sendChunk(Requests.chunk("one"))
    _ = await scene.client.read(until: "\r\n\r\n")
    #expect(await scene.client.readChunk()?.contains("one") == true)
    let piece = String(repeating: "x", count: 1 << 20)
    provider.post("1000000\r\ndata: {\"x\":\"")
    for _ in 0..<16 { provider.post(piece) }
    let rest = await scene.client.readChunks()
    #expect(rest.contains("event: error\n") && !rest.contains("<cut>"))
    await provider.waitForEnd()
    try await scene.end()
  }
}
