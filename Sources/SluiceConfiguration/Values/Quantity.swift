package import SluicePolicy

/// Why a text is not the quantity it should be; the message is for people and does not repeat the text.
package struct QuantityError: Error, Hashable, Sendable {
  package var message: String
}

/// Numbers with units as people write them: `30s`, `1h30m`, `32MiB`, `5%`, `200k`.
///
/// Exact decimal arithmetic in integers, no floating point and no locale; whatever does not fit is refused.
package enum Quantity {
  /// A span of time: numbers with the units ns, us, ms, s, m, h, d, the larger first. `bareSeconds` allows a number
  /// alone, which then counts seconds.
  package static func duration(_ text: String, bareSeconds: Bool = false) throws(QuantityError) -> Interval {
    var scanner = QuantityScanner(text)
    var total: Int64 = 0
    var previous = Int64.max
    repeat {
      let number = try scanner.number(example: "30s, 5m or 250ms")
      let unit = scanner.unit()
      if unit.isEmpty, bareSeconds, previous == .max, scanner.isAtEnd {
        return Interval(nanoseconds: try number.times(1_000_000_000))
      }
      guard let scale = durationUnits[unit] else {
        let problem = unit.isEmpty ? "a duration needs a unit" : "'\(unit)' is not a unit of time"
        throw QuantityError(message: "\(problem): write for example 30s, 5m or 250ms (ns, us, ms, s, m, h, d)")
      }
      guard scale < previous else {
        throw QuantityError(message: "the units of a duration go from the largest to the smallest, as in 1h30m")
      }
      previous = scale
      let (sum, overflow) = total.addingReportingOverflow(try number.times(scale))
      guard !overflow else { throw QuantityError(message: "the duration is too long") }
      total = sum
    } while !scanner.isAtEnd
    return Interval(nanoseconds: total)
  }

  /// An amount of memory in bytes: a number alone or with B, KiB, MiB, GiB, TiB (powers of 1024), kB, MB, GB, TB
  /// (powers of 1000).
  package static func size(_ text: String) throws(QuantityError) -> Int {
    var scanner = QuantityScanner(text)
    let number = try scanner.number(example: "64KiB, 32MiB or 1GiB")
    let unit = scanner.unit()
    guard scanner.isAtEnd, let scale = sizeUnits[unit] else {
      throw QuantityError(message: "a size is a number with one of B, KiB, MiB, GiB, TiB (or kB, MB, GB, TB)")
    }
    return Int(try number.times(scale))
  }

  /// A part of a whole: `20%` gives 0.2. At most two decimals.
  package static func percentage(_ text: String) throws(QuantityError) -> Double {
    var scanner = QuantityScanner(text)
    let number = try scanner.number(example: "20%")
    guard scanner.unit() == "%", scanner.isAtEnd else {
      throw QuantityError(message: "a percentage is a number followed by %, as in 20%")
    }
    guard number.fractionDigits <= 2 else { throw QuantityError(message: "a percentage has at most two decimals") }
    return Double(try number.times(100)) / 10_000
  }

  /// A number of things: `600`, `200k`, `2M`.
  package static func count(_ text: String) throws(QuantityError) -> Int {
    var scanner = QuantityScanner(text)
    let number = try scanner.number(example: "600, 200k or 2M")
    let unit = scanner.unit()
    guard scanner.isAtEnd, let scale = countUnits[unit] else {
      throw QuantityError(message: "a count is a number, with k for thousands or M for millions: 600, 200k, 2M")
    }
    guard let whole = number.wholeTimes(scale) else { throw QuantityError(message: "a count must be a whole number") }
    return Int(whole)
  }

  /// The shortest text that reads back as the same duration.
  package static func text(_ interval: Interval) -> String {
    let value = interval.nanoseconds
    if value == 0 { return "0s" }
    for (unit, scale) in durationOrder where value % scale == 0 { return "\(value / scale)\(unit)" }
    return "\(value)ns"
  }

  /// The shortest text that reads back as the same size.
  package static func text(bytes: Int) -> String {
    for (unit, scale) in sizeOrder where bytes != 0 && Int64(bytes) % scale == 0 {
      return "\(Int64(bytes) / scale)\(unit)"
    }
    return "\(bytes)B"
  }

  /// `0.2` as `20%`.
  package static func text(fraction: Double) -> String {
    let hundredths = Int((fraction * 10_000).rounded())
    let (whole, rest) = (hundredths / 100, hundredths % 100)
    if rest == 0 { return "\(whole)%" }
    return rest % 10 == 0 ? "\(whole).\(rest / 10)%" : "\(whole).\(rest < 10 ? "0" : "")\(rest)%"
  }

  private static let durationOrder: [(String, Int64)] = [
    ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000),
  ]
  private static let durationUnits: [String: Int64] = [
    "ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
  ]
  private static let sizeOrder: [(String, Int64)] = [
    ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
  ]
  private static let sizeUnits: [String: Int64] = [
    "": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "kB": 1_000, "KB": 1_000,
    "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
  ]
  private static let countUnits: [String: Int64] = ["": 1, "k": 1_000, "M": 1_000_000]
}

/// A decimal number as it was written: digits before and after the point.
struct DecimalNumber {
  var whole: Int64
  var fraction: Int64
  var fractionDigits: Int

  private var denominator: Int64 { (0..<fractionDigits).reduce(1) { power, _ in power * 10 } }

  /// The number times `scale`, rounded down.
  func times(_ scale: Int64) throws(QuantityError) -> Int64 {
    let (product, overflow) = whole.multipliedReportingOverflow(by: scale)
    // fraction < denominator, so the quotient is smaller than `scale`.
    let part = denominator.dividingFullWidth(fraction.multipliedFullWidth(by: scale)).quotient
    let (sum, overflowed) = product.addingReportingOverflow(part)
    guard !overflow, !overflowed else { throw QuantityError(message: "the number is too large") }
    return sum
  }

  /// The number times `scale` if that is a whole number that fits.
  func wholeTimes(_ scale: Int64) -> Int64? {
    let rest = denominator.dividingFullWidth(fraction.multipliedFullWidth(by: scale)).remainder
    return rest == 0 ? try? times(scale) : nil
  }
}

/// Reads numbers and units from the start of a text.
struct QuantityScanner {
  private var rest: Substring.UTF8View

  init(_ text: String) {
    rest = text[...].utf8
  }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func number(example: String) throws(QuantityError) -> DecimalNumber {
    let whole = digits()
    guard !whole.isEmpty else { throw QuantityError(message: "write a number with its unit, for example \(example)") }
    var fraction = ""
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      fraction = digits()
      guard !fraction.isEmpty else { throw QuantityError(message: "digits are missing after the decimal point") }
    }
    // 18 digits always fit into 64 bits; 9 decimals are a nanosecond of a second.
    guard whole.utf8.count <= 18, fraction.utf8.count <= 9, let value = Int64(whole) else {
      throw QuantityError(message: "the number has too many digits")
    }
    return DecimalNumber(whole: value, fraction: Int64(fraction) ?? 0, fractionDigits: fraction.utf8.count)
  }

  /// Letters or a percent sign up to the next digit.
  mutating func unit() -> String {
    if rest.first == UInt8(ascii: " ") { rest.removeFirst() }
    let part = rest.prefix { byte in !(0x30...0x39).contains(byte) }
    rest = rest.dropFirst(part.count)
    return String(part) ?? ""
  }

  private mutating func digits() -> String {
    let part = rest.prefix { byte in (0x30...0x39).contains(byte) }
    rest = rest.dropFirst(part.count)
    return String(part) ?? ""
  }
}
