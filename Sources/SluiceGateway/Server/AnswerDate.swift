package import SluiceDialects

/// The `date` line of the gateway's own answers (RFC 9110 §6.6.1), made once a second.
package struct AnswerDate {
  private static let days: [StaticString] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months: [StaticString] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private var second = Int64.min
  private var text: [UInt8] = []

  package init() {}

  /// With its line end.
  package mutating func line(at time: UnixTime) -> [UInt8] {
    // Before 1970 a clock is not set, and any text would be as wrong.
    let now = max(0, time.milliseconds / 1_000)
    if now != second {
      second = now
      text = Self.line(now)
    }
    return text
  }

  private static func line(_ seconds: Int64) -> [UInt8] {
    let (day, time) = (Int(seconds / 86_400), Int(seconds % 86_400))
    let date = date(ofDay: day)
    var out: [UInt8] = []
    out.append("date: ")
    out.append(days[day % 7])
    out.append(", ")
    append(date.day, to: &out)
    out.append(0x20)
    out.append(months[date.month - 1])
    out.append(0x20)
    out.append(decimal: date.year)
    out.append(0x20)
    append(time / 3_600, to: &out)
    out.append(0x3A)
    append(time / 60 % 60, to: &out)
    out.append(0x3A)
    append(time % 60, to: &out)
    out.append(" GMT\r\n")
    return out
  }

  /// The Gregorian date so many days after 1970-01-01, by counting in eras of 400 years that begin in March (Howard
  /// Hinnant, chrono-Compatible Low-Level Date Algorithms, `civil_from_days`).
  private static func date(ofDay days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let (era, dayOfEra) = (shifted / 146_097, shifted % 146_097)
    let year = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    return (era * 400 + year + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9, day)
  }

  private static func append(_ number: Int, to out: inout [UInt8]) {
    out.append(0x30 + UInt8(number / 10))
    out.append(0x30 + UInt8(number % 10))
  }
}
