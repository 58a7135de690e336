import NIOCore
import NIOEmbedded
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

/// A connection on an embedded channel: every split of a response is exactly the one the test asks for.
private final class Bench {
  let channel = EmbeddedChannel()
  let connection: HTTPConnection
  let peer: RecordingPeer

  init(_ change: (inout HTTPConnectionOptions) -> Void = { _ in }) throws {
    var options = HTTPConnectionOptions()
    change(&options)
    connection = HTTPConnection(
      eventLoop: channel.eventLoop, options: options, events: nil, clock: SystemClock(),
      monitor: DeadPathMonitor(eventLoop: channel.eventLoop), isTLS: false)
    peer = RecordingPeer(on: channel.eventLoop)
    try channel.pipeline.syncOperations.addHandler(connection)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
  }

  deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

  func start(_ request: UpstreamRequest = .get) { connection.start(request, peer: peer) }

  func read(_ text: some StringProtocol) throws { try channel.writeInbound(ByteBuffer(substring: Substring(text))) }

  /// The whole answer in pieces of `size` bytes, then, if asked for, the end of the connection.
  func answer(_ text: String, pieces size: Int, closes: Bool = false) throws -> Outcome {
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      guard channel.isActive else { break }
      try channel.writeInbound(ByteBuffer(bytes: bytes[start..<min(start + size, bytes.count)]))
    }
    if closes { channel.pipeline.fireChannelInactive() }
    return peer.outcome
  }
}

/// A response, what of it is body, and whether the connection lives on.
struct Variant: Sendable, CustomTestStringConvertible {
  var name: String
  var text: String
  var body: String
  var reusable: Bool
  var status = 200
  var isHead = false
  var closes = false

  var testDescription: String { name }

  static let all: [Variant] = [
    Variant(name: "fixed", text: okAnswer, body: "ok", reusable: true),
    Variant(name: "empty", text: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", body: "", reusable: true),
    Variant(
      name: "chunked",
      text: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
      body: "hello world", reusable: true),
    Variant(
      name: "chunk sizes in upper case and with leading zeros",
      text: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n000A\r\n0123456789\r\n0\r\n\r\n", body: "0123456789",
      reusable: true),
    Variant(
      name: "chunk extension",
      text: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=\"b\"\r\nhi\r\n0\r\n\r\n", body: "hi",
      reusable: true),
    Variant(
      name: "trailers",
      text: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-checksum: 1\r\n\r\n", body: "hi",
      reusable: true),
    Variant(name: "until close", text: "HTTP/1.1 200 OK\r\n\r\nhello", body: "hello", reusable: false, closes: true),
    Variant(
      name: "HTTP/1.0", text: "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", body: "ok", reusable: false),
    Variant(
      name: "HTTP/1.0 kept alive", text: "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok",
      body: "ok", reusable: true),
    Variant(
      name: "connection: close", text: "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
      body: "ok",
      reusable: false),
    Variant(name: "no content", text: "HTTP/1.1 204 No Content\r\n\r\n", body: "", reusable: true, status: 204),
    Variant(
      name: "not modified", text: "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", body: "", reusable: true,
      status: 304),
    Variant(
      name: "answer to HEAD", text: "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", body: "", reusable: true,
      isHead: true),
    Variant(
      name: "informational heads first",
      text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + okAnswer, body: "ok",
      reusable: true),
    Variant(
      name: "error with a body", text: "HTTP/1.1 431 Too Large\r\ncontent-length: 3\r\n\r\nno!", body: "no!",
      reusable: true, status: 431),
  ]
}

@Suite struct ResponseFramingTests {
  @Test(arguments: Variant.all, [1, 2, 3, 7, 4_096])
  func everyVariantInEverySplit(_ variant: Variant, size: Int) throws {
    let bench = try Bench()
    bench.start(variant.isHead ? .headOnly : .get)
    let outcome = try bench.answer(variant.text, pieces: size, closes: variant.closes)
    #expect(outcome.failure == nil)
    #expect(outcome.status == variant.status)
    #expect(outcome.text == variant.body)
    #expect(outcome.reusable == variant.reusable)
    #expect(outcome.late == 0)
    #expect(bench.connection.isOpen == variant.reusable)
    #expect(outcome.head.hasSuffix("\r\n\r\n"))
  }

