/// A borrowed run of bytes with checked access and the few comparisons the dialects need.
///
/// It exists so that the dialects read untrusted bytes without spelling out raw pointers: every access is checked in
/// every build. A slice is valid only while the call that handed over the bytes lasts; it must not be stored.
package struct ByteSlice {
  let view: ByteView

  package init(_ base: UnsafeRawBufferPointer) {
    view = unsafe ByteView(base)
  }

  package static var empty: ByteSlice { unsafe ByteSlice(UnsafeRawBufferPointer(start: nil, count: 0)) }

  package var count: Int { view.count }
  package var isEmpty: Bool { view.count == 0 }

  /// The bytes themselves, for parsers that take raw buffers.
  package var raw: UnsafeRawBufferPointer { unsafe view.all }

  package subscript(index: Int) -> UInt8 { view[index] }

  /// A part of the view; the range is clamped to what exists.
  package subscript(range: Range<Int>) -> ByteSlice {
    let lower = min(max(range.lowerBound, 0), count)
    let upper = min(max(range.upperBound, lower), count)
    return unsafe ByteSlice(view.bytes(lower..<upper))
  }

  package func suffix(from index: Int) -> ByteSlice { self[min(max(index, 0), count)..<count] }

  package func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
    view.firstIndex(of: byte, from: max(start, 0), to: count)
  }

  /// Without leading and trailing blanks, tabs, CR and LF.
  package var trimmed: ByteSlice {
    var lower = 0
    var upper = count
    while lower < upper, Self.isBlank(self[lower]) { lower += 1 }
    while upper > lower, Self.isBlank(self[upper - 1]) { upper -= 1 }
    return self[lower..<upper]
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

  /// As text, at most `limit` bytes of it, invalid UTF-8 repaired.
  package func string(limit: Int = .max) -> String {
    let piece = self[0..<min(count, max(limit, 0))]
    return unsafe String(decoding: piece.raw, as: UTF8.self)
  }

  package func append(to bytes: inout [UInt8]) {
    unsafe bytes.append(contentsOf: raw)
  }
}

// MARK: - Comparisons with literals

extension ByteSlice {
  package func equals(_ literal: StaticString) -> Bool {
    count == literal.utf8CodeUnitCount && matches(literal, at: 0)
  }

  package func hasPrefix(_ literal: StaticString) -> Bool {
    count >= literal.utf8CodeUnitCount && matches(literal, at: 0)
  }

  package func hasSuffix(_ literal: StaticString) -> Bool {
    count >= literal.utf8CodeUnitCount && matches(literal, at: count - literal.utf8CodeUnitCount)
  }

  /// `literal` has to be lower case; ASCII letters of the view match in either case.
  package func equalsIgnoringCase(_ literal: StaticString) -> Bool {
    count == literal.utf8CodeUnitCount && matchesIgnoringCase(literal, at: 0)
  }

  package func hasPrefixIgnoringCase(_ literal: StaticString) -> Bool {
    count >= literal.utf8CodeUnitCount && matchesIgnoringCase(literal, at: 0)
  }

  /// `literal` has to be lower case.
  package func containsIgnoringCase(_ literal: StaticString) -> Bool {
    let last = count - literal.utf8CodeUnitCount
    guard last >= 0 else { return false }
    for start in 0...last where matchesIgnoringCase(literal, at: start) { return true }
    return false
  }

  private func matches(_ literal: StaticString, at start: Int) -> Bool {
    let text = ByteView(literal)
    guard text.count > 0 else { return true }
    // Of several candidates nearly all differ in their first byte.
    guard view[start] == text[0] else { return false }
    var index = 0
    while index &+ 8 <= text.count {
      if view.word(at: start &+ index) != text.word(at: index) { return false }
      index &+= 8
    }
    if index < text.count, text.count >= 8 {
      // The last word overlaps the one before it: no byte-wise rest.
      return view.word(at: start &+ text.count &- 8) == text.word(at: text.count &- 8)
    }
    while index < text.count {
      if view[start &+ index] != text[index] { return false }
      index &+= 1
    }
    return true
  }

  private func matchesIgnoringCase(_ literal: StaticString, at start: Int) -> Bool {
    let text = ByteView(literal)
    for index in 0..<text.count where Self.lowered(view[start &+ index]) != text[index] { return false }
    return true
  }

  /// Compares with a header name: letters, digits and hyphens, in lower case. Eight bytes per step.
  func isName(_ name: StaticString) -> Bool { view.matches(from: 0, count: count, ByteView(name)) }

  /// Whether a header name begins with `prefix`, made of letters, digits and hyphens, in lower case.
  func isName(startingWith prefix: StaticString) -> Bool {
    count >= prefix.utf8CodeUnitCount && view.matches(from: 0, count: prefix.utf8CodeUnitCount, ByteView(prefix))
  }

  package func equalsIgnoringCase(_ other: ByteSlice) -> Bool {
    guard count == other.count else { return false }
    for index in 0..<count where Self.lowered(self[index]) != Self.lowered(other[index]) { return false }
    return true
  }

  static func lowered(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
}

// MARK: - Numbers

extension ByteSlice {
  /// A plain non-negative decimal number that fits, or nothing.
  package var decimal: Int? {
    guard !isEmpty, count <= 19 else { return nil }
    var value = 0
    for index in 0..<count {
      guard let next = Self.append(self[index], to: value) else { return nil }
      value = next
    }
    return value
  }

  static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  static func append(_ digit: UInt8, to value: Int) -> Int? {
    guard isDigit(digit) else { return nil }
    let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
    guard !overflow else { return nil }
    let (sum, carried) = shifted.addingReportingOverflow(Int(digit - 0x30))
    return carried ? nil : sum
  }
}

extension [UInt8] {
  /// Lends the array's bytes to `body`.
  package func withSlice<Answer>(_ body: (ByteSlice) -> Answer) -> Answer {
    unsafe withUnsafeBytes { bytes in body(unsafe ByteSlice(bytes)) }
  }

  package mutating func append(_ literal: StaticString) {
    let text = unsafe UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    unsafe append(contentsOf: text)
  }

  /// Decimal digits of `number`, without a string on the way.
  package mutating func append(decimal number: Int) {
    if number < 0 { append(0x2D) }
    var rest = number.magnitude
    // As many digits as the largest number has.
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var start = 20
    repeat {
      start -= 1
      digits[start] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
      rest /= 10
    } while rest > 0
    for index in start..<20 { append(digits[index]) }
  }
}
