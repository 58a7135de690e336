/// A document read without building values: one small entry per name and value, in the document's order, in memory that
/// is used again for the next document. For stream events, of which each is looked at once, for two or three values.
///
/// It takes exactly the documents that `JSONReader` takes, and says the same about them; texts and numbers are decoded
/// when they are asked for. Values are told by their places, which belong to this tape only.
///
/// Invariants: `entries[place].next` is the entry behind the value, so what a container holds lies between; inside an
/// object names and values alternate.
package struct JSONTape {
  package struct Place {
    fileprivate let index: Int
  }

  /// What one document leaves for the next.
  package struct Room: Sendable {
    /// A larger document's memory is not kept.
    package static let mostKept = 2_048

    fileprivate var entries: [Entry] = []

    /// Entries for which there is memory.
    package var kept: Int { entries.capacity }

    package init() {}
  }

  fileprivate enum Kind: UInt8, Sendable { case object, array, name, string, escapedName, escapedString, number, word }

  fileprivate struct Entry: Sendable {
    var kind: Kind
    /// Of a text its content, of anything else all of it.
    var range: ByteRange
    /// While a container is open: the one around it.
    var next: Int32
  }

  private static let maxDepth = 256

  private let bytes: ByteSlice
  private var entries: [Entry] = []

  /// - Parameters:
  ///   - bytes: a whole document, which has to outlive the tape.
  ///   - room: of the last document; empty until `leave`.
  package init(_ bytes: ByteSlice, in room: inout Room) throws(JSONError) {
    self.bytes = bytes
    swap(&entries, &room.entries)
    do throws(JSONScanError) { try read() } catch {
      leave(&room)
      throw Self.error(bytes, error)
    }
  }

  /// The document is done with.
  package mutating func leave(_ room: inout Room) {
    guard entries.capacity <= Room.mostKept else { return }
    entries.removeAll(keepingCapacity: true)
    swap(&entries, &room.entries)
  }

  package var root: Place { Place(index: 0) }

  /// The scanner tells more tersely what is wrong.
  private static func error(_ bytes: ByteSlice, _ error: JSONScanError) -> JSONError {
    do throws(JSONError) { _ = try JSONReader.read(bytes) } catch { return error }
    return JSONError(reason: error.label, offset: error.offset)
  }
}

// MARK: - Reading

extension JSONTape {
  private mutating func read() throws(JSONScanError) {
    var scanner = unsafe JSONScanner(bytes.raw)
    var open = -1
    while true {
      let depth = scanner.depth
      switch try scanner.next() {
      case .key(let text):
        append(text.hasEscapes ? .escapedName : .name, try checked(text))
        continue
      case .string(let text): append(text.hasEscapes ? .escapedString : .string, try checked(text))
      case .number(let range): append(.number, range)
      case .bool(let value): append(.word, ByteRange(scanner.offset - (value ? 4 : 5)..<scanner.offset))
      case .null: append(.word, ByteRange(scanner.offset - 4..<scanner.offset))
      case .beginObject: open = begin(.object, scanner.offset - 1, in: open)
      case .beginArray: open = begin(.array, scanner.offset - 1, in: open)
      case .endObject, .endArray:
        open = end(open, scanner.offset)
        continue
      case .end: return
      }
      guard depth < Self.maxDepth else { throw scanner.error(.tooDeep) }
    }
  }

  /// Returns the container that is open now.
  private mutating func begin(_ kind: Kind, _ start: Int, in around: Int) -> Int {
    let place = entries.count
    append(kind, ByteRange(start..<start))
    entries[place].next = Int32(truncatingIfNeeded: around)
    return place
  }

  private mutating func end(_ place: Int, _ end: Int) -> Int {
    let around = Int(entries[place].next)
    entries[place].next = Int32(truncatingIfNeeded: entries.count)
    entries[place].range = ByteRange(entries[place].range.lowerBound..<end)
    return around
  }

  @inline(__always)
  private mutating func append(_ kind: Kind, _ range: ByteRange) {
    // A document is shorter than 2³¹ bytes, and every entry has at least one.
    entries.append(Entry(kind: kind, range: range, next: Int32(truncatingIfNeeded: entries.count + 1)))
  }

  /// Half of a surrogate pair is no text.
  @inline(__always)
  private func checked(_ text: JSONString) throws(JSONScanError) -> ByteRange {
    if text.hasEscapes { try checkEscapes(text.content) }
    return text.content
  }

  private func checkEscapes(_ content: ByteRange) throws(JSONScanError) {
    var reader = EscapeReader(bytes.view, content.range)
    while let unit = reader.next() {
      if case .loneSurrogate = unit { throw JSONScanError(offset: content.lowerBound, reason: .badEscape) }
    }
  }
}

// MARK: - Asking

extension JSONTape {
  /// The member's value; of duplicates the last counts. Nothing for what is no object.
  ///
  /// - Parameter name: ASCII.
  package subscript(_ place: Place?, _ name: StaticString) -> Place? {
    guard let place, entries[place.index].kind == .object else { return nil }
    let end = Int(entries[place.index].next)
    var index = place.index + 1
    var found: Place?
    while index < end {
      if isNamed(index, name) { found = Place(index: index + 1) }
      index = Int(entries[index + 1].next)
    }
    return found
  }

