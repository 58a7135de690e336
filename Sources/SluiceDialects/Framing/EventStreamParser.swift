/// One message of AWS's binary event stream. Its memory belongs to the parser or to the piece being read: valid only
/// inside the callback.
package struct EventStreamMessage {
  package enum Kind: UInt8, Hashable, Sendable {
    case event
    /// Ends the stream; the payload tells why.
    case exception
    /// Ends the stream; the headers tell why.
    case error
  }

  package var kind: Kind
  /// `:event-type`, `:exception-type` or `:error-code`; empty when the message has none.
  package var name: ByteSlice
  /// `:error-message`.
  package var reason: ByteSlice
  package var payload: ByteSlice
}

/// Reads AWS's binary event stream over any division into pieces; `AWSEventStream` writes it. Both checksums are
/// verified before anything is handed out.
///
/// States: between messages (`open` is empty) → inside of one (`open` holds its beginning) → between messages. An error
/// ends it for good.
/// Invariants: what is held is at most one message of at most `maxMessageBytes`; a length is believed only after its
/// checksum.
package struct EventStreamParser: Sendable {
  package enum Problem: String, Error, Hashable, Sendable {
    case damaged = "event_damaged"
    case tooLarge = "event_too_large"
    case malformed = "event_malformed"
  }

  package static let maxHeaderBytes = 128 << 10
  /// Far above what models send in one event; the protocol would allow 24 MiB.
  package static let defaultMaxMessageBytes = 4 << 20

  /// Two lengths and their checksum.
  private static let preludeBytes = 12
  private static let trailerBytes = 4

  private let maxMessageBytes: Int
  private var open: [UInt8] = []
  private var failure: Problem?

  package init(maxMessageBytes: Int = EventStreamParser.defaultMaxMessageBytes) {
    self.maxMessageBytes = maxMessageBytes
  }

  /// Nothing of a message is pending: another one could be inserted into the stream here.
  package var isAtMessageBoundary: Bool { open.isEmpty && failure == nil }

  /// Bytes of the message that is open.
  package var unfinishedBytes: Int { open.count }

  package mutating func consume(_ bytes: ByteSlice, onMessage: (EventStreamMessage) -> Void) throws(Problem) {
    if let failure { throw failure }
    do throws(Problem) { try read(bytes, onMessage) } catch {
      failure = error
      open = []
      throw error
    }
  }

  private mutating func read(_ bytes: ByteSlice, _ onMessage: (EventStreamMessage) -> Void) throws(Problem) {
    var position = open.isEmpty ? 0 : try complete(bytes, onMessage)
    guard open.isEmpty else { return }
    while position < bytes.count {
      let rest = bytes.suffix(from: position)
      guard let length = try length(rest), length <= rest.count else { return rest.append(to: &open) }
      onMessage(try Self.message(rest[0..<length]))
      position += length
    }
  }

  /// Continues the message that is open. Returns how much of the piece belonged to it.
  private mutating func complete(
    _ bytes: ByteSlice, _ onMessage: (EventStreamMessage) -> Void
  ) throws(Problem) -> Int {
    var position = take(bytes, 0, upTo: Self.preludeBytes)
    guard open.count >= Self.preludeBytes else { return position }
    let prelude = open.withSlice { slice in Result { () throws(Problem) in try length(slice) } }
    guard let length = try prelude.get() else { return position }
    position = take(bytes, position, upTo: length)
    guard open.count == length else { return position }
    let outcome = open.withSlice { slice -> Result<Void, Problem> in
      Result { () throws(Problem) in onMessage(try Self.message(slice)) }
    }
    open.removeAll(keepingCapacity: true)
    try outcome.get()
    return position
  }

  private mutating func take(_ bytes: ByteSlice, _ position: Int, upTo length: Int) -> Int {
    let end = min(bytes.count, position + max(0, length - open.count))
    bytes[position..<end].append(to: &open)
    return end
  }

  /// The whole message's length; nothing while its prelude is incomplete.
  private func length(_ bytes: ByteSlice) throws(Problem) -> Int? {
    guard bytes.count >= Self.preludeBytes else { return nil }
    let total = Self.number(bytes, 0)
    let headers = Self.number(bytes, 4)
    guard CRC32.checksum(bytes[0..<8]) == UInt32(truncatingIfNeeded: Self.number(bytes, 8)) else { throw .damaged }
    guard total >= headers + Self.preludeBytes + Self.trailerBytes else { throw .malformed }
    guard total <= maxMessageBytes, headers <= Self.maxHeaderBytes else { throw .tooLarge }
    return total
  }

  /// Four bytes, big-endian.
  private static func number(_ bytes: ByteSlice, _ start: Int) -> Int {
    (start..<start + 4).reduce(0) { $0 << 8 | Int(bytes[$1]) }
  }
}

extension EventStreamParser {
  /// - Parameter bytes: a whole message whose lengths are known to be consistent.
  private static func message(_ bytes: ByteSlice) throws(Problem) -> EventStreamMessage {
    let end = bytes.count - trailerBytes
    guard CRC32.checksum(bytes[0..<end]) == UInt32(truncatingIfNeeded: number(bytes, end)) else { throw .damaged }
    let headersEnd = preludeBytes + number(bytes, 4)
    var message = EventStreamMessage(
      kind: .event, name: .empty, reason: .empty, payload: bytes[headersEnd..<end])
    try readHeaders(bytes[preludeBytes..<headersEnd]) { name, value in
      if name.equals(":message-type") {
        message.kind = value.equals("exception") ? .exception : value.equals("error") ? .error : .event
      } else if name.equals(":event-type") || name.equals(":exception-type") || name.equals(":error-code") {
        message.name = value
      } else if name.equals(":error-message") {
        message.reason = value
      }
    }
    return message
  }

  /// Hands out the headers that are texts; the others are skipped by their lengths.
  private static func readHeaders(
    _ bytes: ByteSlice, _ onText: (ByteSlice, ByteSlice) -> Void
  ) throws(Problem) {
    var position = 0
    while position < bytes.count {
      let nameEnd = position + 1 + Int(bytes[position])
      guard nameEnd < bytes.count else { throw .malformed }
      let name = bytes[position + 1..<nameEnd]
      var start = nameEnd + 1
      let length: Int
      switch bytes[nameEnd] {
      case 0, 1: length = 0
      case 2: length = 1
      case 3: length = 2
      case 4: length = 4
      case 5, 8: length = 8
      case 9: length = 16
      case 6, 7:
        guard start + 2 <= bytes.count else { throw .malformed }
        length = Int(bytes[start]) << 8 | Int(bytes[start + 1])
        start += 2
      default: throw .malformed
      }
      guard start + length <= bytes.count else { throw .malformed }
      if bytes[nameEnd] == 7 { onText(name, bytes[start..<start + length]) }
      position = start + length
    }
  }
}
