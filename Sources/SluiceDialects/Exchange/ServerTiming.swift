import SluicePolicy

/// The `server-timing` header (W3C Server Timing) from an exchange's phases.
package enum ServerTiming {
  /// Appends `receive;dur=0.012, …, upstream;dur=412.7` in milliseconds with three decimals. Each figure is the
  /// difference of rounded running totals, so the printed figures add up to the printed wall time exactly.
  package static func append(_ phases: PhaseClock, to bytes: inout [UInt8]) {
    var passed: Int64 = 0
    var printed: Int64 = 0
    for phase in PhaseClock.Phase.allCases {
      passed += phases[phase].nanoseconds
      let rounded = (passed + 500) / 1000
      bytes.append(label(phase))
      append(microseconds: rounded - printed, to: &bytes)
      printed = rounded
    }
  }

  /// What stands before a phase's figure, in one piece.
  private static func label(_ phase: PhaseClock.Phase) -> StaticString {
    switch phase {
    case .receive: "receive;dur="
    case .queue: ", queue;dur="
    case .acquire: ", acquire;dur="
    case .connect: ", connect;dur="
    case .upstream: ", upstream;dur="
    case .translate: ", translate;dur="
    }
  }

  private static func append(microseconds: Int64, to bytes: inout [UInt8]) {
    guard microseconds != 0 else { return bytes.append(0x30) }
    bytes.append(decimal: Int(microseconds / 1000))
    let fraction = microseconds % 1000
    guard fraction > 0 else { return }
    bytes.append(0x2E)
    bytes.append(UInt8(0x30 + fraction / 100))
    if fraction % 100 > 0 { bytes.append(UInt8(0x30 + fraction / 10 % 10)) }
    if fraction % 10 > 0 { bytes.append(UInt8(0x30 + fraction % 10)) }
  }
}