  /// The member, unless it is absent or `null`.
  package func given(_ place: Place?, _ name: StaticString) -> Place? {
    guard let value = self[place, name], !isNull(value) else { return nil }
    return value
  }

  /// Decodes a text; nothing for what is none.
  package func string(_ place: Place?) -> String? {
    guard let place else { return nil }
    let entry = entries[place.index]
    return entry.kind == .string || entry.kind == .escapedString ? text(entry) : nil
  }

  /// Decodes a text that is not empty.
  package func text(_ place: Place?) -> String? {
    guard let place, !entries[place.index].range.isEmpty else { return nil }
    return string(place)
  }

  /// Whether the value is this text, which is ASCII.
  package func equals(_ place: Place?, _ text: StaticString) -> Bool {
    guard let place else { return false }
    let entry = entries[place.index]
    switch entry.kind {
    case .string: return bytes[entry.range.range].equals(text)
    case .escapedString: return JSONString(content: entry.range, hasEscapes: true).equals(text, bytes.view)
    default: return false
    }
  }

  /// A whole number that fits, however it is written.
  package func int(_ place: Place?) -> Int? {
    guard let place, entries[place.index].kind == .number else { return nil }
    return JSONNumber.int(entries[place.index].range, bytes.view) ?? value(place).int
  }

  package func isNull(_ place: Place) -> Bool {
    let entry = entries[place.index]
    return entry.kind == .word && bytes[entry.range.lowerBound] == UInt8(ascii: "n")
  }

  package func isObject(_ place: Place?) -> Bool { place.map { entries[$0.index].kind == .object } ?? false }
  package func isArray(_ place: Place?) -> Bool { place.map { entries[$0.index].kind == .array } ?? false }

  /// Of a list, in order; nothing for what is none.
  package func firstItem(_ place: Place?) -> Place? {
    guard let place, entries[place.index].kind == .array, Int(entries[place.index].next) > place.index + 1 else {
      return nil
    }
    return Place(index: place.index + 1)
  }

  package func item(after item: Place, of list: Place?) -> Place? {
    guard let list, entries[item.index].next < entries[list.index].next else { return nil }
    return Place(index: Int(entries[item.index].next))
  }

  /// The value itself, for what is seldom and rich.
  package func value(_ place: Place) -> JSONValue {
    let entry = entries[place.index]
    switch entry.kind {
    case .object: return .object(members(place))
    case .array: return .array(items(place))
    case .name, .escapedName, .string, .escapedString: return .string(text(entry))
    case .number: return number(entry.range)
    case .word: return isNull(place) ? .null : .bool(bytes[entry.range.lowerBound] == UInt8(ascii: "t"))
    }
  }

  private func members(_ place: Place) -> [JSONMember] {
    var members: [JSONMember] = []
    var index = place.index + 1
    while index < Int(entries[place.index].next) {
      members.append(JSONMember(name: text(entries[index]), value: value(Place(index: index + 1))))
      index = Int(entries[index + 1].next)
    }
    return members
  }

  private func items(_ place: Place) -> [JSONValue] {
    var items: [JSONValue] = []
    var next = firstItem(place)
    while let item = next {
      items.append(value(item))
      next = self.item(after: item, of: place)
    }
    return items
  }

  private func number(_ range: ByteRange) -> JSONValue {
    let literal = bytes[range.range]
    var isInteger = true
    for index in 0..<literal.count where literal[index] == UInt8(ascii: ".") || literal[index] | 0x20 == 0x65 {
      isInteger = false
    }
    return JSONNumber.value(literal.string(), isInteger: isInteger)
  }

  private func text(_ entry: Entry) -> String {
    let isEscaped = entry.kind == .escapedString || entry.kind == .escapedName
    return isEscaped ? decoded(entry.range) : bytes[entry.range.range].string()
  }

  @inline(__always)
  private func isNamed(_ index: Int, _ name: StaticString) -> Bool {
    let entry = entries[index]
    guard entry.kind == .name else {
      return JSONString(content: entry.range, hasEscapes: true).equals(name, bytes.view)
    }
    return Int(entry.range.count) == name.utf8CodeUnitCount && bytes[entry.range.range].equals(name)
  }

  /// Nearly always short, so the text is made in place: short texts need no memory of their own.
  private func decoded(_ content: ByteRange) -> String {
    var reader = EscapeReader(bytes.view, content.range)
    return unsafe String(unsafeUninitializedCapacity: Int(content.count)) { room in
      var count = 0
      while let unit = reader.next() {
        switch unit {
        case .byte(let byte):
          unsafe room[count] = byte
          count += 1
        case .scalar(let scalar):
          // An escape is longer than what it stands for.
          for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
            unsafe room[count] = byte
            count += 1
          }
        case .loneSurrogate: break
        }
      }
      return count
    }
  }
}
