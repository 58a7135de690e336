import Foundation
import SluiceDialects
import Testing

/// A bounded share of fuzzing in every test run: seeded mutations of the corpora through the properties that the
/// fuzzing targets check, and through llhttp and Foundation as oracles. `FuzzTesting/run.sh` does the rest.
@Suite struct FuzzSmokeTests {
  private static let rounds = 3_000

  private static let seeds: [ParserProperty: [[UInt8]]] = {
    let requests = (try? CorpusCase.load("requests.cases")) ?? []
    let responses = (try? CorpusCase.load("responses.cases")) ?? []
    let heads = requests.filter { $0.bytes.count < 2_000 }.map(\.bytes)
    let files = { (names: [String]) in names.compactMap { try? Fixtures.bytes($0) } }
    let sse = files(["openai", "anthropic"].flatMap { (try? Fixtures.files($0, ".sse")) ?? [] })
    let json = files(["openai", "anthropic"].flatMap { (try? Fixtures.files($0, ".request.json")) ?? [] })
    return [
      .requestHead: heads, .responseHead: responses.filter { $0.bytes.count < 2_000 }.map(\.bytes),
      .chunked: ["5\r\nhello\r\n0\r\n\r\n", "3;a=\"b\\c\"\r\nabc\r\n0\r\nX: y\r\n\r\n"].map { Array($0.utf8) },
      .sse: sse + ["\u{FEFF}data: a\r\n\r\nid: 1\revent: x\r\rdata\ndata:b\n\n"].map { Array($0.utf8) },
      .streams: pairs(["openai", "anthropic", "gemini", "cohere", "mistral", "ollama", "bedrock", "tgi"]) {
        $0.contains("stream") && !$0.hasSuffix("hex")
      },
      .documents: pairs(["openai", "anthropic", "gemini", "cohere", "mistral", "ollama", "bedrock", "vllm"]) {
        $0.hasSuffix(".json")
      },
      .json: json + ["{\"mod\\u0065l\":\"a\\ud83d\\ude00\",\"a\":[{\"b\":1}]}"].map { Array($0.utf8) },
    ]
  }()

  /// Samples of these providers, each behind the bytes that choose its provider and, in turn, one of the protocols.
  private static func pairs(_ folders: [String], where isWanted: (String) -> Bool) -> [[UInt8]] {
    let places = [
      "openai": 0, "anthropic": 2, "gemini": 3, "cohere": 4, "mistral": 5, "tgi": 7, "ollama": 7, "vllm": 7,
      "bedrock": 8,
    ]
    var seeds: [[UInt8]] = []
    for folder in folders {
      for name in ((try? Fixtures.files(folder, "")) ?? []).filter(isWanted) {
        guard let bytes = try? Fixtures.bytes(name), bytes.count < 8_000 else { continue }
        seeds.append([UInt8(seeds.count % 10), UInt8(places[folder] ?? 0)] + bytes)
      }
    }
    return seeds
  }

  @Test(arguments: ParserProperty.allCases) func mutations(_ property: ParserProperty) throws {
    let seeds = try #require(Self.seeds[property].flatMap { $0.isEmpty ? nil : $0 })
    for seed in seeds { try property.check(seed) }
    var mutator = Mutator(seed: 0x51_0C_E5)
    // Whole answers take their time.
    let rounds = [.streams, .documents].contains(property) ? Self.rounds / 6 : Self.rounds
    for round in 0..<rounds {
      let bytes = mutator.mutated(seeds[round % seeds.count], other: seeds[(round / 7) % seeds.count])
      do {
        try property.check(bytes)
      } catch {
        Issue.record("round \(round): \(error)\n\(String(decoding: bytes.prefix(400), as: UTF8.self).debugDescription)")
        return
      }
    }
  }

  /// Mutated connections: whatever we accept, llhttp accepts with the same messages.
  @Test func mutatedRequestsAgainstLlhttp() throws {
    // Only what is valid before the change has a chance of being valid after it.
    let seeds = try CorpusCase.load("requests.cases").filter { $0.expect == "accept" }.map(\.bytes)
    let others = try #require(Self.seeds[.requestHead])
    var mutator = Mutator(seed: 0xD1FF)
    var accepted = 0
    for round in 0..<2 * Self.rounds {
      let bytes = mutator.mutated(seeds[round % seeds.count], other: others[(round / 7) % others.count])
      let ours = WireReader.read(bytes)
      accepted += ours.messages.count
      guard let difference = Differential.difference(ours, LlhttpReader.requests(bytes)) else { continue }
      if Self.hasExtensionMethod(ours) { continue }
      Issue.record("round \(round): \(difference)\n\(String(decoding: bytes, as: UTF8.self).debugDescription)\n\(ours)")
      return
    }
    #expect(accepted > 1_000, "the mutations are too wild to say anything: \(accepted)")
  }

