import SluiceDialects

/// Times in the spellings the providers use.
package enum TimeText {
  /// Go's duration format as OpenAI's reset headers have it: `6m0s`, `8.64s`, `12ms`, `0s`.
  package static func goDuration(nanoseconds: Int64) -> String {
    let milliseconds = (max(0, nanoseconds) + 999_999) / 1_000_000
    if milliseconds == 0 { return "0s" }
    if milliseconds < 1_000 { return "\(milliseconds)ms" }
    let hours = milliseconds / 3_600_000
    let minutes = milliseconds / 60_000 % 60
    let seconds = decimalSeconds(milliseconds % 60_000)
    if hours > 0 { return "\(hours)h\(minutes)m\(seconds)s" }
    return minutes > 0 ? "\(minutes)m\(seconds)s" : "\(seconds)s"
  }

  private static func decimalSeconds(_ milliseconds: Int64) -> String {
    let fraction = milliseconds % 1_000
    guard fraction > 0 else { return "\(milliseconds / 1_000)" }
    var digits = String(1_000 + fraction).dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return "\(milliseconds / 1_000).\(digits)"
  }

  /// RFC 3339 in UTC with whole seconds: `2026-11-21T07:30:59Z`.
  package static func rfc3339(unixSeconds: Int64) -> String { DateText.rfc3339(unixSeconds: Int(unixSeconds)) }

  /// Whole seconds, rounded up: a client that waits this long finds room.
  package static func wholeSeconds(nanoseconds: Int64) -> Int64 {
    (max(0, nanoseconds) + 999_999_999) / 1_000_000_000
  }
}

extension TimeText {
  /// The date of HTTP headers (RFC 9110, 5.6.7): `Sat, 21 Nov 2026 07:30:59 GMT`.
  package static func httpDate(unixSeconds: Int64) -> String {
    let text = rfc3339(unixSeconds: unixSeconds)
    let parts = text.dropLast().split(whereSeparator: { $0 == "-" || $0 == "T" })
    let days = unixSeconds >= 0 ? unixSeconds / 86_400 : (unixSeconds - 86_399) / 86_400
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let weekday = weekdays[Int((days % 7 + 7) % 7)]
    let month = months[max(0, min(11, (Int(parts[1]) ?? 1) - 1))]
    return "\(weekday), \(parts[2]) \(month) \(parts[0]) \(parts[3]) GMT"
  }
}
