/// Values of number literals that the scanner validated.
package enum JSONNumber {
  /// An integer without fraction or exponent that fits an `Int`, else nil.
  package static func int(_ range: ByteRange, in bytes: UnsafeRawBufferPointer) -> Int? {
    unsafe int(range, ByteView(bytes))
  }

  static func int(_ range: ByteRange, _ view: ByteView) -> Int? {
    guard !range.isEmpty, view[range.lowerBound] == 0x2D else { return view.decimal(range.range) }
    return view.decimal(range.lowerBound + 1..<range.upperBound).map { -$0 }
  }

  /// Any number as a double; infinite values become nil.
  package static func double(_ range: ByteRange, in bytes: UnsafeRawBufferPointer) -> Double? {
    guard let value = Double(unsafe range.string(in: bytes)), value.isFinite else { return nil }
    return value
  }

  /// What a literal says, kept as it was written where neither `Int` nor `Double` holds all of it.
  static func value(_ literal: String, isInteger: Bool) -> JSONValue {
    if isInteger { return Int(literal).map { .int($0) } ?? .literal(literal) }
    return exact(literal).map { .double($0) } ?? .literal(literal)
  }

  /// The number, if a `Double` keeps all that was written; 15 digits are always kept.
  private static func exact(_ literal: String) -> Double? {
    guard let number = Double(literal), number.isFinite else { return nil }
    let digits = literal.utf8.prefix { $0 | 0x20 != UInt8(ascii: "e") }.filter { 0x30...0x39 ~= $0 }
    if number.isZero { return digits.allSatisfy { $0 == 0x30 } ? number : nil }
    return digits.count <= 15 || number.description == literal ? number : nil
  }
}
