/// Where each header field of a head lies, as offsets into the bytes that were parsed. No text is copied.
///
/// A field is one 64-bit word: offset and length of name and value, its `KnownHeader`, and whether `Connection` lists
/// it. The words are one array: the head's only allocation, and none where a parser is given an earlier head's index to
/// fill anew. (Words inline in the value were measured too: heads are handed on often enough that copying them cost
/// more than allocating once.)
package struct HeaderIndex: Sendable {
  package struct Field: Hashable, Sendable {
    package let name: ByteRange
    package let value: ByteRange
    package let known: KnownHeader
    /// `Connection` names this field: it concerns this connection only.
    package let isConnectionListed: Bool

    /// Not to be forwarded: concerns one connection by its nature or because `Connection` lists it.
    package var isHopByHop: Bool { isConnectionListed || known.isHopByHop }
  }

  static let maxNameBytes = 255
  /// Room for the usual heads of clients and providers; longer ones grow the array.
  private static let usualCount = 24

  private var words: [UInt64] = []
  private var present: UInt64 = 0

  package init() {}

  package var count: Int { words.count }
  package var isEmpty: Bool { count == 0 }
  package var indices: Range<Int> { 0..<count }

  /// The field at `index`, in the order received. Traps when `index` is not one of `indices`.
  package subscript(_ index: Int) -> Field { Self.field(words[index]) }

  package func contains(_ known: KnownHeader) -> Bool { present & Self.bit(known) != 0 }

  /// The value of the first field with this identity.
  package func first(_ known: KnownHeader) -> ByteRange? {
    guard contains(known) else { return nil }
    for word in words where Self.known(word) == known.rawValue { return Self.value(word) }
    return nil
  }

  package func count(of known: KnownHeader) -> Int {
    guard contains(known) else { return 0 }
    var found = 0
    for word in words where Self.known(word) == known.rawValue { found += 1 }
    return found
  }

  /// The value of the first field with this name, in lower case. For names outside `KnownHeader`.
  package func first(named name: StaticString, in bytes: UnsafeRawBufferPointer) -> ByteRange? {
    let view = unsafe ByteView(bytes)
    for word in words {
      let field = Self.field(word)
      if view.matches(field.name, lowercased: name) { return field.value }
    }
    return nil
  }

  /// The first value as text. For administration and errors, never on the data path.
  package func string(_ known: KnownHeader, in bytes: UnsafeRawBufferPointer) -> String? {
    unsafe first(known)?.string(in: bytes)
  }

  package func forEach(_ body: (Field) -> Void) {
    for word in words { body(Self.field(word)) }
  }
}

extension HeaderIndex {
  /// Layout of a field's word, from the lowest bit: value start 16, value count 16, name start 16, name count 8,
  /// known 7, listed 1. The parser keeps heads within `HTTPLimits.hardMaxHeadBytes` and names within 255 bytes.
  mutating func append(nameStart: Int, nameCount: Int, valueStart: Int, valueCount: Int, known: KnownHeader) {
    let places = UInt64(UInt16(valueStart)) | UInt64(UInt16(valueCount)) << 16 | UInt64(UInt16(nameStart)) << 32
    let word = places | UInt64(UInt8(nameCount)) << 48 | UInt64(known.rawValue) << 56
    if words.capacity == 0 { words.reserveCapacity(Self.usualCount) }
    words.append(word)
    present |= Self.bit(known)
  }

  mutating func markConnectionListed(_ index: Int) {
    words[index] |= 1 << 63
  }

  /// Forgets the fields and keeps the room for others, unless somebody else still reads them.
  mutating func removeAll() {
    words.removeAll(keepingCapacity: true)
    present = 0
  }

  func known(_ index: Int) -> KnownHeader { KnownHeader(rawValue: Self.known(words[index])) ?? .other }

  private static func field(_ word: UInt64) -> Field {
    Field(
      name: ByteRange(start: Int(word >> 32 & 0xFFFF), count: Int(word >> 48 & 0xFF)),
      value: value(word),
      known: KnownHeader(rawValue: UInt8(known(word))) ?? .other, isConnectionListed: word >> 63 == 1)
  }

  private static func value(_ word: UInt64) -> ByteRange {
    ByteRange(start: Int(word & 0xFFFF), count: Int(word >> 16 & 0xFFFF))
  }

  private static func known(_ word: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> 56) & 0x7F }

  /// `other` has no bit: being unknown is not being present.
  private static func bit(_ known: KnownHeader) -> UInt64 { known == .other ? 0 : 1 << UInt64(known.rawValue) }
}
