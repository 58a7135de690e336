package import SluicePolicy

/// Durations counted in fixed buckets: one comparison chain and two additions per value, no allocation.
package struct FixedHistogram: Sendable {
  /// Upper bounds in nanoseconds; one more bucket holds what is longer.
  package static let bounds: [Int64] = [
    100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
    250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
    60_000_000_000, 120_000_000_000, 300_000_000_000, 600_000_000_000,
  ]
  package static let bucketCount = 22

  private var buckets = InlineArray<22, UInt64>(repeating: 0)
  package private(set) var count: UInt64 = 0
  package private(set) var sumNanoseconds: Int64 = 0

  package init() {}

  package mutating func record(_ interval: Interval) {
    let value = max(0, interval.nanoseconds)
    buckets[Self.index(of: value)] &+= 1
    count &+= 1
    sumNanoseconds = sumNanoseconds.addingReportingOverflow(value).partialValue
  }

  package mutating func merge(_ other: FixedHistogram) {
    for index in 0..<Self.bucketCount { buckets[index] &+= other.buckets[index] }
    count &+= other.count
    sumNanoseconds = sumNanoseconds.addingReportingOverflow(other.sumNanoseconds).partialValue
  }

  /// Values in bucket `index` alone, without those in the smaller ones.
  package subscript(_ index: Int) -> UInt64 { buckets[index] }

  package var sumSeconds: Double { Double(sumNanoseconds) / 1e9 }

  /// Binary search over the bounds.
  private static func index(of value: Int64) -> Int {
    var low = 0
    var high = bounds.count
    while low < high {
      let middle = (low &+ high) >> 1
      if value <= bounds[middle] { high = middle } else { low = middle &+ 1 }
    }
    return low
  }
}
