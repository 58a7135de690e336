/// Pulls tokens out of a whole JSON document (RFC 8259), validating every byte: grammar, numbers, escapes, UTF-8,
/// depth. It allocates nothing and keeps no tree.
///
/// States: value (a value must follow) → after value (comma or end of the container) → key → value …, inside a stack
/// of containers held as one bit each; start and end are the empty stack. Escapes are checked for form only: a lone
/// `\uD800` passes, as it does with every provider, and cannot equal any key we look for.
/// Invariants: `position` only grows and stays within the document; `depth` is at most `maxDepth`.
///
/// `@safe`: reads go through `ByteView`. The document has to outlive the scanner, which `init` makes its caller state.
@safe
package struct JSONScanner {
  package static let maxDepth = 512

  private enum Expectation: UInt8 { case value, valueOrEnd, keyOrEnd, key, afterValue, finished }

  let view: ByteView
  private(set) var position = 0
  private var expectation = Expectation.value
  package private(set) var depth = 0
  /// Bit n: the container at depth n is an object.
  private var objects = InlineArray<8, UInt64>(repeating: 0)
  /// What `objects` says about the innermost container.
  private var isInObject = false

  package init(_ bytes: UnsafeRawBufferPointer) {
    view = unsafe ByteView(bytes)
  }

  /// Offset of the next byte to look at.
  package var offset: Int { position }

  /// The next token; after the last one always `.end`.
  package mutating func next() throws(JSONScanError) -> JSONToken {
    skipWhitespace()
    if expectation == .afterValue, depth > 0 {
      if let token = try separator() { return token }
    }
    switch expectation {
    case .key, .keyOrEnd: return try key()
    case .value, .valueOrEnd: return try value()
    case .afterValue, .finished:
      guard position == view.count else { throw error(.trailingBytes) }
      expectation = .finished
      return .end
    }
  }

  /// Skips the value that follows a key or stands next in an array, validating it. Call it where `next` would give
  /// the beginning of a value.
  package mutating func skipValue() throws(JSONScanError) {
    let outer = depth
    repeat { _ = try next() } while depth > outer
  }

  /// Inside an array: whether another element follows. When not, the array's end has been taken.
  mutating func hasElement() throws(JSONScanError) -> Bool {
    skipWhitespace()
    guard position < view.count else { throw error(.unexpectedEnd) }
    if expectation == .valueOrEnd, view[position] == 0x5D {
      _ = close(.endArray)
      return false
    }
    guard expectation == .afterValue else { return true }
    return try separator() == nil
  }

  /// A comma, or the end of the container.
  @inline(__always)
  private mutating func separator() throws(JSONScanError) -> JSONToken? {
    guard position < view.count else { throw error(.unexpectedEnd) }
    let isObject = isInObject
    switch view[position] {
    case Ascii.comma:
      position += 1
      expectation = isObject ? .key : .value
      skipWhitespace()
      return nil
    case 0x7D where isObject: return close(.endObject)
    case 0x5D where !isObject: return close(.endArray)
    default: throw error(.unexpectedByte)
    }
  }

  @inline(__always)
  private mutating func key() throws(JSONScanError) -> JSONToken {
    guard position < view.count else { throw error(.unexpectedEnd) }
    if expectation == .keyOrEnd, view[position] == 0x7D { return close(.endObject) }
    guard view[position] == Ascii.quote else { throw error(.unexpectedByte) }
    let string = try string()
    skipWhitespace()
    guard position < view.count else { throw error(.unexpectedEnd) }
    guard view[position] == Ascii.colon else { throw error(.unexpectedByte) }
    position += 1
    expectation = .value
    return .key(string)
  }

  @inline(__always)
  private mutating func value() throws(JSONScanError) -> JSONToken {
    guard position < view.count else { throw error(.unexpectedEnd) }
    let mayEnd = expectation == .valueOrEnd
    // Offsets are 32 bits; checked once, where the document's own value begins.
    if depth == 0, view.count > Int(Int32.max) { throw error(.tooLong) }
    switch view[position] {
    case Ascii.quote:
      expectation = .afterValue
      return .string(try string())
    case 0x7B: return try open(isObject: true)
    case 0x5B: return try open(isObject: false)
    case 0x5D where mayEnd: return close(.endArray)
    case 0x74: return try literal("true", .bool(true))
    case 0x66: return try literal("false", .bool(false))
    case 0x6E: return try literal("null", .null)
    case 0x2D, 0x30...0x39:
      expectation = .afterValue
      return .number(try number())
    default: throw error(.unexpectedByte)
    }
  }

  private mutating func open(isObject: Bool) throws(JSONScanError) -> JSONToken {
    guard depth < Self.maxDepth else { throw error(.tooDeep) }
    let bit: UInt64 = 1 << UInt64(depth & 63)
    var words = objects.mutableSpan
    if isObject { words[depth >> 6] |= bit } else { words[depth >> 6] &= ~bit }
    isInObject = isObject
    depth += 1
    position += 1
    expectation = isObject ? .keyOrEnd : .valueOrEnd
    return isObject ? .beginObject : .beginArray
  }

  private mutating func close(_ token: JSONToken) -> JSONToken {
    depth -= 1
    position += 1
    expectation = .afterValue
    if depth > 0 { isInObject = objects.span[(depth - 1) >> 6] & 1 << UInt64((depth - 1) & 63) != 0 }
    return token
  }

  private mutating func literal(_ text: StaticString, _ token: JSONToken) throws(JSONScanError) -> JSONToken {
    let word = ByteView(text)
    for offset in 0..<word.count {
      guard position + offset < view.count else { throw error(.unexpectedEnd, at: view.count) }
      guard view[position + offset] == word[offset] else { throw error(.unexpectedByte, at: position + offset) }
    }
    position += word.count
    expectation = .afterValue
    return token
  }

  @inline(__always)
  private mutating func skipWhitespace() {
    while position < view.count {
      switch view[position] {
      case Ascii.space, Ascii.lineFeed, Ascii.carriageReturn, Ascii.tab: position &+= 1
      default: return
      }
    }
  }

  func error(_ reason: JSONScanError.Reason, at offset: Int? = nil) -> JSONScanError {
    JSONScanError(offset: offset ?? position, reason: reason)
  }
}

