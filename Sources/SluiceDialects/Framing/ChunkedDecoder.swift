/// One step of a chunked body.
package enum ChunkEvent: Hashable, Sendable {
  /// Payload inside the bytes given; more may follow in the same bytes.
  case payload(ByteRange)
  /// All bytes were used up.
  case needMore
  /// The body is complete, trailers included; what follows belongs to the next message.
  case end
  case invalid(HTTPParseError)
}

/// Takes the payload out of `Transfer-Encoding: chunked` (RFC 9112 §7.1), over any division into pieces, without
/// copying and without keeping bytes.
///
/// States: size → (extension →) size's LF → payload → its CR → its LF → size …; after the chunk of size zero:
/// trailer lines (start → name → value → LF) → the last CR → the last LF → done. Any refused byte: failed, for good.
/// Invariants: sizes have a bounded number of digits and fit an `Int`; extensions and trailers are bounded over the
/// whole body and dropped; bare CR and LF, whitespace around sizes and `0x` are refused, since two readers could
/// disagree about them; a trailer that would change framing or routing is refused.
package struct ChunkedDecoder: Sendable {
  private enum State: UInt8 {
    case sizeStart, size, extensionStart, extensionName, extensionValueStart, extensionValue
    case extensionQuoted, extensionEscape, extensionQuotedEnd, sizeLineFeed
    case payload, payloadReturn, payloadLineFeed
    case trailerStart, trailerName, trailerValue, trailerLineFeed, lastLineFeed, done, failed
  }

  private var state = State.sizeStart
  private var digits = 0
  private var remaining = 0
  private var extensionBytes = 0
  private var trailerBytes = 0
  private var trailerName = ForbiddenTrailer()
  private var failure = HTTPParseError.chunkSize
  private let limits: HTTPLimits

  package init(limits: HTTPLimits = .standard) { self.limits = limits }

  /// Between two chunks, before the first or after the last: bytes up to here may be forwarded as they are.
  package var isAtBoundary: Bool { state == .sizeStart || state == .done }
  package var isDone: Bool { state == .done }

  /// Continues at `from` in `bytes`, which is moved behind what was used. Call until `.needMore`, `.end` or `.invalid`;
  /// `.needMore` means that `from` is the end of `bytes`.
  package mutating func next(_ bytes: UnsafeRawBufferPointer, from: inout Int) -> ChunkEvent {
    let view = unsafe ByteView(bytes)
    while from < view.count {
      if state == .payload { return takePayload(view, &from) }
      if state == .done { return .end }
      if state == .failed { return .invalid(failure) }
      do throws(HTTPParseError) {
        try step(view[from])
      } catch {
        state = .failed
        failure = error
        return .invalid(error)
      }
      from += 1
    }
    switch state {
    case .done: return .end
    case .failed: return .invalid(failure)
    default: return .needMore
    }
  }

  private mutating func takePayload(_ view: ByteView, _ from: inout Int) -> ChunkEvent {
    let count = min(remaining, view.count - from)
    let range = ByteRange(start: from, count: count)
    remaining -= count
    from += count
    if remaining == 0 { state = .payloadReturn }
    return .payload(range)
  }

  private mutating func step(_ byte: UInt8) throws(HTTPParseError) {
    switch state {
    case .sizeStart, .size: try sizeByte(byte)
    case .sizeLineFeed:
      guard byte == Ascii.lineFeed else { throw .chunkSize }
      state = remaining == 0 ? .trailerStart : .payload
    case .payloadReturn:
      guard byte == Ascii.carriageReturn else { throw .chunkEnd }
      state = .payloadLineFeed
    case .payloadLineFeed:
      guard byte == Ascii.lineFeed else { throw .chunkEnd }
      state = .sizeStart
    case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed: try trailerByte(byte)
    case .lastLineFeed:
      guard byte == Ascii.lineFeed else { throw .chunkEnd }
      state = .done
    case .payload, .done, .failed: break
    default: try extensionByte(byte)
    }
  }

  private mutating func sizeByte(_ byte: UInt8) throws(HTTPParseError) {
    if let value = Ascii.hexValue(byte) {
      if state == .sizeStart {
        remaining = 0
        digits = 0
        state = .size
      }
      digits += 1
      // A shift by four is only safe while the upper bits are clear; the sign bit has to stay clear too.
      guard digits <= limits.maxChunkSizeDigits, remaining >> 59 == 0 else { throw .chunkSizeTooLarge }
      remaining = remaining << 4 | Int(value)
    } else if state == .size, byte == Ascii.carriageReturn {
      state = .sizeLineFeed
    } else if state == .size, byte == Ascii.semicolon {
      try countExtension()
      state = .extensionStart
    } else {
      throw .chunkSize
    }
  }

  /// `;name`, `;name=token` or `;name="quoted"`, without whitespace.
  private mutating func extensionByte(_ byte: UInt8) throws(HTTPParseError) {
    try countExtension()
    switch state {
    case .extensionStart where Ascii.isToken(byte): state = .extensionName
    case .extensionName where Ascii.isToken(byte): break
    case .extensionName where byte == Ascii.equals: state = .extensionValueStart
    case .extensionValueStart where byte == Ascii.quote: state = .extensionQuoted
    case .extensionValueStart where Ascii.isToken(byte): state = .extensionValue
    case .extensionValue where Ascii.isToken(byte): break
    case .extensionQuoted where byte == Ascii.quote: state = .extensionQuotedEnd
    case .extensionQuoted where byte == Ascii.backslash: state = .extensionEscape
    case .extensionQuoted where Self.isQuotable(byte): break
    case .extensionEscape where Self.isQuotable(byte): state = .extensionQuoted
    case .extensionName where byte == Ascii.semicolon, .extensionValue where byte == Ascii.semicolon,
      .extensionQuotedEnd where byte == Ascii.semicolon:
      state = .extensionStart
    case .extensionName where byte == Ascii.carriageReturn, .extensionValue where byte == Ascii.carriageReturn,
      .extensionQuotedEnd where byte == Ascii.carriageReturn:
      state = .sizeLineFeed
    default: throw .chunkExtension
    }
  }

  private mutating func countExtension() throws(HTTPParseError) {
    extensionBytes += 1
    guard extensionBytes <= limits.maxChunkExtensionBytes else { throw .chunkExtensionTooLong }
  }

  private static func isQuotable(_ byte: UInt8) -> Bool { byte == Ascii.tab || byte >= 0x20 && byte != 0x7F }

  private mutating func trailerByte(_ byte: UInt8) throws(HTTPParseError) {
    trailerBytes += 1
    guard trailerBytes <= limits.maxTrailerBytes else { throw .trailerTooLarge }
    switch state {
    case .trailerStart where byte == Ascii.carriageReturn: state = .lastLineFeed
    case .trailerStart where Ascii.isToken(byte):
      trailerName = ForbiddenTrailer()
      trailerName.append(byte)
      state = .trailerName
    case .trailerName where Ascii.isToken(byte): trailerName.append(byte)
    case .trailerName where byte == Ascii.colon:
      guard !trailerName.isForbidden else { throw .forbiddenTrailer }
      state = .trailerValue
    case .trailerValue where byte == Ascii.carriageReturn: state = .trailerLineFeed
    case .trailerValue where Self.isQuotable(byte): break
    case .trailerLineFeed where byte == Ascii.lineFeed: state = .trailerStart
    default: throw .trailer
    }
  }
}

/// Recognises, byte by byte, the few fields that a trailer may not carry: those that frame or route a message
/// (RFC 9110 §6.5.1). Keeps which of them still match instead of the name itself.
private struct ForbiddenTrailer {
  private static let names: [StaticString] = [
    "content-length", "transfer-encoding", "host", "connection", "content-encoding", "authorization", "trailer",
  ]

  private var candidates: UInt8 = 0x7F
  private var count = 0

  mutating func append(_ byte: UInt8) {
    let folded = Ascii.lowercased(byte)
    for (index, name) in Self.names.enumerated() where candidates & 1 << UInt8(index) != 0 {
      let view = ByteView(name)
      if count >= view.count || view[count] != folded { candidates &= ~(1 << UInt8(index)) }
    }
    count += 1
  }

  var isForbidden: Bool {
    Self.names.enumerated().contains { candidates & 1 << UInt8($0.offset) != 0 && ByteView($0.element).count == count }
  }
}