  /// llhttp knows a fixed list of methods and we do not: the one listed place where we accept more.
  private static func hasExtensionMethod(_ reading: WireReading) -> Bool {
    let known: Set<Substring> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
    return reading.messages.contains { !known.contains($0.start.prefix { $0 != " " }) }
  }

  @Test func mutatedResponsesAgainstLlhttp() throws {
    let seeds = try CorpusCase.load("responses.cases").filter { $0.expect == "accept" }.map(\.bytes)
    let others = try #require(Self.seeds[.responseHead])
    var mutator = Mutator(seed: 0xD1FF + 1)
    var accepted = 0
    for round in 0..<2 * Self.rounds {
      let bytes = mutator.mutated(seeds[round % seeds.count], other: others[(round / 7) % others.count])
      let ours = WireReader.read(bytes, isResponse: true)
      accepted += ours.messages.count
      guard let difference = Differential.difference(ours, LlhttpReader.response(bytes, to: "GET")) else { continue }
      Issue.record("round \(round): \(difference)\n\(String(decoding: bytes, as: UTF8.self).debugDescription)\n\(ours)")
      return
    }
    #expect(accepted > 1_000, "the mutations are too wild to say anything: \(accepted)")
  }

  /// Mutated documents: whatever we accept, Foundation reads too. It knows no lone surrogates and no numbers beyond a
  /// double, which are legal JSON, so those documents are left out.
  @Test func mutatedDocumentsAgainstFoundation() throws {
    let seeds = try #require(Self.seeds[.json])
    var mutator = Mutator(seed: 0x7503)
    var accepted = 0
    for round in 0..<Self.rounds {
      let bytes = mutator.mutated(seeds[round % seeds.count], other: seeds[(round / 7) % seeds.count])
      guard Self.isAccepted(bytes) else { continue }
      accepted += 1
      if (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil { continue }
      let text = String(decoding: bytes, as: UTF8.self)
      if text.contains("\\ud") || text.contains("\\uD")
        || text.contains(where: { "eE".contains($0) }) && text.contains(/[0-9][eE]/)
      {
        continue
      }
      Issue.record("round \(round): \(text.debugDescription)")
      return
    }
    #expect(accepted > 200, "the mutations are too wild to say anything: \(accepted)")
  }

  private static func isAccepted(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      do throws(JSONScanError) {
        while try scanner.next() != .end {}
        return true
      } catch {
        return false
      }
    }
  }

  /// Every case that fuzzing has found stays fixed.
  @Test(arguments: ParserProperty.allCases) func failCases(_ property: ParserProperty) throws {
    for (name, bytes) in try Fixtures.contents(of: Fixtures.failCases.appending(path: property.rawValue)) {
      #expect(throws: Never.self, "\(name)") { try property.check(bytes) }
    }
  }
}

/// Changes bytes the way parsers dislike: flips, removals, doubled parts, line ends and other inputs spliced in.
struct Mutator {
  private static let tokens: [[UInt8]] =
    [
      "\r\n", "\n", "\r", "\r\n\r\n", " ", "\t", ":", ";", ",", "\0", "\"", "\\", "{", "}", "[", "]", "0", "data:",
      "\\u", "chunked",
      "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n", "HTTP/1.1", "é", "\u{FEFF}",
    ].map { Array($0.utf8) } + [[0xFF], [0x80], [0x7F]]

  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  mutating func mutated(_ bytes: [UInt8], other: [UInt8]) -> [UInt8] {
    var result = bytes
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let at = Int.random(in: 0...result.count, using: &random)
      let end = min(result.count, at + Int.random(in: 0...8, using: &random))
      switch Int.random(in: 0..<7, using: &random) {
      case 0 where at < result.count: result[at] = UInt8.random(in: 0...255, using: &random)
      case 1: result.removeSubrange(at..<end)
      case 2: result.insert(contentsOf: Self.tokens.randomElement(using: &random) ?? [], at: at)
      case 3: result.insert(contentsOf: result[at..<end], at: at)
      case 4 where at < result.count: result[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 5: result.replaceSubrange(at..<end, with: Self.tokens.randomElement(using: &random) ?? [])
      default:
        let from = Int.random(in: 0...other.count, using: &random)
        result.insert(contentsOf: other[from...].prefix(24), at: at)
      }
    }
    return result
  }
}
