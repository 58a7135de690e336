import SluiceDialects
import Testing

@Suite struct ChunkedDecoderTests {
  private func feed(_ decoder: inout ChunkedDecoder, _ text: String) -> [ChunkEvent] {
    var events: [ChunkEvent] = []
    var from = 0
    Array(text.utf8).withUnsafeBytes { bytes in
      while true {
        let event = decoder.next(bytes, from: &from)
        events.append(event)
        if case .payload = event { continue }
        return
      }
    }
    return events
  }

  @Test func payloadRangesPointIntoThePiece() {
    var decoder = ChunkedDecoder()
    #expect(
      feed(&decoder, "3\r\nabc\r\n2\r\nde\r\n") == [
        .payload(ByteRange(start: 3, count: 3)), .payload(ByteRange(start: 11, count: 2)), .needMore,
      ])
    #expect(feed(&decoder, "4\r\nf") == [.payload(ByteRange(start: 3, count: 1)), .needMore])
    #expect(feed(&decoder, "gh") == [.payload(ByteRange(start: 0, count: 2)), .needMore])
    #expect(feed(&decoder, "i\r\n0\r\n\r\n") == [.payload(ByteRange(start: 0, count: 1)), .end])
  }

  @Test func boundariesAreBetweenChunks() {
    var decoder = ChunkedDecoder()
    #expect(decoder.isAtBoundary)
    for (piece, isAtBoundary) in [
      ("3", false), ("\r", false), ("\n", false), ("ab", false), ("c", false), ("\r", false), ("\n", true),
      ("0\r\n", false), ("X: y\r\n", false), ("\r\n", true),
    ] {
      _ = feed(&decoder, piece)
      #expect(decoder.isAtBoundary == isAtBoundary, "after \(piece)")
    }
    #expect(decoder.isDone)
  }

  @Test func whatFollowsTheEndIsLeft() {
    var decoder = ChunkedDecoder()
    var from = 0
    let bytes = Array("0\r\n\r\nGET / HTTP/1.1".utf8)
    #expect(bytes.withUnsafeBytes { decoder.next($0, from: &from) } == .end)
    #expect(from == 5)
    #expect(bytes.withUnsafeBytes { decoder.next($0, from: &from) } == .end)
    #expect(from == 5)
  }

  @Test func anErrorStays() {
    var decoder = ChunkedDecoder()
    #expect(feed(&decoder, "x") == [.invalid(.chunkSize)])
    #expect(feed(&decoder, "5\r\nhello\r\n") == [.invalid(.chunkSize)])
    #expect(feed(&decoder, "") == [.invalid(.chunkSize)])
    #expect(!decoder.isAtBoundary)
  }

  @Test func largestSize() {
    var decoder = ChunkedDecoder()
    #expect(feed(&decoder, "7fffffffffffffff\r\na") == [.payload(ByteRange(start: 18, count: 1)), .needMore])
    var over = ChunkedDecoder()
    #expect(feed(&over, "8000000000000000\r\n") == [.invalid(.chunkSizeTooLarge)])
  }

  @Test func boundsAreExact() {
    let limits = HTTPLimits(maxChunkSizeDigits: 2, maxChunkExtensionBytes: 4, maxTrailerBytes: 8)
    for (text, expected) in [
      ("01\r\n", ChunkEvent.needMore), ("001\r\n", .invalid(.chunkSizeTooLarge)),
      ("1;ab\r\n", .needMore), ("1;abc\r\n", .invalid(.chunkExtensionTooLong)),
      // The CR counts, and extensions of all chunks together.
      ("1;a\r\nx\r\n1;b\r\n", .invalid(.chunkExtensionTooLong)),
      ("0\r\na:bcd\r\n\r\n", .end), ("0\r\na:bcde\r\n\r\n", .invalid(.trailerTooLarge)),
    ] {
      var decoder = ChunkedDecoder(limits: limits)
      #expect(feed(&decoder, text).last == expected, "\(text)")
    }
  }

  @Test(arguments: [
    "Content-Length", "transfer-encoding", "HOST", "Connection", "content-encoding", "Authorization", "trailer",
  ])
  func forbiddenTrailers(_ name: String) {
    var decoder = ChunkedDecoder()
    #expect(feed(&decoder, "0\r\n\(name): x\r\n\r\n").last == .invalid(.forbiddenTrailer))
    for near in [name + "s", String(name.dropLast()), "x" + name] {
      var other = ChunkedDecoder()
      #expect(feed(&other, "0\r\n\(near): x\r\n\r\n").last == .end, "\(near)")
    }
  }
}
