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
}
