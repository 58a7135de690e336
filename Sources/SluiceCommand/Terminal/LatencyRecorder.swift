/// Latencies of one run, kept whole: a load run is bounded, so exact percentiles are affordable.
struct LatencyRecorder {
  private(set) var milliseconds: [Double] = []

  mutating func record(_ value: Double) { milliseconds.append(value) }
  mutating func merge(_ other: LatencyRecorder) { milliseconds += other.milliseconds }

  /// Nearest-rank percentiles in the order asked for; zeros when nothing was recorded.
  func percentiles(_ wanted: [Double]) -> [Double] {
    guard !milliseconds.isEmpty else { return wanted.map { _ in 0 } }
    let sorted = milliseconds.sorted()
    return wanted.map { share in
      let rank = Int((share * Double(sorted.count)).rounded(.up)) - 1
      return sorted[min(sorted.count - 1, max(0, rank))]
    }
  }

  static func text(_ value: Double) -> String {
    if value >= 10_000 { return "\((value / 100).rounded() / 10) s" }
    if value >= 100 { return "\(Int(value.rounded())) ms" }
    return "\((value * 100).rounded() / 100) ms"
  }
}
