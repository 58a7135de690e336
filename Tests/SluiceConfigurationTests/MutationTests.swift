import SluiceConfiguration
import SluicePolicy
import Testing

/// Damaged files never trap, never run away, and every problem has a place in the file.
struct MutationTests {
  @Test(arguments: 1...8)
  func damagedFilesAreAnswered(_ seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let world = World(files: ["c.pem": "x", "k.pem": "x", "m.json": "{}"])
    let sources = [SchemaTests.complete, GoldenTests.broken, Starter.render([])].map { Array($0.utf8) }
    for _ in 0..<150 {
      var bytes = sources[Int(random.next() % UInt64(sources.count))]
      for _ in 0...(random.next() % 4) { mutate(&bytes, &random) }
      let text = String(decoding: bytes, as: UTF8.self)
      guard case .failure(let problems) = world.load(text) else { continue }
      #expect(!problems.problems.isEmpty)
      #expect(problems.problems.count <= ProblemList.capacity + 1)
      let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.count + 1
      for problem in problems.problems {
        #expect(problem.line >= 1 && problem.line <= lines, "seed \(seed): \(problem)")
        #expect(problem.column >= 1, "seed \(seed): \(problem)")
      }
    }
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    guard !bytes.isEmpty else { return }
    let place = Int(random.next() % UInt64(bytes.count))
    let length = min(Int(random.next() % 12) + 1, bytes.count - place)
    switch random.next() % 6 {
    case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
    case 1: bytes.removeSubrange(place..<(place + length))
    case 2: bytes.insert(contentsOf: bytes[place..<(place + length)], at: place)
    case 3: bytes.insert(contentsOf: MutationTests.seasoning[Int(random.next() % 12)].utf8, at: place)
    case 4: bytes.removeSubrange(place...)
    default:
      let line = bytes.split(separator: 10).randomElement(using: &random) ?? []
      bytes.insert(contentsOf: [10] + line + [10], at: place)
    }
  }

  private static let seasoning = [
    "${", "}", "*a ", "&a ", "? ", ": ", "- ", "<<: ", "\"", "\n  ", "\u{E000}", "99999999999999999999",
  ]
}
