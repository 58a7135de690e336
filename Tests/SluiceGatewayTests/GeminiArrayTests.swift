import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import Testing

@Suite("Gemini's streams without alt=sse", .mustEnd)
struct GeminiArrayTests {
  private static func part(_ text: String, finish: Bool = false) -> String {
    let end = finish ? #","finishReason":"STOP""# : ""
    return
      #"{"candidates":[{"content":{"parts":[{"text":"\#(text)"}],"role":"model"}\#(end)}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":2}}"#
  }

  private static func request(query: String = "") -> String {
    Requests.post(
      "/v1beta/models/gemini-2.5-flash:streamGenerateContent\(query)", #"{"contents":[{"parts":[{"text":"hi"}]}]}"#)
  }

  private static let head =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=UTF-8\r\ntransfer-encoding: chunked\r\n\r\n"

  private static func gateway(
    _ upstream: RawUpstream, _ dialect: ProviderDialect? = nil, keepalive: Interval? = nil,
    clock: HeldClock = HeldClock()
  ) async throws -> TestGateway {
    var limits = GatewayLimits.unhurried
    limits.keepaliveComment = keepalive
    return try await TestGateway.start(
      [.init(name: "p", dialect: try dialect ?? ProviderDialect(.gemini), ports: [upstream.port])], limits: limits,
      clock: clock)
  }

  @Test("Elements pass as they come, byte for byte, and are counted")
  func passedOn() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await Self.gateway(upstream)
    let client = try await gateway.connect()
    try await client.send(Self.request())
    let provider = try await upstream.connection()
    #expect(await provider.readRequest().line.contains(":streamGenerateContent HTTP"))
    let pieces = ["[" + Self.part("one"), ",\r\n" + Self.part("two"), ",\r\n" + Self.part("", finish: true) + "\n]\n"]
    try await provider.send(Self.head)
    for piece in pieces {
      try await provider.sendChunk(piece)
      if piece.hasPrefix("[") {
        let head = await client.read(until: "\r\n\r\n")
        #expect(head.contains("content-type: application/json; charset=UTF-8"))
      }
      #expect(await client.readChunk() == piece, "not held until the end")
    }
    try await provider.endChunks()
    #expect(await client.readChunk() == "")
    let metrics = try await gateway.metrics { $0.total.requests == 1 }
    #expect(metrics.total.outputTokens == 2 && metrics.total.estimatedOutputTokens == 0)
    #expect(metrics.total.streams == 1)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A break becomes the last element", arguments: ["[ONE", "[ONE,", "[ONE|,\r\n{\"candid"])
  func broken(passed: String) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await Self.gateway(upstream)
    let client = try await gateway.connect()
    try await client.send(Self.request())
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    let text = passed.split(separator: "ONE", omittingEmptySubsequences: false).joined(separator: Self.part("one"))
    try await provider.send(Self.head)
    for piece in text.split(separator: "|") {
      try await provider.sendChunk(String(piece))
      if piece.hasPrefix("[") { _ = await client.read(until: "\r\n\r\n") }
      if !piece.hasPrefix(",") { #expect(await client.readChunk() == String(piece)) }
    }
    provider.close()
    let body = text.prefix { $0 != "|" } + (await client.readChunks())
    let elements = try #require(try JSONReader.read(Array(body.utf8)).array, "\(body)")
    #expect(elements.count == 2)
    #expect(elements.last?["error"]?["status"]?.string == "UNAVAILABLE")
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("Whatever a read ends with, the whole elements in it come before the error")
  func brokenAnywhere() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await Self.gateway(upstream)
    let client = try await gateway.connect()
    let elements = ["one", "t}]\\\",", "three"].map { Self.part($0) }
    let stream = Array(("[" + elements.joined(separator: ",\r\n")).utf8)
    let ends = elements.indices.map { 1 + elements[...$0].joined(separator: ",\r\n").utf8.count }
    for length in stride(from: ends[0], through: stream.count, by: 5) {
      try await client.send(Self.request())
      let provider = try await upstream.connection()
      _ = await provider.readRequest()
      let text = String(decoding: stream[..<length], as: UTF8.self)
      try await provider.send(Self.head + String(length, radix: 16) + "\r\n" + text + "\r\n")
      provider.close()
      let body = await client.readAnswer().body
      let read = try JSONReader.read(Array(body.utf8)).array
      #expect(read?.count == ends.count { $0 <= length } + 1, "\(length): \(body)")
      #expect(read?.last?["error"]?["status"]?.string == "UNAVAILABLE", "\(length)")
    }
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("Clients of the array form are answered by other providers in that form")
  func translated() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let clock = HeldClock()
    let gateway = try await Self.gateway(upstream, .openai, keepalive: .milliseconds(5), clock: clock)
    let client = try await gateway.connect()
    try await client.send(Self.request())
    let provider = try await upstream.connection()
    #expect(await provider.readRequest().body.contains(#""stream":true"#))
    try await provider.send(RawSocket.streamHead)
    try await provider.sendChunk(Requests.opening)
    let head = await client.read(until: "\r\n\r\n")
    #expect(head.contains("content-type: application/json"))
    clock.advance(by: .seconds(1))
    #expect(await client.readChunk() == "\n", "white space keeps the connection alive")
    try await provider.sendChunk(Requests.chunk("one"))
    let first = await client.readChunk() ?? ""
    #expect(first.hasPrefix("[{") && first.contains("one"))
    clock.advance(by: .seconds(1))
    #expect(await client.readChunk() == "\n")
    try await provider.sendChunk(Requests.chunk("two") + Requests.chunk("", finish: true) + Requests.done)
    try await provider.endChunks()
    let whole = first + (await client.readChunks())
    #expect(try JSONReader.read(Array(whole.utf8)).array?.count == 3, "\(whole)")
    await gateway.stop()
    try await upstream.stop()
  }

  @Test(
    "The pool's safety settings go to requests that bring none",
    arguments: [
      (#"{"contents":[]}"#, true), ("{}", true), (#"{"safetySettings":[],"contents":[]}"#, false),
      (#"{"contents":[],"safety_settings":[]}"#, false), (#"{"contents":[{"safetySettings":1}]}"#, true),
    ])
  func safetySettings(body: String, adds: Bool) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let options = ProviderOptions(["safety_settings": .textMap(["harassment": "block_none"])])
    let gateway = try await Self.gateway(upstream, try ProviderDialect(.gemini, options: options))
    let client = try await gateway.connect()
    try await client.send(Requests.post("/v1beta/models/gemini-2.5-flash:generateContent", body))
    let provider = try await upstream.connection()
    let seen = await provider.readRequest().body
    let setting = #""safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}]"#
    #expect(seen == (adds ? "{" + setting + (body == "{}" ? "" : ",") + body.dropFirst() : body))
    #expect((try? JSONReader.read(Array(seen.utf8))) != nil)
    try await provider.answer("{}")
    #expect(await client.readAnswer().status == 200)
    await gateway.stop()
    try await upstream.stop()
  }
}
