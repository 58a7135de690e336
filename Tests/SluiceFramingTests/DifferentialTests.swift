import SluiceDialects
import Testing

/// Our reading of a connection against llhttp's. The rule: whatever we accept, llhttp accepts with the same messages.
/// We may refuse more; the corpus lists where and why.
@Suite struct DifferentialTests {
  private static let requests = try! CorpusCase.load("requests.cases")
  private static let responses = try! CorpusCase.load("responses.cases")

  @Test func corpusIsLarge() {
    #expect(Self.requests.count >= 120 && Self.responses.count >= 40)
    #expect(Set(Self.requests.map(\.name)).count == Self.requests.count)
  }

  @Test(arguments: requests) func request(_ example: CorpusCase) {
    let ours = WireReader.read(example.bytes)
    checkExpectation(example, ours)
    check(example, ours, LlhttpReader.requests(example.bytes))
  }

  @Test(arguments: responses) func response(_ example: CorpusCase) {
    let ours = read(example, .max)
    checkExpectation(example, ours)
    check(example, ours, LlhttpReader.response(example.bytes, to: example.method))
  }

  /// Every division of a case into pieces is read like the whole.
  @Test(arguments: requests) func requestInPieces(_ example: CorpusCase) {
    let whole = WireReader.read(example.bytes)
    for size in pieceSizes(example) {
      let divided = WireReader.read(example.bytes, pieces: size)
      #expect(divided.messages == whole.messages && (divided.error == nil) == (whole.error == nil), "pieces of \(size)")
      #expect(divided.isUnfinished == whole.isUnfinished, "pieces of \(size)")
    }
  }

  @Test(arguments: responses) func responseInPieces(_ example: CorpusCase) {
    let whole = read(example, .max)
    for size in pieceSizes(example) {
      let divided = read(example, size)
      #expect(divided.messages == whole.messages && (divided.error == nil) == (whole.error == nil), "pieces of \(size)")
    }
  }

  private func pieceSizes(_ example: CorpusCase) -> [Int] {
    example.bytes.count < 1_000 ? Array(1...max(1, example.bytes.count)) : [1_000, 4_096]
  }

  private func read(_ example: CorpusCase, _ size: Int) -> WireReading {
    WireReader.read(
      example.bytes, pieces: size, isResponse: true, method: example.method == "HEAD" ? .head : .get)
  }

  private func checkExpectation(_ example: CorpusCase, _ ours: WireReading) {
    switch example.expect {
    case "accept": #expect(ours.error == nil && !ours.isUnfinished && !ours.messages.isEmpty, "\(ours)")
    case "incomplete": #expect(ours.error == nil && ours.isUnfinished, "\(ours)")
    default: #expect(ours.error == example.expect, "\(ours)")
    }
  }

  private func check(_ example: CorpusCase, _ ours: WireReading, _ theirs: WireReading) {
    if let difference = Differential.difference(ours, theirs) {
      #expect(!example.looser.isEmpty, "\(difference)\nours: \(ours)\nllhttp: \(theirs)")
    } else {
      #expect(example.looser.isEmpty, "listed as looser, but llhttp agrees")
    }
    let isStricter = ours.error != nil && theirs.error == nil
    #expect(isStricter == !example.stricter.isEmpty, "ours: \(ours)\nllhttp: \(theirs)")
  }
}

enum Differential {
  /// What we accept and llhttp reads otherwise; nil when there is nothing.
  static func difference(_ ours: WireReading, _ theirs: WireReading) -> String? {
    for (index, message) in ours.messages.enumerated() {
      guard index < theirs.messages.count else { return "llhttp has no message \(index)" }
      if theirs.messages[index] != message { return "message \(index) differs" }
    }
    // Bytes behind a message that closes the connection are nobody's; llhttp calls them an error. An unfinished message
    // is not accepted yet, and llhttp may already see that it never will be.
    if ours.error == nil, !ours.isClosed, !ours.isUnfinished, let error = theirs.error {
      return "llhttp refuses: \(error)"
    }
    return nil
  }
}
