/// Bytes that the caller keeps alive for the duration of one call: what every parser here reads through.
///
/// Invariant that makes it `@safe`: every access is checked against `count` in release builds too, so a mistake in a
/// parser is a trap, never a read beyond the buffer. The pointer itself enters through `init`, which callers have to
/// mark `unsafe`: they promise that the bytes outlive the view.
@safe
struct ByteView {
  private let base: UnsafeRawPointer
  let count: Int

  init(_ bytes: UnsafeRawBufferPointer) {
    if let address = bytes.baseAddress {
      unsafe base = address
      count = bytes.count
    } else {
      // An empty buffer may have no address. With a count of zero the substitute is never read.
      unsafe base = UnsafeRawPointer(StaticString("").utf8Start)
      count = 0
    }
  }

  init(_ text: StaticString) {
    unsafe base = UnsafeRawPointer(text.utf8Start)
    count = text.utf8CodeUnitCount
  }

  @inline(__always)
  subscript(_ index: Int) -> UInt8 {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
    return unsafe base.load(fromByteOffset: index, as: UInt8.self)
  }

  /// Eight bytes from `index`, the first one in the lowest bits.
  @inline(__always)
  func word(at index: Int) -> UInt64 {
    precondition(index >= 0 && index &+ 8 <= count)
    return unsafe UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
  }

  /// Thirty-two bytes from `index`, checked once.
  @inline(__always)
  func fourWords(at index: Int) -> (UInt64, UInt64, UInt64, UInt64) {
    precondition(index >= 0 && index &+ 32 <= count)
    return unsafe (
      UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self)),
      UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self)),
      UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index &+ 16, as: UInt64.self)),
      UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index &+ 24, as: UInt64.self))
    )
  }

  @inline(__always)
  func half(at index: Int) -> UInt32 {
    precondition(index >= 0 && index &+ 4 <= count)
    return unsafe UInt32(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt32.self))
  }

  func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return unsafe UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
  }

  var all: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }
}

extension ByteView {
  /// The first `byte` at or after `from` and before `to`; eight bytes per step.
  @inline(__always)
  func firstIndex(of byte: UInt8, from: Int, to: Int) -> Int? {
    let pattern = UInt64(byte) &* Swar.ones
    var index = from
    while index &+ 8 <= to {
      let hit = Swar.zeroBytes(word(at: index) ^ pattern)
      if hit != 0 { return index &+ Swar.firstByte(hit) }
      index &+= 8
    }
    while index < to {
      if self[index] == byte { return index }
      index &+= 1
    }
    return nil
  }

  /// The first control byte (below 0x20, or 0x7F) at or after `from` and before `to`.
  @inline(__always)
  func firstControl(from: Int, to: Int) -> Int? {
    var index = from
    while index &+ 8 <= to {
      let word = word(at: index)
      let hit = Swar.below(word, 0x20) | Swar.zeroBytes(word ^ (0x7F &* Swar.ones))
      if hit != 0 { return index &+ Swar.firstByte(hit) }
      index &+= 8
    }
    while index < to {
      let byte = self[index]
      if byte < 0x20 || byte == 0x7F { return index }
      index &+= 1
    }
    return nil
  }

  /// Compares with a lower-case name, folding ASCII upper case.
  ///
  /// `byte | 0x20` equals a letter, digit or hyphen only for that character, its upper case, or a control byte below
  /// 0x20; where controls were not excluded before, the range check of `byte` does it.
  @inline(__always)
  func matches(_ range: ByteRange, lowercased name: StaticString) -> Bool {
    matches(from: range.lowerBound, count: Int(range.count), ByteView(name))
  }

  @inline(__always)
  func matches(from start: Int, count length: Int, _ name: ByteView) -> Bool {
    guard length == name.count, start >= 0, start &+ length <= count else { return false }
    let fold: UInt64 = 0x20 &* Swar.ones
    if length >= 8 {
      // The last word overlaps the one before it: no byte-wise rest.
      var index = 0
      while index &+ 8 <= length {
        let word = word(at: start &+ index)
        if word | fold != name.word(at: index) || Swar.below(word, 0x20) != 0 { return false }
        index &+= 8
      }
      let last = word(at: start &+ length &- 8)
      return last | fold == name.word(at: length &- 8) && Swar.below(last, 0x20) == 0
    }
    for index in 0..<length {
      let byte = self[start &+ index]
      if byte | 0x20 != name[index] || byte < 0x20 { return false }
    }
    return true
  }

  /// Whether at least eight bytes are all letters, digits or hyphens, as nearly every field name is. False does not
  /// mean that they are no token.
  @inline(__always)
  func isPlainName(_ from: Int, _ to: Int) -> Bool {
    guard to - from >= 8 else { return false }
    var index = from
    while index &+ 8 < to {
      guard Swar.isPlain(word(at: index)) else { return false }
      index &+= 8
    }
    // The last word overlaps the one before it: no byte-wise rest.
    return Swar.isPlain(word(at: to &- 8))
  }

  /// `range` without spaces and tabs at both ends.
  @inline(__always)
  func trimmed(_ from: Int, _ to: Int) -> Range<Int> {
    var start = from
    var end = to
    while start < end, self[start] == Ascii.space || self[start] == Ascii.tab { start &+= 1 }
    while end > start, self[end &- 1] == Ascii.space || self[end &- 1] == Ascii.tab { end &-= 1 }
    return start..<end
  }
}

/// Tests on eight bytes at once. Each returns a word whose lowest set high-bit belongs to the first matching byte;
/// bytes above it may be marked falsely (a borrow), which is why only the first is ever used.
enum Swar {
  static let ones: UInt64 = 0x0101_0101_0101_0101
  static let highs: UInt64 = 0x8080_8080_8080_8080

  @inline(__always)
  static func zeroBytes(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highs }

  /// Bytes below `limit`, which is at most 0x80.
  @inline(__always)
  static func below(_ word: UInt64, _ limit: UInt64) -> UInt64 { (word &- limit &* ones) & ~word & highs }

  /// All eight bytes are letters, digits or hyphens. Bytes are below 0x80 first, so that no sum carries into the next.
  @inline(__always)
  static func isPlain(_ word: UInt64) -> Bool {
    guard word & highs == 0 else { return false }
    let folded = word | 0x20 &* ones
    let letters = (folded &+ (0x80 - 0x61) &* ones) & ~(folded &+ (0x80 - 0x7B) &* ones)
    let digits = (word &+ (0x80 - 0x30) &* ones) & ~(word &+ (0x80 - 0x3A) &* ones)
    let hyphens = ~((word ^ 0x2D &* ones) &+ 0x7F &* ones)
    return (letters | digits | hyphens) & highs == highs
  }

  @inline(__always)
  static func firstByte(_ hit: UInt64) -> Int { hit.trailingZeroBitCount &>> 3 }
}
