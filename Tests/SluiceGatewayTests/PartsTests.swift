import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import Testing

@Suite("Parts of the gateway")
struct PartsTests {
  @Test("A held event lets whole events go, however the stream is divided", arguments: ["\n", "\r\n", "\r"])
  func heldEvents(lineEnd: String) {
    let stream = ["data: a", "", "event: x", "data: b", "data: c", "", ": comment", "", "data: rest"]
      .joined(separator: lineEnd)
    let whole = stream.utf8.count - "data: rest".utf8.count
    for size in 1...stream.utf8.count {
      var held = HeldEvent()
      var out = ByteBuffer()
      var rest = Substring(stream).utf8
      while !rest.isEmpty {
        if var piece = Array(rest.prefix(size)).withUnsafeBytes({ held.take($0, limit: 1_000) }) {
          out.writeBuffer(&piece)
        }
        rest = rest.dropFirst(size)
        let text = String(buffer: out)
        #expect(text.isEmpty || text.hasSuffix(lineEnd + lineEnd), "divided by \(size): \(text.debugDescription)")
      }
      #expect(out.readableBytes == whole, "divided by \(size)")
      let tail = held.takeAll()
      #expect(tail.map { String(buffer: $0) } == "data: rest")
      #expect(!held.isTorn)
    }
  }

  /// What an exchange does with a stream that is passed on: the whole events that a client has when it breaks.
  private static func passed(_ bytes: ArraySlice<UInt8>, _ framing: StreamFraming, piece: Int) -> (
    ByteBuffer, HeldEvent
  ) {
    var framer = EventFramer(framing)
    var held = HeldEvent(framing, continuation: framer.continuation)
    var out = ByteBuffer()
    var rest = bytes
    while !rest.isEmpty {
      let next = Array(rest.prefix(piece))
      rest = rest.dropFirst(piece)
      next.withUnsafeBytes { try? framer.consume(ByteSlice($0)) { _, _ in } }
      if framer.isAtEventBoundary {
        if var earlier = held.takeAll() { out.writeBuffer(&earlier) }
        held.boundaryReached(framer.continuation)
        out.writeBytes(next)
      } else if var whole = next.withUnsafeBytes({ held.take($0, limit: 1_000, unfinished: framer.unfinishedBytes) }) {
        out.writeBuffer(&whole)
      }
    }
    return (out, held)
  }