  /// No prefix of a response whose length is known may pass for the whole.
  @Test(arguments: Variant.all.filter { !$0.closes })
  func theEndOfTheConnectionAtEveryByte(_ variant: Variant) throws {
    for length in 0..<variant.text.utf8.count {
      let bench = try Bench()
      bench.start(variant.isHead ? .headOnly : .get)
      let prefix = String(decoding: variant.text.utf8.prefix(length), as: UTF8.self)
      let outcome = try bench.answer(prefix, pieces: 4_096, closes: true)
      #expect(outcome.reusable == nil, "\(length) bytes")
      #expect(outcome.failure?.reason == .closed)
      #expect(outcome.failure?.bytesReceived == length)
      #expect(outcome.failure?.failureClass == .network)
      #expect(outcome.failure?.replaySafe == false)
    }
  }

  @Test(arguments: [
    ("garbage", "SSH-2.0-OpenSSH_9.6\r\n", HTTPParseError.statusLine),
    ("TLS alert", "\u{15}\u{03}\u{01}\u{00}\u{02}", .statusLine),
    ("bare line feed", "HTTP/1.1 200 OK\ncontent-length: 2\n\nok", .bareLineFeed),
    ("two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok", .duplicateContentLength),
    (
      "length and chunks",
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
      .lengthAndTransferEncoding
    ),
    ("negative length", "HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\nok", .contentLength),
    ("chunk size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", .chunkSize),
    ("chunk too long", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n", .chunkEnd),
    ("huge chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n", .chunkSizeTooLarge),
    ("upgrade", "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n", .unexpectedUpgrade),
    ("other version", "HTTP/2.0 200 OK\r\n\r\n", .versionNotSupported),
  ])
  func refuses(_ name: String, text: String, error: HTTPParseError) throws {
    for size in [1, 4_096] {
      let bench = try Bench()
      bench.start()
      let outcome = try bench.answer(text, pieces: size)
      #expect(outcome.failure?.reason == .malformed(error), "\(name)")
      #expect(outcome.failure?.failureClass == .protocolError)
      #expect(outcome.failure?.replaySafe == false)
      #expect(!bench.connection.isOpen)
    }
  }

  @Test func aHeadHasABound() throws {
    let bench = try Bench { $0.limits = HTTPLimits(maxHeadBytes: 1_024) }
    bench.start()
    let filler = String(repeating: "x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", count: 40)
    let outcome = try bench.answer("HTTP/1.1 200 OK\r\n" + filler, pieces: 100)
    #expect(outcome.failure?.reason == .malformed(.headTooLarge))
  }

  @Test func informationalHeadsHaveABound() throws {
    let bench = try Bench()
    bench.start()
    let flood = String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 9)
    #expect(try bench.answer(flood, pieces: 4_096).failure?.reason == .tooManyInformational)
  }

  /// The answer itself was complete; what follows it makes the connection useless, in whatever read it comes.
  @Test(arguments: ["HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged", "x", "\r\n"])
  func bytesBehindTheEndEndTheConnection(_ extra: String) throws {
    let together = try Bench()
    together.start()
    let outcome = try together.answer(okAnswer + extra, pieces: 4_096)
    #expect(outcome.text == "ok")
    #expect(outcome.reusable == false)
    #expect(!together.connection.isOpen)

    let apart = try Bench()
    apart.start()
    try apart.read(okAnswer)
    #expect(apart.peer.outcome.reusable == true)
    try apart.read(extra)
    #expect(!apart.connection.isOpen)
    #expect(apart.peer.outcome.late == 0)
  }

  /// A response cannot answer a request that was sent after it had arrived.
  @Test func bytesOfTheSameReadAreNotTheNextAnswer() throws {
    let bench = try Bench()
    let second = RecordingPeer(on: bench.channel.eventLoop)
    bench.peer.onEnd = { bench.connection.start(.get, peer: second) }
    bench.start()
    bench.channel.pipeline.fireChannelRead(ByteBuffer(string: okAnswer))
    bench.channel.pipeline.fireChannelRead(ByteBuffer(string: okAnswer))
    bench.channel.pipeline.fireChannelReadComplete()
    bench.peer.onEnd = nil
    #expect(second.outcome.failure?.reason == .unsolicited)
    #expect(second.outcome.status == nil)
    #expect(!bench.connection.isOpen)
  }

