import SluiceDialects

/// What a connection's bytes were understood to be: whole messages, then how it went on.
struct WireReading: Equatable, CustomStringConvertible {
  struct Message: Equatable, CustomStringConvertible {
    /// `METHOD target` or the status.
    var start: String
    var body: [UInt8]
    var description: String { "\(start) [\(body.count)] \(String(decoding: body.prefix(40), as: UTF8.self))" }
  }

  var messages: [Message] = []
  /// The label of the error that stopped it.
  var error: String?
  /// Bytes of an unfinished message are left.
  var isUnfinished = false
  /// The last message said that no other follows.
  var isClosed = false

  var description: String { "\(messages) error=\(error ?? "-") unfinished=\(isUnfinished) closed=\(isClosed)" }
}

/// Reads messages with our parsers from pieces of any size, the way a connection handler does.
struct WireReader {
  private enum Stage {
    case head(HeadEndSearch)
    case fixed(Int)
    case chunked(ChunkedDecoder)
    case untilClose
    case stopped
  }

  private(set) var reading = WireReading()
  private var stage = Stage.head(HeadEndSearch())
  private var pending: [UInt8] = []
  private var start = ""
  private var body: [UInt8] = []
  private var keepAlive = true
  private let isResponse: Bool
  private let method: HTTPMethodToken

  init(isResponse: Bool = false, method: HTTPMethodToken = .get) {
    self.isResponse = isResponse
    self.method = method
  }

  static func read(
    _ bytes: [UInt8], pieces: Int = .max, isResponse: Bool = false, method: HTTPMethodToken = .get
  ) -> WireReading {
    var reader = WireReader(isResponse: isResponse, method: method)
    var rest = bytes[...]
    while !rest.isEmpty {
      reader.feed(Array(rest.prefix(pieces)))
      rest = rest.dropFirst(min(pieces, rest.count))
    }
    return reader.end()
  }

  mutating func feed(_ piece: [UInt8]) {
    pending += piece
    while step() {}
  }

  /// The connection ended.
  mutating func end() -> WireReading {
    switch stage {
    case .untilClose: finishMessage()
    case .head: reading.isUnfinished = !pending.isEmpty
    case .fixed, .chunked: reading.isUnfinished = true
    case .stopped: break
    }
    return reading
  }

  /// Makes progress; false when more bytes are needed or nothing more is read.
  private mutating func step() -> Bool {
    switch stage {
    case .head(var search):
      let progressed = readHead(&search)
      if !progressed, case .head = stage { stage = .head(search) }
      return progressed
    case .fixed(let count):
      let taken = min(count, pending.count)
      take(taken)
      stage = .fixed(count - taken)
      if count == taken { finishMessage() }
      return count == taken
    case .chunked(let decoder): return readChunks(decoder)
    case .untilClose:
      take(pending.count)
      return false
    case .stopped: return false
    }
  }

  private mutating func take(_ count: Int) {
    body += pending.prefix(count)
    pending.removeFirst(count)
  }

  private mutating func readHead(_ search: inout HeadEndSearch) -> Bool {
    isResponse ? readResponseHead(&search) : readRequestHead(&search)
  }

  private mutating func readRequestHead(_ search: inout HeadEndSearch) -> Bool {
    let parsed = pending.withUnsafeBytes { RequestHeadParser.parse($0, limits: .standard, search: &search) }
    switch parsed {
    case .incomplete: return false
    case .invalid(let error): return stop(error)
    case .complete(let head, let consumed):
      start = pending.withUnsafeBytes { "\(head.method.string(in: $0)) \(head.target.string(in: $0))" }
      keepAlive = head.keepAlive
      begin(head.bodyLength, consumed)
      return true
    }
  }

  private mutating func readResponseHead(_ search: inout HeadEndSearch) -> Bool {
    let parsed = pending.withUnsafeBytes {
      ResponseHeadParser.parse($0, requestMethod: method, limits: .standard, search: &search)
    }
    switch parsed {
    case .incomplete: return false
    case .invalid(let error): return stop(error)
    case .complete(let head, let consumed):
      start = "\(head.status)"
      if head.isInformational {
        pending.removeFirst(consumed)
        reading.messages.append(.init(start: start, body: []))
        stage = .head(HeadEndSearch())
        return true
      }
      // One response per request: what follows is not looked at.
      keepAlive = false
      begin(head.bodyLength, consumed)
      return true
    }
  }

  private mutating func begin(_ length: BodyLength, _ consumed: Int) {
    pending.removeFirst(consumed)
    body = []
    switch length {
    case .none: finishMessage()
    case .fixed(let count): stage = .fixed(count)
    case .chunked: stage = .chunked(ChunkedDecoder())
    case .untilClose: stage = .untilClose
    }
  }

  private mutating func readChunks(_ before: ChunkedDecoder) -> Bool {
    var decoder = before
    var used = 0
    var result: Bool?
    pending.withUnsafeBytes { bytes in
      while result == nil {
        switch decoder.next(bytes, from: &used) {
        case .payload(let range): body += range.slice(bytes)
        case .needMore: result = false
        case .end: result = true
        case .invalid(let error): result = stop(error)
        }
      }
    }
    pending.removeFirst(used)
    if case .chunked = stage {
      stage = .chunked(decoder)
      if result == true { finishMessage() }
    }
    return result ?? false
  }

  private mutating func finishMessage() {
    reading.messages.append(.init(start: start, body: body))
    reading.isClosed = !keepAlive
    stage = keepAlive ? .head(HeadEndSearch()) : .stopped
  }

  private mutating func stop(_ error: HTTPParseError) -> Bool {
    reading.error = error.label
    stage = .stopped
    return false
  }
}
