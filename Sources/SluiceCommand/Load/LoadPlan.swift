import NIOCore
import SluicePolicy

/// What a load run sends, and when it ends.
struct LoadPlan: Sendable {
  /// One kind of request; a worker picks by weight.
  struct Shape: Sendable {
    var name: String
    var path: String
    var body: String
    var headers: [(String, String)] = []
    var isStream = false
    var weight = 1
  }

  var shapes: [Shape]
  /// Requests in flight at once, each on a connection of its own.
  var concurrency: Int
  /// Stops after so many requests, if set.
  var requests: Int?
  /// Stops after so long, if set.
  var duration: Interval?
  /// Pause between the requests of one worker; zero sends as fast as answers come.
  var pause = Interval.zero
}

/// What came of a load run.
struct LoadResult: Sendable {
  var completed = 0
  var failed = 0
  var streams = 0
  var latency = LatencyRecorder()
  var firstByte = LatencyRecorder()
  /// Failures by what they say, for the summary; bounded.
  var failures: [String: Int] = [:]
  var byShape: [String: Int] = [:]

  mutating func fail(_ reason: String) {
    failed += 1
    if failures.count < 20 || failures[reason] != nil { failures[reason, default: 0] += 1 }
  }

  mutating func merge(_ other: LoadResult) {
    completed += other.completed
    failed += other.failed
    streams += other.streams
    latency.merge(other.latency)
    firstByte.merge(other.firstByte)
    failures.merge(other.failures) { $0 + $1 }
    byShape.merge(other.byShape) { $0 + $1 }
  }
}