  @Test("Wherever an array breaks, its whole elements were let go and an error can follow as one more")
  func heldElements() throws {
    let elements = [#"{"t":"}]\"[,"}"#, #"{"a":[{},1]}"#, "[2]", #"{"ü":null}"#]
    let stream = Array(("[" + elements.joined(separator: "\r\n,") + "\n]\n").utf8)
    let ends = elements.indices.map { 1 + elements[...$0].joined(separator: "\r\n,").utf8.count }
    for end in 0...stream.count - 3 {
      for piece in 1...max(1, end) {
        var (out, held) = Self.passed(stream[..<end], .jsonArray, piece: piece)
        out.writeStaticString(held.continuation)
        out.writeString("7]")
        let text = String(buffer: out)
        let read = try? JSONReader.read(Array(text.utf8)).array
        #expect(read?.count == ends.count { $0 <= end } + 1, "\(end) in pieces of \(piece): \(text)")
      }
    }
  }

  @Test("Wherever a binary stream breaks, its whole messages were let go")
  func heldMessages() {
    let messages = ["a", "b"].map { Array(AWSEventStream.event($0, Array(#"{"x":1}"#.utf8))) }
    let stream = messages.flatMap { $0 }
    let ends = messages.indices.map { messages[...$0].reduce(0) { $0 + $1.count } }
    for end in 0...stream.count {
      for piece in 1...max(1, end) {
        let out = Self.passed(stream[..<end], .awsEventStream, piece: piece).0
        #expect(out.readableBytes == ends.last { $0 <= end } ?? 0, "\(end) in pieces of \(piece)")
      }
    }
  }

  @Test("An event beyond the bound is let go, and the next boundary heals the stream")
  func tornEvent() {
    var held = HeldEvent()
    let long = "data: \(String(repeating: "x", count: 100))"
    #expect(take(long, &held)?.readableBytes == long.utf8.count)
    #expect(held.isTorn)
    #expect(take("more", &held)?.readableBytes == 4)
    #expect(take("end\n\ndata: b", &held) == ByteBuffer(string: "end\n\n"))
    #expect(!held.isTorn)
    let tail = held.takeAll()
    #expect(tail == ByteBuffer(string: "data: b"))
  }

  private func take(_ text: String, _ held: inout HeldEvent) -> ByteBuffer? {
    Array(text.utf8).withUnsafeBytes { held.take($0, limit: 50) }
  }

  // `#expect` cannot call mutating members itself.
  private func reserve(_ purse: inout BufferPurse, _ bytes: Int) -> Bool { purse.reserve(bytes) }

  private func collect(
    _ collector: inout BodyCollector, _ input: inout ByteBuffer, _ purse: inout BufferPurse
  ) -> BodyCollector.Outcome {
    collector.take(from: &input, &purse)
  }

  @Test("Loops together never lend more than the account has")
  func bufferAccount() {
    let account = BufferAccount(bytes: 3 * BufferAccount.step)
    var first = BufferPurse(account: account)
    var second = BufferPurse(account: account)
    #expect(reserve(&first, 10))
    #expect(reserve(&second, 10))
    #expect(account.balance == BufferAccount.step)
    #expect(reserve(&first, 2 * BufferAccount.step - 10))
    #expect(account.balance == 0)
    #expect(!reserve(&second, BufferAccount.step))
    #expect(second.lent == 10)
    first.refund(2 * BufferAccount.step)
    second.refund(10)
    #expect(first.lent == 0 && second.lent == 0)
    // Each loop keeps up to two steps for its next requests.
    #expect(account.balance <= 3 * BufferAccount.step)
    #expect(reserve(&first, 2 * BufferAccount.step))
  }

  @Test("What a loop gives back beyond its reserve returns to the account")
  func refundReturns() {
    let account = BufferAccount(bytes: 10 * BufferAccount.step)
    var purse = BufferPurse(account: account)
    #expect(reserve(&purse, 8 * BufferAccount.step))
    #expect(account.balance == 2 * BufferAccount.step)
    purse.refund(8 * BufferAccount.step)
    #expect(account.balance == 9 * BufferAccount.step)
  }

  @Test("A body is collected from any pieces, to its length and no further", arguments: [1, 3, 7, 1_000])
  func collector(size: Int) {
    let account = BufferAccount(bytes: 1 << 24)
    for (length, wire, body) in [
      (BodyLength.fixed(11), "hello world", "hello world"),
      (.chunked, "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
    ] {
      var purse = BufferPurse(account: account)
      var collector = BodyCollector(
        length: length, limit: 11, http: .standard,
        pace: BodyPace(began: Instant(nanoseconds: 0), pause: .seconds(1), rate: 0))
      var input = ByteBuffer()
      var rest = (wire + "NEXT").utf8[...]
      var outcome = BodyCollector.Outcome.needMore
      while outcome == .needMore, !rest.isEmpty {
        input.writeBytes(rest.prefix(size))
        rest = rest.dropFirst(size)
        outcome = collector.take(from: &input, &purse)
      }
      input.writeBytes(rest)
      #expect(outcome == .complete)
      #expect(String(buffer: collector.body) == body)
      #expect(String(buffer: input) == "NEXT")
      #expect(purse.lent == 11 && collector.reserved == 11)
    }
  }

  @Test("A body beyond its bound is refused while it comes")
  func collectorBounds() {
    var purse = BufferPurse(account: BufferAccount(bytes: 1 << 24))
    var input = ByteBuffer(string: "ffff\r\n" + String(repeating: "a", count: 100))
    var chunked = BodyCollector(
      length: .chunked, limit: 50, http: .standard,
      pace: BodyPace(began: Instant(nanoseconds: 0), pause: .seconds(1), rate: 0))
    #expect(collect(&chunked, &input, &purse) == .tooLarge)
    var fixed = BodyCollector(
      length: .fixed(51), limit: 50, http: .standard,
      pace: BodyPace(began: Instant(nanoseconds: 0), pause: .seconds(1), rate: 0))
    #expect(collect(&fixed, &input, &purse) == .tooLarge)
    #expect(purse.lent == 0)
  }

  @Test("Histograms put values into the bucket whose bound is not below them")
  func histogram() {
    var histogram = FixedHistogram()
    for nanoseconds in [0, 100_000, 100_001, 600_000_000_000, 600_000_000_001] as [Int64] {
      histogram.record(Interval(nanoseconds: nanoseconds))
    }
    #expect(histogram[0] == 2)
    #expect(histogram[1] == 1)
    #expect(histogram[FixedHistogram.bounds.count - 1] == 1)
    #expect(histogram[FixedHistogram.bucketCount - 1] == 1)
    #expect(histogram.count == 5)
    #expect((0..<FixedHistogram.bucketCount).reduce(0) { $0 + histogram[$1] } == 5)
    var other = FixedHistogram()
    other.merge(histogram)
    #expect(other.count == 5 && other.sumNanoseconds == histogram.sumNanoseconds)
  }

  @Test(
    "Deadlines are milliseconds or a number with a unit",
    arguments: [
      ("1500", Interval.milliseconds(1_500)), ("250ms", .milliseconds(250)), ("5s", .seconds(5)), ("2m", .minutes(2)),
      ("", nil), ("5h", nil), ("-5", nil), ("5 s", nil), ("99999999999999999999", nil),
    ] as [(String, Interval?)])
  func deadline(text: String, expected: Interval?) {
    #expect(Array(text.utf8).withSlice { DeadlineHeader.parse($0) } == expected)
  }

  @Test("Addresses to listen on")
  func addresses() throws {
    #expect(try ListenAddress("127.0.0.1:8080") == .tcp(host: "127.0.0.1", port: 8080))
    #expect(try ListenAddress("[::1]:0") == .tcp(host: "::1", port: 0))
    #expect(try ListenAddress("unix:/run/a.sock") == .unix(path: "/run/a.sock"))
    #expect(throws: InvalidListenAddress.missingPort) { try ListenAddress("localhost") }
    #expect(throws: InvalidListenAddress.badPort) { try ListenAddress("localhost:70000") }
    #expect(throws: InvalidListenAddress.badPort) { try ListenAddress("localhost:+1") }
    #expect(throws: InvalidListenAddress.unbracketedIPv6) { try ListenAddress("::1:8080") }
    #expect(throws: InvalidListenAddress.relativePath) { try ListenAddress("unix:a.sock") }
    #expect(throws: InvalidListenAddress.pathTooLong) {
      try ListenAddress("unix:/" + String(repeating: "a", count: 107))
    }
    #expect(try ListenAddress("localhost:1").isLoopback)
    #expect(try !ListenAddress(":80").isLoopback)
  }

  @Test("Digests come from keys and from their hexadecimal form")
  func digests() throws {
    // SHA-256 of "abc", FIPS 180-2 appendix B.1.
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    let digest = try #require(KeyDigest(hex: hex))
    #expect(digest.difference(from: KeyDigest(of: "abc")) == 0)
    #expect(digest.difference(from: KeyDigest(of: "abd")) != 0)
    #expect(KeyDigest(hex: "ba78") == nil)
    #expect(KeyDigest(hex: hex.replacing("b", with: "g")) == nil)
  }
}
