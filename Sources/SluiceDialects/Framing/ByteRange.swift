/// A range of offsets into bytes that the caller holds. Parsers hand out ranges instead of copies, so that a head or
/// body can be looked at again, or forwarded, without ever becoming a `String`.
///
/// Offsets are 32 bits: every parser refuses or bounds longer input first, and a network buffer cannot be longer.
package struct ByteRange: Hashable, Sendable {
  package var start: UInt32
  package var count: UInt32

  package static let empty = ByteRange(start: 0, count: 0)

  package init(start: Int, count: Int) {
    self.start = UInt32(start)
    self.count = UInt32(count)
  }

  package init(_ range: Range<Int>) {
    self.init(start: range.lowerBound, count: range.count)
  }

  package var lowerBound: Int { Int(start) }
  package var upperBound: Int { Int(start) + Int(count) }
  package var isEmpty: Bool { count == 0 }
  package var range: Range<Int> { lowerBound..<upperBound }

  /// The bytes of this range. Traps when the range does not lie inside `bytes`: it was made for another buffer.
  package func slice(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    precondition(upperBound <= bytes.count, "range of another buffer")
    return unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
  }

  /// The bytes as text; invalid UTF-8 is replaced. For messages and administration, never on the data path.
  package func string(in bytes: UnsafeRawBufferPointer) -> String {
    unsafe String(decoding: slice(bytes), as: UTF8.self)
  }

  /// Whether the bytes equal `name` when ASCII upper case is folded. `name` has to be lower case.
  package func equals(lowercased name: StaticString, in bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe ByteView(bytes).matches(self, lowercased: name)
  }

  /// Whether the bytes are exactly those of `text`.
  package func equals(_ text: StaticString, in bytes: UnsafeRawBufferPointer) -> Bool {
    guard Int(count) == text.utf8CodeUnitCount, upperBound <= bytes.count else { return false }
    for index in 0..<Int(count) where unsafe bytes[lowerBound + index] != text.utf8Start[index] { return false }
    return true
  }
}
