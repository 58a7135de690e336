import SluicePolicy

/// One stream of chance. Load, latency, faults and scheduling draw from streams of their own, so that changing how one
/// is used does not change what the others bring.
struct SimulationRandom: RandomNumberGenerator {
  enum Stream: UInt64 {
    case options = 1
    case load, latency, faults, schedule, policy, heartbeats, regions
  }

  private var generator: SplitMix64

  init(seed: UInt64, stream: Stream) {
    var mixer = SplitMix64(seed: seed ^ (stream.rawValue &* 0xA076_1D64_78BD_642F))
    generator = SplitMix64(seed: mixer.next())
  }

  mutating func next() -> UInt64 { generator.next() }

  /// 0 ≤ value < 1.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  mutating func chance(_ probability: Double) -> Bool { probability > 0 && unit() < probability }

  /// Both ends included.
  mutating func range(_ low: Int, _ high: Int) -> Int { low + Int(next() % UInt64(high - low + 1)) }

  mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[range(0, choices.count - 1)]
  }

  /// A long-tailed time around `average`: most are shorter, few are much longer (at most 20 times).
  mutating func time(around average: Interval) -> Interval {
    let u = 1 - unit()
    var tail = 1.0
    var value = u
    // -ln(u) by halving: ln needs a library, and the shape matters more than the digits.
    while value < 0.5 && tail < 20 {
      value *= 2
      tail += 0.69
    }
    return average.scaled(by: tail - (value - 0.5) * 1.38 + 0.01)
  }
}
