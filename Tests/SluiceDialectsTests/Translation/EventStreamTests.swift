import SluiceDialects
import Testing

@Suite("AWS event streams")
struct EventStreamTests {
  struct Seen: Equatable {
    var kind: EventStreamMessage.Kind
    var name: String
    var reason: String
    var payload: String
  }

  static func read(
    _ bytes: [UInt8], piece: Int, limit: Int = EventStreamParser.defaultMaxMessageBytes
  ) -> (seen: [Seen], problem: EventStreamParser.Problem?, boundary: Bool) {
    var parser = EventStreamParser(maxMessageBytes: limit)
    var seen: [Seen] = []
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + piece)
      let problem = Array(bytes[start..<end]).withSlice { slice -> EventStreamParser.Problem? in
        do throws(EventStreamParser.Problem) {
          try parser.consume(slice) { message in
            seen.append(
              Seen(
                kind: message.kind, name: message.name.string(), reason: message.reason.string(),
                payload: message.payload.string()))
          }
          return nil
        } catch {
          return error
        }
      }
      if let problem { return (seen, problem, parser.isAtMessageBoundary) }
      start = end
    }
    return (seen, nil, parser.isAtMessageBoundary)
  }

  static let samples = [
    "converse-stream.response.bin", "converse-stream-tools.response.bin", "converse-stream-error.response.bin",
    "converse-stream-throttled.response.bin", "invoke-anthropic-stream.response.bin",
  ]

  @Test("samples, however they are cut", arguments: samples)
  func sample(_ file: String) throws {
    let bytes = try Fixture.bytes("bedrock/\(file)")
    let lines = try Fixture.bytes("bedrock/" + file.replacing(".bin", with: ".hex")).split(separator: 0x0A).count
    let whole = Self.read(bytes, piece: bytes.count)
    #expect(whole.problem == nil && whole.boundary)
    #expect(whole.seen.count == lines)
    for piece in [1, 3, 11, 12, 13, 64, 500] {
      let cut = Self.read(bytes, piece: piece)
      #expect(cut.seen == whole.seen && cut.problem == nil && cut.boundary, "\(piece)")
    }
  }

  @Test func kindsAreTold() throws {
    let failed = Self.read(try Fixture.bytes("bedrock/converse-stream-error.response.bin"), piece: 9).seen
    #expect(failed.last == Seen(kind: .error, name: "InternalFailure", reason: "unexpected", payload: ""))
    let throttled = Self.read(try Fixture.bytes("bedrock/converse-stream-throttled.response.bin"), piece: 9).seen
    #expect(throttled.last?.kind == .exception && throttled.last?.name == "throttlingException")
    #expect(throttled.first?.payload == #"{"role":"assistant","p":"abcdefgh"}"#)
  }

  @Test func whatIsWrittenIsRead() {
    let bytes = AWSEventStream.event("a", Array("{}".utf8)) + AWSEventStream.exception("b", Array("[]".utf8))
    let seen = Self.read(bytes, piece: 5).seen
    #expect(
      seen == [
        Seen(kind: .event, name: "a", reason: "", payload: "{}"),
        Seen(kind: .exception, name: "b", reason: "", payload: "[]"),
      ])
  }

  @Test("one flipped bit anywhere is noticed", arguments: [1, 1 << 20])
  func flips(_ piece: Int) throws {
    let bytes = Array(AWSEventStream.event("chunk", Array(#"{"a":1}"#.utf8)))
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= 0x10
      let result = Self.read(damaged, piece: piece)
      #expect(result.seen.isEmpty, "\(place)")
      #expect(result.problem != nil, "\(place)")
    }
  }

  @Test func aCutMessageIsNoBoundary() {
    let bytes = AWSEventStream.event("a", Array("{}".utf8))
    for length in 1..<bytes.count {
      let result = Self.read(Array(bytes.prefix(length)), piece: 7)
      #expect(result.seen.isEmpty && result.problem == nil && !result.boundary)
    }
  }

  @Test func longMessagesAreRefusedBeforeTheyAreHeld() {
    let bytes = AWSEventStream.event("a", [UInt8](repeating: 0x20, count: 4096))
    #expect(Self.read(Array(bytes.prefix(12)), piece: 12, limit: 4096).problem == .tooLarge)
    #expect(Self.read(bytes, piece: 100, limit: 8192).problem == nil)
  }

  @Test func lengthsThatContradictEachOtherAreRefused() {
    for (total, headers) in [(16, 1), (0, 0), (15, 0), (200_000, 150_000)] as [(UInt32, UInt32)] {
      var prelude: [UInt8] = []
      for number in [total, headers] {
        for shift in [24, 16, 8, 0] as [UInt32] { prelude.append(UInt8(truncatingIfNeeded: number >> shift)) }
      }
      let check = CRC32.checksum(prelude)
      for shift in [24, 16, 8, 0] as [UInt32] { prelude.append(UInt8(truncatingIfNeeded: check >> shift)) }
      #expect(Self.read(prelude, piece: 12).problem != nil, "\(total) \(headers)")
    }
  }

  @Test func theFramerNamesEvents() throws {
    var framer = EventFramer(.awsEventStream)
    var seen: [String] = []
    try Fixture.bytes("bedrock/converse-stream-error.response.bin").withSlice { bytes in
      Result {
        try framer.consume(bytes) { name, data in seen.append("\(name?.string() ?? "-") \(data.string())") }
      }
    }.get()
    #expect(seen.last == #"InternalFailure {"__type":"InternalFailure","message":"unexpected"}"#)
    #expect(seen.first?.hasPrefix("messageStart {") == true)
    #expect(framer.isAtEventBoundary)
  }
}
