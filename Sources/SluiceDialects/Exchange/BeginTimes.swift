import SluicePolicy

/// When answers of one class began: a histogram that is fine only where it matters. Whatever takes less than the first
/// bound leads to the same clock, which has a floor.
struct BeginTimes: Sendable {
  static let bucketCount = 32
  private static let firstBound = 15.0
  /// Four buckets for each doubling: 15 s … 54 min.
  private static let step = 1.189207115002721
  /// So many answers count fully; then all of them fade by half.
  private static let memory = 1_000

  private var buckets = InlineArray<32, UInt16>(repeating: 0)
  private var answers = 0
  private var expiredInARow = 0

  mutating func add(_ elapsed: Interval) {
    expiredInARow = 0
    if answers >= Self.memory { fade() }
    var bound = Self.firstBound
    let seconds = elapsed.seconds
    var bucket = 0
    while bucket < Self.bucketCount - 1, seconds > bound {
      bound *= Self.step
      bucket += 1
    }
    buckets[bucket] += 1
    answers += 1
  }

  mutating func expired() {
    expiredInARow += 1
    if expiredInARow >= AnswerClocks.doubtAfter { self = BeginTimes() }
  }

  /// The upper end of the bucket in which the quantile lies; nothing while too little is known.
  func quantile(_ share: Double) -> Interval? {
    guard answers >= AnswerClocks.minimumAnswers else { return nil }
    let beyond = Int(Double(answers) * (1 - share))
    var seen = 0
    var bucket = Self.bucketCount - 1
    while bucket > 0 {
      seen += Int(buckets[bucket])
      if seen > beyond { break }
      bucket -= 1
    }
    var bound = Self.firstBound
    for _ in 0..<bucket { bound *= Self.step }
    return Interval(nanoseconds: Int64(bound * 1e9))
  }

  private mutating func fade() {
    answers = 0
    for bucket in 0..<Self.bucketCount {
      buckets[bucket] /= 2
      answers += Int(buckets[bucket])
    }
  }
}
