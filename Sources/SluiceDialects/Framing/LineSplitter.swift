/// Divides a stream into lines for newline-delimited JSON, over any division into pieces. Empty lines are skipped, a
/// CR before the LF is dropped. A line that lies wholly inside a piece is handed as a slice of it.
///
/// Invariant: at most `maxLineBytes` of an unfinished line are held.
package struct LineSplitter: Sendable {
  /// A line is longer than the bound.
  package struct LineTooLong: Error, Hashable, Sendable {}

  private let maxLineBytes: Int
  private var open: [UInt8] = []

  package init(maxLineBytes: Int = 1 << 20) { self.maxLineBytes = maxLineBytes }

  /// No unfinished line is held.
  package var isAtLineBoundary: Bool { open.isEmpty }

  package mutating func consume(
    _ bytes: UnsafeRawBufferPointer, onLine: (UnsafeRawBufferPointer) -> Void
  ) throws(LineTooLong) {
    let view = unsafe ByteView(bytes)
    var position = 0
    while let lineFeed = view.firstIndex(of: Ascii.lineFeed, from: position, to: view.count) {
      guard open.count + lineFeed - position <= maxLineBytes else { throw LineTooLong() }
      if open.isEmpty {
        unsafe Self.hand(view.bytes(position..<lineFeed), onLine)
      } else {
        unsafe open.append(contentsOf: view.bytes(position..<lineFeed))
        unsafe finish(onLine: onLine)
      }
      position = lineFeed + 1
    }
    guard open.count + view.count - position <= maxLineBytes else { throw LineTooLong() }
    unsafe open.append(contentsOf: view.bytes(position..<view.count))
  }

  /// The stream ended: hands out a last line without LF.
  package mutating func finish(onLine: (UnsafeRawBufferPointer) -> Void) {
    unsafe open.withUnsafeBytes { unsafe Self.hand($0, onLine) }
    open.removeAll(keepingCapacity: true)
  }

  private static func hand(_ line: UnsafeRawBufferPointer, _ onLine: (UnsafeRawBufferPointer) -> Void) {
    let end = unsafe line.last == Ascii.carriageReturn ? line.count - 1 : line.count
    if end > 0 { unsafe onLine(UnsafeRawBufferPointer(rebasing: line[..<end])) }
  }
}
