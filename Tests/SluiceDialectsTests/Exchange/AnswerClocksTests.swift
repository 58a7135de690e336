import SluiceDialects
import SluicePolicy
import Testing

@Suite("Clocks for the beginning of an answer")
struct AnswerClocksTests {
  private let whole = AnswerClocks.Subject(pool: 1, model: 7, streams: false)
  private let stream = AnswerClocks.Subject(pool: 1, model: 7, streams: true)

  private func clocks(
    _ subject: AnswerClocks.Subject, tokens: Int = 100, _ seconds: [Int64], capacity: Int = 256
  ) -> AnswerClocks {
    var clocks = AnswerClocks(capacity: capacity)
    for second in seconds { clocks.answered(subject, inputTokens: tokens, after: .seconds(second)) }
    return clocks
  }

  @Test func nothingIsAssumedAboutWholeAnswersUntilEnoughAreKnown() {
    var clocks = clocks(whole, Array(repeating: 30, count: AnswerClocks.minimumAnswers - 1))
    #expect(clocks.limit(whole, inputTokens: 100) == nil)
    clocks.answered(whole, inputTokens: 100, after: .seconds(30))
    let limit = clocks.limit(whole, inputTokens: 100)
    #expect(limit ?? .zero >= .seconds(90))
    // One bucket is a fifth wide.
    #expect(limit ?? .max <= .seconds(90).scaled(by: 1.2))
  }

  @Test func itIsNeverBelowTheFloor() {
    var clocks = clocks(whole, Array(repeating: 0, count: 500))
    #expect(clocks.limit(whole, inputTokens: 100) == AnswerClocks.wholeFloor)
  }

  @Test(arguments: [(4, false), (6, true)]) func oneInTwoHundredDecides(slow: Int, counts: Bool) {
    var clocks = clocks(whole, Array(repeating: 1, count: 1_000 - slow) + Array(repeating: 200, count: slow))
    let limit = clocks.limit(whole, inputTokens: 100) ?? .zero
    #expect((limit >= .seconds(600)) == counts)
  }

  @Test(arguments: [1_023, 1_024, 4_096, 65_536, 1_048_576, .max]) func whatIsKnownIsStretchedForLongerPrompts(
    tokens: Int
  ) {
    var clocks = clocks(whole, tokens: 1, Array(repeating: 20, count: 20))
    let small = clocks.limit(whole, inputTokens: 1) ?? .zero
    let large = clocks.limit(whole, inputTokens: tokens) ?? .zero
    let classes: [Int: Double] = [1_023: 1, 1_024: 4, 4_096: 16, 65_536: 256, 1_048_576: 4_096, .max: 4_096]
    #expect(abs(large.seconds - small.seconds * (classes[tokens] ?? 0)) < 0.001)
  }

  @Test func aLongerPromptNeverGetsLessTime() {
    var clocks = clocks(whole, tokens: 100, Array(repeating: 100, count: 50))
    for _ in 0..<50 { clocks.answered(whole, inputTokens: 100_000, after: .seconds(1)) }
    let limits = [1, 2_000, 20_000, 100_000, 500_000, 5_000_000].map {
      clocks.limit(whole, inputTokens: $0) ?? .zero
    }
    // Sizes that nothing is known about lie between those that are known; they may be given more.
    #expect((limits[3]) >= limits[0])
    #expect(limits[0] >= .seconds(300))
    #expect(limits[4] >= limits[3] && limits[5] >= limits[4])
  }

  @Test func longPromptsAreLearnedByThemselves() {
    var clocks = clocks(whole, tokens: 200_000, Array(repeating: 120, count: 30))
    #expect(clocks.limit(whole, inputTokens: 200_000) ?? .zero >= .seconds(360))
    #expect(clocks.limit(whole, inputTokens: 100) == nil)
  }

  @Test func streamsHaveAClockFromTheStartThatGrowsWithThePrompt() {
    var clocks = AnswerClocks()
    #expect(clocks.limit(stream, inputTokens: 0) == .seconds(120))
    #expect(clocks.limit(stream, inputTokens: 200_000) == .seconds(320))
    #expect(clocks.limit(stream, inputTokens: .max) == .seconds(120) + .hours(24))
    #expect(clocks.limit(stream, inputTokens: -1) == .seconds(120))
    for _ in 0..<20 { clocks.answered(stream, inputTokens: 0, after: .seconds(100)) }
    #expect(clocks.limit(stream, inputTokens: 0) ?? .zero >= .seconds(300))
    #expect(clocks.limit(whole, inputTokens: 0) == nil, "whole answers are another matter")
  }

  @Test func clocksThatOnlyEverRunOutAreDoubted() {
    var clocks = clocks(whole, Array(repeating: 1, count: 100))
    for _ in 1..<AnswerClocks.doubtAfter { clocks.expired(whole, inputTokens: 100) }
    #expect(clocks.limit(whole, inputTokens: 100) != nil)
    clocks.answered(whole, inputTokens: 100, after: .seconds(1))
    for _ in 1..<AnswerClocks.doubtAfter { clocks.expired(whole, inputTokens: 100) }
    #expect(clocks.limit(whole, inputTokens: 100) != nil, "an answer in between restores faith")
    clocks.expired(whole, inputTokens: 100)
    #expect(clocks.limit(whole, inputTokens: 100) == nil)
  }

  @Test func olderAnswersFade() {
    var clocks = clocks(whole, Array(repeating: 600, count: 300))
    #expect(clocks.limit(whole, inputTokens: 100) ?? .zero >= .seconds(1_800))
    for _ in 0..<20_000 { clocks.answered(whole, inputTokens: 100, after: .seconds(1)) }
    #expect(clocks.limit(whole, inputTokens: 100) == AnswerClocks.wholeFloor)
  }

  @Test func theModelThatWasNotAskedForLongestIsForgotten() {
    var clocks = AnswerClocks(capacity: 3)
    func subject(_ model: UInt64) -> AnswerClocks.Subject { .init(pool: 0, model: model, streams: false) }
    for model in 0..<3 as Range<UInt64> {
      for _ in 0..<20 { clocks.answered(subject(model), inputTokens: 0, after: .seconds(1)) }
    }
    _ = clocks.limit(subject(0), inputTokens: 0)
    clocks.answered(subject(9), inputTokens: 0, after: .seconds(1))
    #expect(clocks.count == 3)
    #expect(clocks.limit(subject(1), inputTokens: 0) == nil)
    #expect(clocks.limit(subject(0), inputTokens: 0) != nil)
    #expect(clocks.limit(subject(2), inputTokens: 0) != nil)
  }
}
