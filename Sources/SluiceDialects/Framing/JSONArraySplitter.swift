/// Divides a JSON array that is written piece by piece (Gemini's streams without `alt=sse`) into its elements, over any
/// division into pieces. Elements are objects or arrays; what is inside of them is not looked at beyond strings and
/// brackets. An element that lies wholly inside a piece is handed as a slice of it.
///
/// Places and successors: before → between (`[`) → inside (`{`) → after (the closing bracket) → between (`,`) | end (`]`);
/// between → end (an empty array).
/// Invariant: at most `maxElementBytes` of an unfinished element are held.
package struct JSONArraySplitter: Sendable {
  /// Not an array of objects, or an element longer than the bound.
  package struct Unreadable: Error, Hashable, Sendable {}

  private enum Place: UInt8, Sendable { case before, between, inside, after, end }

  private let maxElementBytes: Int
  private var place = Place.before
  private var depth = 0
  private var isInString = false
  private var isEscaped = false
  private var open: [UInt8] = []
  /// Bytes behind the last whole element, or from the beginning; of an array's white space there may be any number.
  package private(set) var unfinishedBytes = 0

  package init(maxElementBytes: Int = 1 << 20) { self.maxElementBytes = maxElementBytes }

  /// Nothing of an element is pending.
  package var isAtBoundary: Bool { place != .inside }

  /// What has to stand before a further element, at a boundary.
  package var continuation: StaticString {
    switch place {
    case .before: "["
    case .after: ","
    case .between, .inside, .end: ""
    }
  }

  package mutating func consume(
    _ bytes: UnsafeRawBufferPointer, onElement: (UnsafeRawBufferPointer) -> Void
  ) throws(Unreadable) {
    let view = unsafe ByteView(bytes)
    var start = 0
    unfinishedBytes = Counters.sum(unfinishedBytes, view.count)
    for position in 0..<view.count {
      let byte = view[position]
      guard place == .inside else {
        try step(byte)
        if place == .inside { start = position }
        continue
      }
      guard closes(byte) else { continue }
      place = .after
      unfinishedBytes = view.count - position - 1
      guard open.count + position + 1 - start <= maxElementBytes else { throw Unreadable() }
      if open.isEmpty {
        unsafe onElement(view.bytes(start..<position + 1))
      } else {
        unsafe open.append(contentsOf: view.bytes(start..<position + 1))
        unsafe open.withUnsafeBytes { unsafe onElement($0) }
        open.removeAll(keepingCapacity: true)
      }
    }
    guard place == .inside else { return }
    guard open.count + view.count - start <= maxElementBytes else { throw Unreadable() }
    unsafe open.append(contentsOf: view.bytes(start..<view.count))
  }

  /// A byte outside of elements.
  private mutating func step(_ byte: UInt8) throws(Unreadable) {
    switch (place, byte) {
    case (_, 0x20), (_, 0x09), (_, 0x0A), (_, 0x0D): break
    case (.before, 0x5B), (.after, 0x2C): place = .between
    case (.between, 0x7B), (.between, 0x5B):
      place = .inside
      depth = 1
    case (.between, 0x5D), (.after, 0x5D): place = .end
    default: throw Unreadable()
    }
  }

  /// A byte of an element; true for its last.
  private mutating func closes(_ byte: UInt8) -> Bool {
    if isInString {
      if isEscaped {
        isEscaped = false
      } else if byte == 0x5C {
        isEscaped = true
      } else if byte == 0x22 {
        isInString = false
      }
      return false
    }
    switch byte {
    case 0x22: isInString = true
    case 0x7B, 0x5B: depth += 1
    case 0x7D, 0x5D: depth -= 1
    default: break
    }
    return depth == 0
  }
}
