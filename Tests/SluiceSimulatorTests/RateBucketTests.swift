import SluiceDialects
import SluiceSimulator
import Testing

@Suite struct RateBucketTests {
  private let second: Int64 = 1_000_000_000

  @Test func aFullBucketServesItsLimitAndThenNamesTheWait() {
    var bucket = RateBucket(perMinute: 60, burst: 1)
    for _ in 0..<60 {
      #expect(bucket.check(1, now: 0) == .fits)
      bucket.take(1, now: 0)
    }
    #expect(bucket.check(1, now: 0) == .wait(second))
    #expect(bucket.remaining(now: 0) == 0)
    #expect(bucket.untilFull(now: 0) == 60 * second)
    #expect(bucket.check(1, now: second - 1) == .wait(1))
    #expect(bucket.check(1, now: second) == .fits)
    #expect(bucket.remaining(now: 30 * second) == 30)
  }

  @Test func nothingLargerThanTheBucketEverFits() {
    let bucket = RateBucket(perMinute: 100, burst: 1)
    #expect(bucket.check(101, now: 0) == .never)
    #expect(bucket.check(.max, now: 0) == .never)
    #expect(bucket.check(100, now: 0) == .fits)
    #expect(RateBucket(perMinute: 100, burst: 0.1).check(11, now: 0) == .never)
  }

  @Test func aRefundMakesRoomAgain() {
    var bucket = RateBucket(perMinute: 60, burst: 1)
    bucket.take(60, now: 0)
    bucket.refund(10)
    #expect(bucket.remaining(now: 0) == 10)
    #expect(bucket.check(10, now: 0) == .fits)
    #expect(bucket.check(11, now: 0) == .wait(second))
  }

  @Test func noWindowOfAMinuteServesMoreThanTwiceTheLimit() {
    var bucket = RateBucket(perMinute: 30, burst: 1)
    var served: [Int64] = []
    for step in 0..<2_000 {
      let now = Int64(step) * second / 4
      guard bucket.check(1, now: now) == .fits else { continue }
      bucket.take(1, now: now)
      served.append(now)
    }
    // The first minute holds the burst and the refill, every later one the refill alone.
    let first = served.count { $0 < 60 * second }
    #expect((59...61).contains(first))
    for minute in 1..<8 {
      let count = served.count { $0 >= Int64(minute) * 60 * second && $0 < Int64(minute + 1) * 60 * second }
      #expect((29...31).contains(count))
    }
  }
}

@Suite struct TimeTextTests {
  @Test(
    arguments: [
      (0, "0s"), (1, "1ms"), (7_000_000, "7ms"), (999_000_001, "1s"), (1_000_000_000, "1s"), (8_640_000_000, "8.64s"),
      (60_000_000_000, "1m0s"), (360_000_000_000, "6m0s"), (3_723_000_000_000, "1h2m3s"), (-5, "0s"),
    ] as [(Int64, String)])
  func goDurations(_ nanoseconds: Int64, _ text: String) {
    #expect(TimeText.goDuration(nanoseconds: nanoseconds) == text)
  }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (1_795_246_259, "2026-11-21T07:30:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
      (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
    ] as [(Int64, String)])
  func instants(_ seconds: Int64, _ text: String) {
    #expect(TimeText.rfc3339(unixSeconds: seconds) == text)
  }

  @Test func httpDates() {
    #expect(TimeText.httpDate(unixSeconds: 1_795_246_259) == "Sat, 21 Nov 2026 07:30:59 GMT")
    #expect(TimeText.httpDate(unixSeconds: 0) == "Thu, 01 Jan 1970 00:00:00 GMT")
  }

  @Test func secondsAreRoundedUp() {
    #expect(TimeText.wholeSeconds(nanoseconds: 1) == 1)
    #expect(TimeText.wholeSeconds(nanoseconds: 1_000_000_000) == 1)
    #expect(TimeText.wholeSeconds(nanoseconds: 0) == 0)
  }
}
