import SluiceDialects
import SluicePolicy
import Testing

/// Every fixture, damaged at random: classifier, meters and list reader must answer something, whatever comes in.
@Suite("Damaged answers")
struct MutationTests {
  static func mutated(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var bytes = bytes
    for _ in 0...Int(random.next() % 6) {
      guard !bytes.isEmpty else { break }
      let place = Int(random.next() % UInt64(bytes.count))
      switch random.next() % 6 {
      case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
      case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.next() % 40)))
      case 2: bytes.insert(contentsOf: Array("{[\"\\u".utf8).shuffled(using: &random), at: place)
      case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 30)], at: place)
      case 4: bytes.replaceSubrange(place..<place + 1, with: Array("99999999999999999999".utf8))
      default: bytes.removeLast(bytes.count - place)
      }
    }
    return bytes
  }

  @Test("nothing traps", arguments: ["openai", "anthropic"], 0..<4 as Range<UInt64>)
  func mutate(_ folder: String, _ seed: UInt64) throws {
    let dialect = UsageMeterTests.dialect(folder)
    var random = SplitMix64(seed: seed)
    for name in try Fixture.names(folder, where: { _ in true }) {
      let original = try Fixture.bytes("\(folder)/\(name)")
      for _ in 0..<60 {
        let bytes = Self.mutated(original, &random)
        bytes.withSlice { body in
          let failure = dialect.classify(
            status: Int(random.next() % 700), headers: .none, body: body, now: .sample)
          #expect((failure.message ?? "").utf8.count <= 515)
          _ = UsageMeter.measure(dialect, .chat, body: body)
          _ = UsageMeter.measure(dialect, .chat, tail: body)
          _ = ModelList.parse(body)
          _ = HintText.goDuration(body[0..<20])
          _ = HintText.retryAfter(body[0..<29], now: .sample)
          _ = DateText.rfc3339(body[0..<24])
        }
        for operation in [SluiceDialects.Operation.chat, .responses, .messages] {
          let row = StreamMeterTests.Row(file: folder, operation: operation, events: 0)
          let meter = StreamMeterTests.meter(row, bytes, piece: Int(random.next() % 50) + 1)
          _ = meter.end
        }
        _ = withHead(bytes) { dialect.rateLimits($1, now: .sample) }
      }
    }
  }
}
