/// Dates in the forms providers use. No Foundation: these run where answers are read.
package enum DateText {
  /// RFC 3339: `2026-11-21T07:30:59Z`, with an optional fraction and a numeric offset.
  package static func rfc3339(_ text: ByteSlice) -> UnixTime? {
    let text = text.trimmed
    guard text.count >= 20, text[4] == 0x2D, text[7] == 0x2D, text[13] == 0x3A, text[16] == 0x3A,
      text[10] | 0x20 == 0x74 || text[10] == 0x20
    else { return nil }
    guard let year = text[0..<4].decimal, let month = text[5..<7].decimal, let day = text[8..<10].decimal,
      let hour = text[11..<13].decimal, let minute = text[14..<16].decimal, let second = text[17..<19].decimal
    else { return nil }
    guard let (milliseconds, afterFraction) = fraction(text, from: 19) else { return nil }
    guard let offset = offset(text.suffix(from: afterFraction)) else { return nil }
    guard let seconds = unixSeconds(year, month, day, hour, minute, second) else { return nil }
    return UnixTime(milliseconds: (seconds - offset) * 1000 + milliseconds)
  }

  /// HTTP date (RFC 9110 §5.6.7), the preferred form only: `Sat, 21 Nov 2026 07:30:59 GMT`.
  package static func http(_ text: ByteSlice) -> UnixTime? {
    guard text.count == 29, text[3] == 0x2C, text.hasSuffix(" GMT"), text[19] == 0x3A, text[22] == 0x3A else {
      return nil
    }
    guard let day = text[5..<7].decimal, let month = month(text[8..<11]), let year = text[12..<16].decimal,
      let hour = text[17..<19].decimal, let minute = text[20..<22].decimal, let second = text[23..<25].decimal
    else { return nil }
    return unixSeconds(year, month, day, hour, minute, second).map(UnixTime.seconds)
  }

  /// `1970-01-01T00:00:00Z` and the like; moments outside of the years 1 to 9999 become the epoch.
  package static func rfc3339(unixSeconds: Int) -> String {
    let seconds = (-62_135_596_800..<253_402_300_800).contains(unixSeconds) ? unixSeconds : 0
    let days = (seconds - (seconds % 86_400 + 86_400) % 86_400) / 86_400
    let ofDay = seconds - days * 86_400
    let (year, month, day) = civil(days)
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    return "\(date)T\(padded(ofDay / 3600, 2)):\(padded(ofDay / 60 % 60, 2)):\(padded(ofDay % 60, 2))Z"
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// Civil from days, after Howard Hinnant's `civil_from_days`.
  private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let slot = (5 * dayOfYear + 2) / 153
    let month = slot < 10 ? slot + 3 : slot - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * slot + 2) / 5 + 1)
  }

  private static func month(_ name: ByteSlice) -> Int? {
    let names: [StaticString] = [
      "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    return names.firstIndex { name.equalsIgnoringCase($0) }.map { $0 + 1 }
  }

  private static func fraction(_ text: ByteSlice, from start: Int) -> (milliseconds: Int64, end: Int)? {
    guard start < text.count, text[start] == 0x2E else { return (0, start) }
    var index = start + 1
    var value: Int64 = 0
    var scale: Int64 = 100
    while index < text.count, ByteSlice.isDigit(text[index]) {
      value += Int64(text[index] - 0x30) * scale
      scale /= 10
      index += 1
    }
    return index > start + 1 ? (value, index) : nil
  }

  private static func offset(_ text: ByteSlice) -> Int64? {
    if text.count == 1, text[0] | 0x20 == 0x7A { return 0 }
    guard text.count == 6, text[3] == 0x3A, text[0] == 0x2B || text[0] == 0x2D else { return nil }
    guard let hours = text[1..<3].decimal, let minutes = text[4..<6].decimal, hours < 24, minutes < 60 else {
      return nil
    }
    let seconds = Int64(hours * 3600 + minutes * 60)
    return text[0] == 0x2D ? -seconds : seconds
  }

  /// Days from civil, after Howard Hinnant's `days_from_civil`; a leap second counts as the following second.
  private static func unixSeconds(
    _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int
  ) -> Int64? {
    guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60, year >= 1 else {
      return nil
    }
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = era * 146_097 + dayOfEra - 719_468
    return Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
  }
}
