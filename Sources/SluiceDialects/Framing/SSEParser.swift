/// Reads `text/event-stream` (WHATWG HTML §9.2) over any division into pieces.
///
/// An event that lies wholly inside one piece with a single `data:` line is handed as a slice of the piece; only what
/// crosses pieces or joins several lines is copied, into buffers that are kept for the next event.
///
/// States: start (a byte order mark may follow) → lines; between pieces a line may be open (`openLine`), and an event
/// may have collected fields (`data`, `name`, `id`). A carriage return that ended the last piece swallows a line feed
/// at the beginning of the next one. After an error nothing more is read.
/// Invariants: the raw bytes of one event are at most `maxEventBytes`, counted the same however they are divided;
/// at an event boundary all buffers are empty.
package struct SSEParser: Sendable {
  package static let defaultMaxEventBytes = 1 << 20

  private let maxEventBytes: Int
  private var openLine: [UInt8] = []
  private var data: [UInt8] = []
  private var name: [UInt8] = []
  private var id: [UInt8] = []
  private var has = Fields()
  private var eventBytes = 0
  private var markBytes = 0
  private var skipsLineFeed = false
  private var failure: SSEError?

  private struct Fields: OptionSet {
    let rawValue: UInt8
    static let data = Fields(rawValue: 1)
    static let name = Fields(rawValue: 2)
    static let id = Fields(rawValue: 4)
    static let other = Fields(rawValue: 8)
  }

  package init(maxEventBytes: Int = SSEParser.defaultMaxEventBytes) { self.maxEventBytes = maxEventBytes }

  /// Nothing of an event is pending: another event could be inserted into the stream here.
  package var isAtEventBoundary: Bool { has.isEmpty && openLine.isEmpty && (markBytes == 0 || markBytes == 3) }

  /// Reads the next piece and hands out the events that it completes.
  package mutating func consume(
    _ bytes: UnsafeRawBufferPointer, onEvent: (SSEEvent) -> Void
  ) throws(SSEError) {
    if let failure { throw failure }
    let view = unsafe ByteView(bytes)
    var position = skippedStart(view)
    var lineEnds = LineEnds()
    var slices = Slices()
    while position < view.count {
      guard let lineEnd = lineEnds.next(in: view, from: position) else { break }
      try count(lineEnd - position + 1)
      let next = behindLineEnd(view, lineEnd)
      if openLine.isEmpty {
        unsafe line(view.bytes(position..<lineEnd), at: position, view, &slices, next, onEvent)
      } else {
        unsafe openLine.append(contentsOf: view.bytes(position..<lineEnd))
        keep(&slices, view)
        unsafe endOpenLine(next, onEvent)
      }
      position = next
    }
    keep(&slices, view)
    try count(view.count - position)
    unsafe openLine.append(contentsOf: view.bytes(position..<view.count))
  }

  /// The stream ended. Hands out an event whose last line or empty line is missing, which the standard would drop but
  /// some servers send; whoever cares looks at `isAtEventBoundary` first.
  package mutating func finish(onEvent: (SSEEvent) -> Void) {
    guard failure == nil else { return }
    if !openLine.isEmpty { unsafe endOpenLine(0, onEvent) }
    unsafe dispatchKept(0, onEvent)
  }
}

extension SSEParser {
  /// Where the current event's fields lie while they are all inside this piece.
  private struct Slices {
    var data: Range<Int>?
    var name: Range<Int>?
    var id: Range<Int>?
  }

  /// Skips a byte order mark at the very start, and the LF of a CRLF that two pieces divide.
  private mutating func skippedStart(_ view: ByteView) -> Int {
    var position = 0
    if skipsLineFeed, view.count > 0 {
      skipsLineFeed = false
      if view[0] == Ascii.lineFeed { position = 1 }
    }
    let mark: (UInt8, UInt8, UInt8) = (0xEF, 0xBB, 0xBF)
    while markBytes < 3, position < view.count {
      let expected = markBytes == 0 ? mark.0 : markBytes == 1 ? mark.1 : mark.2
      guard view[position] == expected else {
        // Not a mark after all: what looked like one begins the first line.
        if markBytes > 0 { openLine.append(mark.0) }
        if markBytes > 1 { openLine.append(mark.1) }
        markBytes = 3
        break
      }
      markBytes += 1
      position += 1
    }
    return position
  }

  private mutating func behindLineEnd(_ view: ByteView, _ lineEnd: Int) -> Int {
    guard view[lineEnd] == Ascii.carriageReturn else { return lineEnd + 1 }
    guard lineEnd + 1 < view.count else {
      skipsLineFeed = true
      return lineEnd + 1
    }
    return view[lineEnd + 1] == Ascii.lineFeed ? lineEnd + 2 : lineEnd + 1
  }

  private mutating func count(_ bytes: Int) throws(SSEError) {
    eventBytes += bytes
    guard eventBytes <= maxEventBytes else {
      failure = .eventTooLarge
      openLine = []
      data = []
      throw .eventTooLarge
    }
  }

