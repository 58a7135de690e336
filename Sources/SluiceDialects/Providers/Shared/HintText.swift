package import SluicePolicy

/// The texts in which providers say how long to wait. All arithmetic saturates: the input is a header of a stranger.
package enum HintText {
  /// Hints are never believed beyond a day.
  package static let longest: Interval = .seconds(86_400)

  /// `1s`, `6m0s`, `8.64s`, `12ms`, `1h2m3s`, `15µs`: a sum of numbers with units; nothing for anything else.
  package static func goDuration(_ text: ByteSlice) -> Interval? {
    let text = text.trimmed
    guard !text.isEmpty else { return nil }
    var index = 0
    var total = 0.0
    while index < text.count {
      guard let (number, afterNumber) = number(in: text, from: index) else { return nil }
      guard let (unit, afterUnit) = unit(in: text, from: afterNumber) else { return nil }
      total += number * unit
      index = afterUnit
    }
    return interval(nanoseconds: total)
  }

  /// `12`, `0.25`: seconds with an optional fraction.
  package static func seconds(_ text: ByteSlice) -> Interval? {
    let text = text.trimmed
    guard let (number, end) = number(in: text, from: 0), end == text.count else { return nil }
    return interval(nanoseconds: number * 1e9)
  }

  /// `120`, `120.5`: milliseconds.
  package static func milliseconds(_ text: ByteSlice) -> Interval? {
    let text = text.trimmed
    guard let (number, end) = number(in: text, from: 0), end == text.count else { return nil }
    return interval(nanoseconds: number * 1e6)
  }

  /// `retry-after`: seconds or an HTTP date.
  package static func retryAfter(_ text: ByteSlice, now: UnixTime) -> Interval? {
    if let seconds = seconds(text) { return seconds }
    return DateText.http(text.trimmed).map { min($0.interval(since: now), longest) }
  }

  /// The wait a failed answer asks for: `retry-after-ms` before `retry-after`, as the official SDKs read them.
  package static func wait(_ headers: HeaderView, now: UnixTime) -> Interval? {
    if let text = headers.first(.retryAfterMilliseconds), let wait = milliseconds(text) { return wait }
    return headers.first(.retryAfter).flatMap { retryAfter($0, now: now) }
  }

  /// `x-should-retry`: the provider's explicit word.
  package static func shouldRetry(_ headers: HeaderView) -> Bool? {
    guard let text = headers.first(.shouldRetry) else { return nil }
    if text.equalsIgnoringCase("true") { return true }
    return text.equalsIgnoringCase("false") ? false : nil
  }

  private static func interval(nanoseconds: Double) -> Interval? {
    guard nanoseconds.isFinite, nanoseconds >= 0 else { return nil }
    let bounded = min(nanoseconds, Double(longest.nanoseconds))
    return Interval(nanoseconds: Int64(bounded.rounded()))
  }

  private static func number(in text: ByteSlice, from start: Int) -> (Double, Int)? {
    var index = start
    var value = 0.0
    var scale = 1.0
    var digits = 0
    var seenPoint = false
    while index < text.count {
      let byte = text[index]
      if ByteSlice.isDigit(byte) {
        digits += 1
        guard digits <= 30 else { return nil }
        value = value * 10 + Double(byte - 0x30)
        if seenPoint { scale *= 10 }
      } else if byte == 0x2E, !seenPoint {
        seenPoint = true
      } else {
        break
      }
      index += 1
    }
    return digits > 0 ? (value / scale, index) : nil
  }

  /// Nanoseconds of the unit at `start`; the micro sign comes as U+00B5, U+03BC or plain `u`.
  private static func unit(in text: ByteSlice, from start: Int) -> (Double, Int)? {
    let rest = text.suffix(from: start)
    if rest.hasPrefix("ms") { return (1e6, start + 2) }
    if rest.hasPrefix("us") { return (1e3, start + 2) }
    if rest.hasPrefix("ns") { return (1, start + 2) }
    if rest.hasPrefix("\u{00B5}s") || rest.hasPrefix("\u{03BC}s") { return (1e3, start + 3) }
    if rest.hasPrefix("s") { return (1e9, start + 1) }
    if rest.hasPrefix("m") { return (60e9, start + 1) }
    if rest.hasPrefix("h") { return (3600e9, start + 1) }
    return nil
  }
}
