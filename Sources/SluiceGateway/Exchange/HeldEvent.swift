package import NIOCore
package import SluiceDialects

/// Keeps back the unfinished end of an event stream, so that what the client has is always whole events: whenever the
/// upstream breaks, an error event can follow cleanly.
///
/// States: whole (nothing held) → holding (an event is incomplete) → whole; holding → torn (it outgrew the bound and
/// was let go) → whole (at the next boundary). Only in torn a break cannot be announced in the stream.
package struct HeldEvent {
  private let framing: StreamFraming
  private var held = ByteBuffer()
  package private(set) var isTorn = false
  /// What has to stand between what was let go and an event of the gateway's own.
  package private(set) var continuation: StaticString

  package init(_ framing: StreamFraming = .serverSentEvents, continuation: StaticString = "") {
    self.framing = framing
    self.continuation = continuation
  }

  package var isEmpty: Bool { held.readableBytes == 0 }

  /// Takes a piece that ends inside an event; returns what is whole.
  ///
  /// - Parameter unfinished: how many bytes are behind the last whole event, for framings whose text does not show it.
  package mutating func take(_ piece: UnsafeRawBufferPointer, limit: Int, unfinished: Int? = nil) -> ByteBuffer? {
    let before = held.readableBytes
    held.writeBytes(piece)
    // A blank line may have begun in what was held already.
    let end = held.withUnsafeReadableBytes { lastEnd($0, from: before, unfinished) }
    if let end {
      isTorn = false
      continuation = framing.separator
      let whole = held.readSlice(length: end)
      // What stays must not keep the whole read alive.
      held = ByteBuffer(bytes: held.readableBytesView)
      return whole
    }
    guard held.readableBytes > limit || isTorn else { return nil }
    isTorn = true
    return takeAll()
  }

  private func lastEnd(_ bytes: UnsafeRawBufferPointer, from before: Int, _ unfinished: Int?) -> Int? {
    switch framing {
    case .serverSentEvents: Self.lastEventEnd(bytes, from: max(0, before - 3))
    case .lines: bytes.lastIndex(of: 0x0A).map { $0 + 1 }
    case .awsEventStream, .jsonArray:
      // What went at an earlier boundary, such as the comma behind an element, counts as unfinished but is not here.
      unfinished.flatMap { $0 < bytes.count ? bytes.count - $0 : nil }
    }
  }

  /// The stream has come to a boundary: all of it may go.
  package mutating func takeAll() -> ByteBuffer? {
    guard !isEmpty else { return nil }
    let all = held
    held = ByteBuffer()
    return all
  }

  /// - Parameter continuation: as the stream's reader knows it at this place.
  package mutating func boundaryReached(_ continuation: StaticString) {
    isTorn = false
    self.continuation = continuation
  }

  /// Behind the last blank line that ends at or after `from`. Lines end with LF, CRLF or CR.
  package static func lastEventEnd(_ bytes: UnsafeRawBufferPointer, from: Int) -> Int? {
    var index = bytes.count - 1
    while index > from {
      if endsBlankLine(bytes, at: index) { return index + 1 }
      index -= 1
    }
    return nil
  }

  /// Whether the line end at `index` closes an empty line.
  private static func endsBlankLine(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Bool {
    let (lineFeed, carriageReturn): (UInt8, UInt8) = (0x0A, 0x0D)
    switch bytes[index] {
    case lineFeed:
      if bytes[index - 1] == lineFeed { return true }
      return bytes[index - 1] == carriageReturn && index >= 2
        && (bytes[index - 2] == lineFeed || bytes[index - 2] == carriageReturn)
    case carriageReturn: return bytes[index - 1] == carriageReturn
    default: return false
    }
  }
}