extension JSONScanner {
  /// The string literal at `position`.
  @inline(__always)
  private mutating func string() throws(JSONScanError) -> JSONString {
    let start = position + 1
    var cursor = start
    var hasEscapes = false
    while true {
      cursor = view.firstStringStop(from: cursor)
      guard cursor < view.count else { throw error(.unexpectedEnd, at: cursor) }
      let byte = view[cursor]
      if byte == Ascii.quote { break }
      if byte >= 0x80 {
        cursor = try skipUTF8(cursor)
      } else if byte == Ascii.backslash {
        hasEscapes = true
        cursor = try skipEscape(cursor)
      } else {
        throw error(.controlInString, at: cursor)
      }
    }
    position = cursor + 1
    return JSONString(content: ByteRange(start..<cursor), hasEscapes: hasEscapes)
  }

  private func skipEscape(_ start: Int) throws(JSONScanError) -> Int {
    guard start + 1 < view.count else { throw error(.unexpectedEnd, at: view.count) }
    switch view[start + 1] {
    case Ascii.quote, Ascii.backslash, Ascii.slash, 0x62, 0x66, 0x6E, 0x72, 0x74: return start + 2
    case 0x75:
      for index in start + 2..<start + 6 {
        guard index < view.count else { throw error(.unexpectedEnd, at: view.count) }
        guard Ascii.hexValue(view[index]) != nil else { throw error(.badEscape, at: start) }
      }
      return start + 6
    default: throw error(.badEscape, at: start)
    }
  }

