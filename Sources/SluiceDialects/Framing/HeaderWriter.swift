/// Why a head could not be written.
package enum HeaderWriteError: String, Error, Hashable, Sendable {
  /// The memory given is too small.
  case noRoom = "no_room"
  /// A name that is not a token, or a target with characters that would end the line or the word.
  case invalidName = "invalid_name"
  /// A value with CR, LF, NUL or another control byte: it could add fields or a second message.
  case invalidValue = "invalid_value"
}

/// Writes a head into memory that the caller provides, or into a new array.
///
/// The first refused or unfitting part makes the whole head fail: nothing is written after it, and `finish` throws.
/// So callers write straight through and look once, and an injection can never leave half a head behind.
///
/// `@safe`: every write is checked against `capacity`. The memory has to outlive the writer, which `init` makes its
/// caller state; the writer is not copyable, so it stays inside that scope.
@safe
package struct HeaderWriter: ~Copyable {
  private let memory: UnsafeMutableRawBufferPointer
  private let capacity: Int
  /// Bytes written so far.
  package private(set) var count = 0
  package private(set) var failure: HeaderWriteError?

  package init(_ memory: UnsafeMutableRawBufferPointer) {
    unsafe self.memory = memory
    capacity = memory.count
  }

  /// The bytes written. Throws what went wrong first.
  package consuming func finish() throws(HeaderWriteError) -> Int {
    if let failure { throw failure }
    return count
  }

  /// A head as an array; starts with room for `estimate` bytes and grows to at most 128 KiB.
  package static func bytes(
    estimate: Int = 512, _ write: (inout HeaderWriter) -> Void
  ) throws(HeaderWriteError) -> [UInt8] {
    var room = max(64, estimate)
    while true {
      do throws(HeaderWriteError) {
        return try attempt(room, write)
      } catch .noRoom where room < 131_072 {
        room *= 2
      }
    }
  }

  private static func attempt(
    _ room: Int, _ write: (inout HeaderWriter) -> Void
  ) throws(HeaderWriteError) -> [UInt8] {
    var failure: HeaderWriteError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      var writer = unsafe HeaderWriter(UnsafeMutableRawBufferPointer(buffer))
      write(&writer)
      failure = writer.failure
      count = failure == nil ? writer.count : 0
    }
    if let failure { throw failure }
    return bytes
  }
}

extension HeaderWriter {
  /// `METHOD SP target SP HTTP/1.1`. The target's parts are written one after the other.
  package mutating func requestLine(
    method: StaticString, path: UnsafeRawBufferPointer, query: UnsafeRawBufferPointer? = nil,
    prefix: UnsafeRawBufferPointer? = nil
  ) {
    constant(method)
    byte(Ascii.space)
    if let prefix = unsafe prefix { unsafe target(prefix) }
    unsafe target(path)
    if let query = unsafe query {
      byte(Ascii.questionMark)
      unsafe target(query)
    }
    constant(" HTTP/1.1\r\n")
  }

  /// `HTTP/1.1 SP status SP reason`.
  package mutating func statusLine(_ status: Int, reason: StaticString? = nil) {
    constant("HTTP/1.1 ")
    decimal(status)
    byte(Ascii.space)
    constant(reason ?? Self.reason(status))
    constant("\r\n")
  }

  package mutating func field(_ name: StaticString, _ value: StaticString) {
    constant(name)
    constant(": ")
    constant(value)
    constant("\r\n")
  }

  package mutating func field(_ name: StaticString, _ value: Int) {
    constant(name)
    constant(": ")
    decimal(value)
    constant("\r\n")
  }

  package mutating func field(_ name: StaticString, _ value: UnsafeRawBufferPointer) {
    constant(name)
    constant(": ")
    unsafe checkedValue(value)
    constant("\r\n")
  }

  package mutating func field(_ name: StaticString, _ value: String) {
    field(name, prefix: "", value)
  }

  /// A value of a fixed part and a variable one, such as `Bearer` and a key.
  package mutating func field(_ name: StaticString, prefix: StaticString, _ value: String) {
    constant(name)
    constant(": ")
    constant(prefix)
    var value = value
    value.withUTF8 { unsafe checkedValue(UnsafeRawBufferPointer($0)) }
    constant("\r\n")
  }

  /// A field whose name comes from configuration or from a peer.
  package mutating func field(named name: String, _ value: String) {
    var name = name
    name.withUTF8 { unsafe checkedName(UnsafeRawBufferPointer($0)) }
    field("", value)
  }

  /// A field as it was received in `bytes`, from its name to its value's end, in one copy.
  package mutating func field(_ field: HeaderIndex.Field, from bytes: UnsafeRawBufferPointer) {
    let start = field.name.lowerBound
    let line = ByteRange(start: start, count: max(0, field.value.upperBound - start))
    unsafe checkedValue(line.slice(bytes))
    constant("\r\n")
  }

  /// The empty line.
  package mutating func endHead() { constant("\r\n") }
}

extension HeaderWriter {
  /// Appends bytes that need no check: the caller's own constants, or a body behind the head.
  package mutating func raw(_ bytes: UnsafeRawBufferPointer) {
    guard failure == nil else { return }
    guard bytes.count <= capacity - count else { return fail(.noRoom) }
    // Inside `capacity`, by the guard.
    unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + bytes.count]).copyMemory(from: bytes)
    count += bytes.count
  }

  private mutating func constant(_ text: StaticString) {
    unsafe raw(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func byte(_ byte: UInt8) {
    guard failure == nil else { return }
    guard count < capacity else { return fail(.noRoom) }
    unsafe memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count += 1
  }

  private mutating func decimal(_ value: Int) {
    guard value >= 0 else { return fail(.invalidValue) }
    var divisor = 1
    while value / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      byte(Ascii.zero + UInt8(value / divisor % 10))
      divisor /= 10
    }
  }

  private mutating func checkedValue(_ value: UnsafeRawBufferPointer) {
    let view = unsafe ByteView(value)
    var position = 0
    while let control = view.firstControl(from: position, to: view.count) {
      guard view[control] == Ascii.tab else { return fail(.invalidValue) }
      position = control + 1
    }
    unsafe raw(value)
  }

  private mutating func checkedName(_ name: UnsafeRawBufferPointer) {
    let view = unsafe ByteView(name)
    guard view.isToken(0..<view.count) else { return fail(.invalidName) }
    unsafe raw(name)
  }

  private mutating func target(_ bytes: UnsafeRawBufferPointer) {
    let view = unsafe ByteView(bytes)
    for index in 0..<view.count where !Ascii.isTarget(view[index]) { return fail(.invalidName) }
    unsafe raw(bytes)
  }

  private mutating func fail(_ error: HeaderWriteError) {
    failure = failure ?? error
  }

  /// Reason phrases of RFC 9110 §15 for the codes this gateway answers with; others need none.
  private static func reason(_ status: Int) -> StaticString {
    switch status {
    case 100: "Continue"
    case 200: "OK"
    case 202: "Accepted"
    case 204: "No Content"
    case 304: "Not Modified"
    case 307: "Temporary Redirect"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 417: "Expectation Failed"
    case 421: "Misdirected Request"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    case 529: "Overloaded"
    default: ""
    }
  }
}