  @Test func aRequestMayAskForTheEndOfTheConnection() throws {
    let bench = try Bench()
    bench.start(UpstreamRequest(head: UpstreamRequest.get.head, keepAlive: false))
    #expect(try bench.answer(okAnswer, pieces: 4_096).reusable == false)
    #expect(!bench.connection.isOpen)
  }
}

/// Chunks are handed on as they came where that can mean only one thing.
@Suite struct RawChunkTests {
  private static let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

  private func outcome(_ reads: [String]) throws -> Outcome {
    let bench = try Bench()
    bench.start()
    for read in reads { try bench.read(read) }
    return bench.peer.outcome
  }

  @Test func wholeChunksStayUntouched() throws {
    let outcome = try outcome([Self.head, "5\r\nhello\r\n", "1\r\n \r\n5\r\nworld\r\n", "0\r\n\r\n"])
    #expect(outcome.rawParts == 3)
    #expect(outcome.payloadParts == 0)
    #expect(outcome.text == "hello world")
    #expect(outcome.raw == Array("5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n".utf8))
    #expect(outcome.hasLastRaw)
  }

  @Test func chunksInTheReadOfTheHead() throws {
    let outcome = try outcome([Self.head + "5\r\nhello\r\n", "0\r\n\r\n"])
    #expect(outcome.rawParts == 2)
    #expect(outcome.text == "hello")
  }

  @Test func longSizesAreCanonicalToo() throws {
    let text = String(repeating: "a", count: 0x1_0F)
    let outcome = try outcome([Self.head, "10F\r\n\(text)\r\n", "10f\r\n\(text)\r\n0\r\n\r\n"])
    #expect(outcome.rawParts == 2)
    #expect(outcome.text == text + text)
  }

  @Test(arguments: [
    ["5\r\nhel", "lo\r\n", "0\r\n\r\n"],
    ["5\r\nhello\r", "\n0\r\n\r\n"],
    ["05\r\nhello\r\n", "00\r\n\r\n"],
    ["5;x\r\nhello\r\n", "0\r\nx: y\r\n\r\n"],
    ["5\r\nhello\r\n0\r\nx: y\r\n\r\n"],
  ])
  func anythingElseIsTakenApart(_ reads: [String]) throws {
    let outcome = try outcome([Self.head] + reads)
    #expect(outcome.text == "hello")
    #expect(outcome.reusable == true)
    #expect(outcome.payloadParts > 0)
    #expect(outcome.rawParts == (reads.last == "0\r\n\r\n" ? 1 : 0))
  }

  @Test func payloadBeforeGarbageIsNotLost() throws {
    let outcome = try outcome([Self.head, "5\r\nhello\r\n5\r\nworldgarbage"])
    #expect(outcome.text == "helloworld")
    #expect(outcome.failure?.reason == .malformed(.chunkEnd))
  }
}

@Suite struct RequestWritingTests {
  @Test func headAndBodyLeaveInOneFlush() throws {
    let bench = try Bench()
    bench.start(.post(bytes: 3))
    let head = try bench.channel.readOutbound(as: ByteBuffer.self)
    let body = try bench.channel.readOutbound(as: ByteBuffer.self)
    #expect(head.map { String(buffer: $0) }?.hasPrefix("POST /v1/chat") == true)
    #expect(body.map { String(buffer: $0) } == "xxx")
  }

  @Test func cancelSilencesThePeerAndCloses() throws {
    let bench = try Bench()
    bench.start()
    bench.connection.cancel()
    bench.channel.embeddedEventLoop.run()
    #expect(bench.peer.outcome.failure == nil)
    #expect(!bench.channel.isActive)
    #expect(!bench.connection.isOpen)
  }

  @Test func closingTellsThePeer() throws {
    let bench = try Bench()
    bench.start()
    bench.connection.close(reason: .shutdown)
    bench.connection.close(reason: .shutdown)
    #expect(bench.peer.outcome.failure?.reason == .closedHere(.shutdown))
    #expect(bench.peer.outcome.failure?.failureClass == .cancelled)
    #expect(bench.peer.outcome.late == 0)
  }

  @Test func aStartOnAClosedConnectionIsSafeToRepeat() throws {
    let bench = try Bench()
    bench.connection.close(reason: .age)
    bench.start()
    #expect(bench.peer.outcome.failure == nil, "not from inside start")
    bench.channel.embeddedEventLoop.run()
    #expect(bench.peer.outcome.failure?.replaySafe == true)
    #expect(bench.peer.outcome.failure?.reused == false)
  }
}