  /// Skips well-formed multi-byte characters from `start` (Unicode table 3-7: no overlong forms, no surrogates).
  private func skipUTF8(_ start: Int) throws(JSONScanError) -> Int {
    var cursor = start
    while cursor < view.count, view[cursor] >= 0x80 {
      let (length, second) = try leadByte(cursor)
      guard cursor + length <= view.count else { throw error(.badUTF8, at: cursor) }
      guard second.contains(view[cursor + 1]) else { throw error(.badUTF8, at: cursor) }
      if length > 2, view[cursor + 2] & 0xC0 != 0x80 { throw error(.badUTF8, at: cursor) }
      if length > 3, view[cursor + 3] & 0xC0 != 0x80 { throw error(.badUTF8, at: cursor) }
      cursor += length
    }
    return cursor
  }

  /// How long the character is, and what its second byte may be.
  @inline(__always)
  private func leadByte(_ index: Int) throws(JSONScanError) -> (Int, ClosedRange<UInt8>) {
    switch view[index] {
    case 0xC2...0xDF: return (2, 0x80...0xBF)
    case 0xE0: return (3, 0xA0...0xBF)
    case 0xED: return (3, 0x80...0x9F)
    case 0xE1...0xEF: return (3, 0x80...0xBF)
    case 0xF0: return (4, 0x90...0xBF)
    case 0xF1...0xF3: return (4, 0x80...0xBF)
    case 0xF4: return (4, 0x80...0x8F)
    default: throw error(.badUTF8, at: index)
    }
  }

  /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
  private mutating func number() throws(JSONScanError) -> ByteRange {
    let start = position
    var cursor = start
    if view[cursor] == 0x2D { cursor += 1 }
    let first = cursor
    cursor = view.skipDigits(cursor)
    guard cursor > first, view[first] != Ascii.zero || cursor == first + 1 else { throw numberError(first) }
    if cursor < view.count, view[cursor] == 0x2E {
      let fraction = cursor + 1
      cursor = view.skipDigits(fraction)
      guard cursor > fraction else { throw numberError(fraction) }
    }
    if cursor < view.count, view[cursor] | 0x20 == 0x65 {
      var exponent = cursor + 1
      if exponent < view.count, view[exponent] == 0x2B || view[exponent] == 0x2D { exponent += 1 }
      cursor = view.skipDigits(exponent)
      guard cursor > exponent else { throw numberError(exponent) }
    }
    position = cursor
    return ByteRange(start..<cursor)
  }

  private func numberError(_ at: Int) -> JSONScanError {
    error(at < view.count ? .badNumber : .unexpectedEnd, at: at)
  }
}

extension ByteView {
  fileprivate func skipDigits(_ from: Int) -> Int {
    var index = from
    while index < count, Ascii.isDigit(self[index]) { index &+= 1 }
    return index
  }

  /// The first quote, backslash, control or non-ASCII byte; `count` when there is none. Message text is most of what a
  /// body consists of: after one word, which is enough for most keys, four per step, which become vectors.
  @inline(__always)
  fileprivate func firstStringStop(from: Int) -> Int {
    var index = from
    if index &+ 8 <= count {
      let hit = Self.stringStops(word(at: index))
      if hit != 0 { return index &+ Swar.firstByte(hit) }
      index &+= 8
    }
    while index &+ 32 <= count {
      let words = fourWords(at: index)
      let hit =
        Self.stringStops(words.0) | Self.stringStops(words.1) | Self.stringStops(words.2) | Self.stringStops(words.3)
      if hit != 0 { break }
      index &+= 32
    }
    while index &+ 8 <= count {
      let hit = Self.stringStops(word(at: index))
      if hit != 0 { return index &+ Swar.firstByte(hit) }
      index &+= 8
    }
    while index < count {
      let byte = self[index]
      if byte == Ascii.quote || byte == Ascii.backslash || byte < 0x20 || byte >= 0x80 { return index }
      index &+= 1
    }
    return count
  }

  @inline(__always)
  private static func stringStops(_ word: UInt64) -> UInt64 {
    Swar.zeroBytes(word ^ (0x22 &* Swar.ones)) | Swar.zeroBytes(word ^ (0x5C &* Swar.ones))
      | Swar.below(word, 0x20) | word & Swar.highs
  }
}