  private mutating func endOpenLine(_ end: Int, _ onEvent: (SSEEvent) -> Void) {
    // The buffer leaves the parser while its line is read, and comes back empty with its capacity.
    var buffer: [UInt8] = []
    swap(&buffer, &openLine)
    var slices = Slices()
    unsafe buffer.withUnsafeBytes { whole in
      let view = unsafe ByteView(whole)
      unsafe line(whole, at: 0, view, &slices, end, onEvent)
      keep(&slices, view)
    }
    buffer.removeAll(keepingCapacity: true)
    swap(&buffer, &openLine)
  }
}

extension SSEParser {
  /// One complete line; `start` is its offset in `view`, `next` the offset behind it in the piece.
  @inline(__always)
  private mutating func line(
    _ line: UnsafeRawBufferPointer, at start: Int, _ view: ByteView, _ slices: inout Slices, _ next: Int,
    _ onEvent: (SSEEvent) -> Void
  ) {
    let text = unsafe ByteView(line)
    guard text.count > 0 else { return unsafe dispatch(view, &slices, next, onEvent) }
    guard text[0] != Ascii.colon else {
      // Comments belong to no event; between events they are not counted against the next one.
      if has.isEmpty { eventBytes = 0 }
      return
    }
    let colon = text.firstIndex(of: Ascii.colon, from: 0, to: min(text.count, 6)) ?? text.count
    var value = min(colon + 1, text.count)
    if value < text.count, text[value] == Ascii.space { value += 1 }
    let place = start + value..<start + text.count
    if text.equals(0..<colon, "data") {
      appendData(place, view, &slices)
    } else if text.equals(0..<colon, "event") {
      slices.name = place
      has.insert(.name)
      name.removeAll(keepingCapacity: true)
    } else if text.equals(0..<colon, "id") {
      slices.id = place
      has.insert(.id)
      id.removeAll(keepingCapacity: true)
    } else {
      has.insert(.other)
    }
  }

  /// The first data line stays a slice; a second one makes the data owned.
  private mutating func appendData(_ place: Range<Int>, _ view: ByteView, _ slices: inout Slices) {
    guard has.contains(.data) else {
      has.insert(.data)
      return slices.data = place
    }
    if let first = slices.data {
      unsafe data.append(contentsOf: view.bytes(first))
      slices.data = nil
    }
    data.append(Ascii.lineFeed)
    unsafe data.append(contentsOf: view.bytes(place))
  }

  /// The empty line: hands the event out, or drops one without data, as the standard says.
  @inline(__always)
  private mutating func dispatch(
    _ view: ByteView, _ slices: inout Slices, _ next: Int, _ onEvent: (SSEEvent) -> Void
  ) {
    eventBytes = 0
    guard has.contains(.data) else {
      if !has.isEmpty { reset() }
      return slices = Slices()
    }
    if data.isEmpty, name.isEmpty, id.isEmpty, let range = slices.data {
      unsafe onEvent(
        SSEEvent(
          name: slices.name.flatMap { $0.isEmpty ? nil : unsafe view.bytes($0) }, data: view.bytes(range),
          id: slices.id.flatMap { $0.isEmpty ? nil : unsafe view.bytes($0) }, end: next))
      reset()
    } else {
      keep(&slices, view)
      unsafe dispatchKept(next, onEvent)
    }
    slices = Slices()
  }

  private mutating func dispatchKept(_ next: Int, _ onEvent: (SSEEvent) -> Void) {
    guard has.contains(.data) else { return reset() }
    unsafe data.withUnsafeBytes { data in
      unsafe name.withUnsafeBytes { name in
        unsafe id.withUnsafeBytes { id in
          unsafe onEvent(
            SSEEvent(
              name: name.isEmpty ? nil : name, data: data, id: id.isEmpty ? nil : id, end: next))
        }
      }
    }
    reset()
  }

  private mutating func reset() {
    has = []
    eventBytes = 0
    data.removeAll(keepingCapacity: true)
    name.removeAll(keepingCapacity: true)
    id.removeAll(keepingCapacity: true)
  }

  /// Copies what an unfinished event has in this piece, because the piece goes away.
  private mutating func keep(_ slices: inout Slices, _ view: ByteView) {
    if let range = slices.data { unsafe data.append(contentsOf: view.bytes(range)) }
    if let range = slices.name { unsafe name.append(contentsOf: view.bytes(range)) }
    if let range = slices.id { unsafe id.append(contentsOf: view.bytes(range)) }
    slices = Slices()
  }
}

/// Finds the CR and LF of one piece. What was found of either is kept until it is behind, so that a piece is looked
/// through once for each, however many there are; nearly all streams have LF alone.
private struct LineEnds {
  private var lineFeed = -1
  private var carriageReturn = -1

  @inline(__always)
  mutating func next(in view: ByteView, from: Int) -> Int? {
    if lineFeed < from { lineFeed = view.firstIndex(of: Ascii.lineFeed, from: from, to: view.count) ?? view.count }
    if carriageReturn < from {
      carriageReturn = view.firstIndex(of: Ascii.carriageReturn, from: from, to: view.count) ?? view.count
    }
    let end = min(lineFeed, carriageReturn)
    return end < view.count ? end : nil
  }
}
