import CAllocationCounter

/// One benchmark's figures per operation.
struct Figure {
  var name: String
  var nanoseconds: Double
  var allocations: Double
  var note = ""
}

/// Runs bodies and keeps the figures: the best of several rounds for time (everything else is disturbance), the lowest
/// count for allocations.
struct Measurements {
  private(set) var figures: [Figure] = []
  let rounds: Int

  mutating func measure(
    _ name: String, operations: Int, bytes: Int? = nil, setup: () -> Void = {}, _ body: () -> Void
  ) {
    var best = Double.infinity, fewest = UInt64.max
    setup()
    body()
    for _ in 0..<rounds {
      setup()
      let allocations = allocation_counter_read()
      let time = ContinuousClock().measure { body() }
      fewest = min(fewest, allocation_counter_read() - allocations)
      best = min(best, Double(time.components.attoseconds) / 1e9 + Double(time.components.seconds) * 1e9)
    }
    let perOperation = best / Double(operations)
    let speed = bytes.map { " (\(Int(Double($0) / best * 1000)) MB/s)" } ?? ""
    let figure = Figure(
      name: name, nanoseconds: perOperation, allocations: Double(fewest) / Double(operations), note: speed)
    figures.append(figure)
    print(Self.line(figure))
  }

  static func line(_ figure: Figure) -> String {
    let name = figure.name.padding(48)
    let time = String(Int((figure.nanoseconds * 10).rounded())).decimalShifted.leftPadding(12)
    let allocations = String(Int((figure.allocations * 100).rounded())).centShifted.leftPadding(10)
    return "\(name)\(time) ns\(allocations) allocations\(figure.note)"
  }
}

extension String {
  func padding(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
  func leftPadding(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
  /// "1234" read as tenths: "123.4".
  var decimalShifted: String { count < 2 ? "0.\(self)" : "\(dropLast()).\(suffix(1))" }
  /// "1234" read as hundredths: "12.34".
  var centShifted: String { "\(count > 2 ? String(dropLast(2)) : "0").\(String(suffix(2)).leftPaddingZero)" }
  private var leftPaddingZero: String { count < 2 ? "0" + self : self }
}
