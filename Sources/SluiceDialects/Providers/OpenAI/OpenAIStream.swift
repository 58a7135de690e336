extension OpenAI {
  private enum Paths {
    static let type = JSONPath(.type)
    static let code = JSONPath(.code)
    static let message = JSONPath(.message)
    static let param = JSONPath(.param)
  }

  /// One event of a chat or completions stream: unnamed chunks, an error frame, `[DONE]`.
  static func readChunk(_ data: ByteSlice, into state: inout StreamState) {
    // The SDK takes any data that begins with the mark.
    if data.hasPrefix("[DONE]") {
      state.sawEndMark = true
    } else if !state.reader.sawOutput || mayMatter(data) {
      read(data, .chat, into: &state.reader)
    } else {
      state.reader.sawOutput = true
    }
  }

  package static func readEvent(
    name: ByteSlice?, data: ByteSlice, _ operation: Operation, into state: inout StreamState
  ) {
    switch operation {
    case .responses, .readResponse: readResponseEvent(name: name, data: data, into: &state)
    default: readChunk(data, into: &state)
    }
  }

  /// A chat stream is good when its end mark came after a finish reason and no error frame: `[DONE]` alone is not.
  package static func isWhole(_ state: StreamState, _ operation: Operation) -> Bool {
    guard operation != .responses, operation != .readResponse else { return state.sawEndMark }
    return state.sawEndMark && state.reader.finish != nil
  }

  /// Once output was seen, a chunk matters only for a finish reason, a refusal, usage or an error. Their names with
  /// both quotes cannot stand inside the model's own text, where quotes are escaped; `null` values are skipped. Most
  /// chunks of a stream are settled by this one pass, eight bytes per step, without being parsed.
  private static func mayMatter(_ data: ByteSlice) -> Bool {
    let view = data.view
    var base = 0
    while base &+ 8 <= view.count {
      var quotes = quoteMask(view.word(at: base))
      while quotes != 0 {
        if matters(view, quote: base &+ Swar.firstByte(quotes)) { return true }
        quotes &= quotes &- 1
      }
      base &+= 8
    }
    // What is left is shorter than any of the names with its value.
    return false
  }

  /// The high bit of every byte that is a quote; exact for all eight.
  @inline(__always)
  private static func quoteMask(_ word: UInt64) -> UInt64 {
    let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    let rest = word ^ (0x22 &* Swar.ones)
    return ~(((rest & low) &+ low) | rest | low)
  }

  /// One of the names begins behind this quote, and its value is not null.
  @inline(__always)
  private static func matters(_ view: ByteView, quote: Int) -> Bool {
    guard quote &+ 8 <= view.count else { return false }
    switch view[quote &+ 1] {
    case 0x66: return isSet("finish_reason\"", view, quote &+ 1)
    case 0x75: return isSet("usage\"", view, quote &+ 1)
    case 0x72: return isSet("refusal\"", view, quote &+ 1)
    case 0x65: return isSet("error\"", view, quote &+ 1)
    default: return false
    }
  }

  private static func isSet(_ name: StaticString, _ view: ByteView, _ start: Int) -> Bool {
    let end = start + name.utf8CodeUnitCount
    guard end <= view.count else { return false }
    let data = unsafe ByteSlice(view.bytes(start..<min(view.count, end + 6)))
    return data.hasPrefix(name) && !isNullMember(data, after: name.utf8CodeUnitCount)
  }

  private static func isNullMember(_ data: ByteSlice, after end: Int) -> Bool {
    data[end..<end + 5].equals(":null") || data[end..<end + 6].equals(": null")
  }

  /// One event of a Responses stream. Deltas are told by their name alone; the last event holds the whole response.
  static func readResponseEvent(name: ByteSlice?, data: ByteSlice, into state: inout StreamState) {
    guard let name else { return readUnnamedResponseEvent(data, into: &state) }
    if name.hasSuffix(".delta") {
      state.reader.sawOutput = true
      if name.hasPrefix("response.refusal") { state.reader.safety = .refusal }
    } else if name.equals("response.completed") || name.equals("response.incomplete") {
      readResponseEvent(data, into: &state.reader)
      state.sawEndMark = true
    } else if name.equals("response.failed") {
      readResponseEvent(data, into: &state.reader)
      state.reader.saysFailed = true
      state.sawEndMark = true
    } else if name.equals("error") {
      readErrorEvent(data, into: &state)
    }
  }

  /// Some compatible servers leave the name out; the data repeats it as `type`.
  private static func readUnnamedResponseEvent(_ data: ByteSlice, into state: inout StreamState) {
    var type: String?
    JSONFieldWalker.walk(data) { path, value in
      if path == Paths.type { type = value.text(limit: 64) }
    }
    guard let type else { return }
    Array(type.utf8).withSlice { readResponseEvent(name: $0, data: data, into: &state) }
  }

  private static func readErrorEvent(_ data: ByteSlice, into state: inout StreamState) {
    var error = ProviderErrorBody()
    JSONFieldWalker.walk(data) { path, value in
      let text = value.text(limit: ProviderErrorBody.textLimit)
      switch path {
      case Paths.code: error.code = text
      case Paths.message: error.message = text
      case Paths.param: error.param = text
      default: error.note(path, value)
      }
    }
    state.reader.error = error
  }
}
