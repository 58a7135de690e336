package import SluicePolicy

/// How long the answers of a model take to begin, by the size of the request: what the clocks for a first byte go by
/// where the configuration sets none.
///
/// A whole answer begins when the model has finished, a stream when the prompt has been read; both take longer for a
/// long prompt. So answers are booked by model and by class of size, each class four times as large as the one before, and
/// a clock is three times the time within which 995 of 1,000 answers of that class began. What is known about small
/// requests is stretched for larger ones of which nothing is known yet; a larger request never gets less time than a
/// smaller one. Answers that a clock cut off cannot say how long they would have taken: when that happens again and again
/// without a single answer in between, the class is forgotten and learned anew.
///
/// Bounded: `capacity` models, the one that was not asked for longest goes first; older answers fade.
package struct AnswerClocks: Sendable {
  /// What answers are booked by.
  package struct Subject: Hashable, Sendable {
    /// Tells pools apart.
    package var pool: Int
    /// Hash of the model's name.
    package var model: UInt64
    package var streams: Bool

    package init(pool: Int, model: UInt64, streams: Bool) {
      self.pool = pool
      self.model = model
      self.streams = streams
    }
  }

  /// Answers of a class before they count as knowledge.
  package static let minimumAnswers = 20
  /// Expired clocks in a row that make a class unknown again.
  package static let doubtAfter = 8
  package static let wholeFloor: Interval = .seconds(60)
  package static let streamFloor: Interval = .seconds(120)
  /// What a stream is given per token of its prompt beyond the floor: 1,000 tokens a second is less than hosted models
  /// read.
  static let readingTime: Interval = .milliseconds(1)
  private static let margin = 3.0
  private static let quantile = 0.995

  private let capacity: Int
  private var places: [Subject: Int] = [:]
  private var records: [Record] = []
  private var turn: UInt64 = 0

  private struct Record: Sendable {
    var subject: Subject
    var lastUse: UInt64
    var classes: [BeginTimes] = Array(repeating: BeginTimes(), count: AnswerClocks.classCount)
  }

  package init(capacity: Int = 256) { self.capacity = max(1, capacity) }

  /// Models that something is known about.
  package var count: Int { records.count }

  /// How long the answer may take to begin. Nothing: as long as the whole exchange may take.
  package mutating func limit(_ subject: Subject, inputTokens: Int) -> Interval? {
    let learned = learned(subject, inputTokens)
    guard subject.streams else { return learned.map { max($0, Self.wholeFloor) } }
    let reading = Self.streamFloor + Interval(nanoseconds: Self.reading(inputTokens))
    return max(reading, learned ?? .zero)
  }

  /// An answer began.
  package mutating func answered(_ subject: Subject, inputTokens: Int, after elapsed: Interval) {
    let place = place(subject)
    records[place].classes[Self.sizeClass(inputTokens)].add(elapsed)
  }

  /// A clock ran out before the answer began.
  package mutating func expired(_ subject: Subject, inputTokens: Int) {
    guard let place = places[subject] else { return }
    records[place].classes[Self.sizeClass(inputTokens)].expired()
  }

  private mutating func learned(_ subject: Subject, _ inputTokens: Int) -> Interval? {
    guard let place = places[subject] else { return nil }
    turn &+= 1
    records[place].lastUse = turn
    let own = Self.sizeClass(inputTokens)
    var longest: Interval?
    var known = 0
    for index in 0...own {
      guard let time = records[place].classes[index].quantile(Self.quantile) else { continue }
      longest = max(longest ?? .zero, time.scaled(by: Self.margin))
      known = index
    }
    return longest.map { $0.scaled(by: Double(1 << (2 * (own - known)))) }
  }

  private mutating func place(_ subject: Subject) -> Int {
    turn &+= 1
    if let place = places[subject] {
      records[place].lastUse = turn
      return place
    }
    guard records.count >= capacity, let oldest = records.indices.min(by: { records[$0].lastUse < records[$1].lastUse })
    else {
      places[subject] = records.count
      records.append(Record(subject: subject, lastUse: turn))
      return records.count - 1
    }
    places[records[oldest].subject] = nil
    records[oldest] = Record(subject: subject, lastUse: turn)
    places[subject] = oldest
    return oldest
  }

  // MARK: Sizes

  /// Below 1,024 tokens, 4,096, 16,384, and so on; the last one holds everything from 1,048,576.
  static let classCount = 7

  static func sizeClass(_ tokens: Int) -> Int {
    guard tokens >= 1_024 else { return 0 }
    return min(classCount - 1, (Int.bitWidth - 1 - tokens.leadingZeroBitCount - 10) / 2 + 1)
  }

  private static func reading(_ tokens: Int) -> Int64 {
    let (time, overflow) = readingTime.nanoseconds.multipliedReportingOverflow(by: Int64(clamping: max(0, tokens)))
    return overflow ? Interval.hours(24).nanoseconds : min(time, Interval.hours(24).nanoseconds)
  }
}
