/// Cuts a stream into events, whatever its framing, over any division into pieces. Bounded: what is held is one event.
package struct EventFramer: Sendable {
  /// The stream cannot be cut any further: an event beyond the bound, or a damaged one.
  package struct Broken: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
  }

  private enum Cutter: Sendable {
    case events(SSEParser)
    case lines(LineSplitter)
    case messages(EventStreamParser)
    case elements(JSONArraySplitter)
    case unreadable
  }

  private var cutter: Cutter

  package init(_ framing: StreamFraming) {
    switch framing {
    case .serverSentEvents: cutter = .events(SSEParser())
    case .lines: cutter = .lines(LineSplitter())
    case .awsEventStream: cutter = .messages(EventStreamParser())
    case .jsonArray: cutter = .elements(JSONArraySplitter())
    }
  }

  /// Nothing of an event is pending: another event could be inserted into the stream here.
  package var isAtEventBoundary: Bool {
    switch cutter {
    case .events(let parser): parser.isAtEventBoundary
    case .lines(let splitter): splitter.isAtLineBoundary
    case .messages(let parser): parser.isAtMessageBoundary
    case .elements(let splitter): splitter.isAtBoundary
    case .unreadable: false
    }
  }

  /// Bytes behind the end of the last whole event, where the text itself does not show where that is.
  package var unfinishedBytes: Int? {
    switch cutter {
    case .events, .lines, .unreadable: nil
    case .messages(let parser): parser.unfinishedBytes
    case .elements(let splitter): splitter.unfinishedBytes
    }
  }

  /// What has to stand before an event that is inserted at a boundary.
  package var continuation: StaticString {
    if case .elements(let splitter) = cutter { splitter.continuation } else { "" }
  }

  /// Hands out the events that a piece completes: the name where the framing has one, and the payload.
  package mutating func consume(
    _ bytes: ByteSlice, onEvent: (_ name: ByteSlice?, _ data: ByteSlice) -> Void
  ) throws(Broken) {
    switch cutter {
    case .events(var parser):
      cutter = .unreadable
      do throws(SSEError) {
        try unsafe parser.consume(bytes.raw) { event in
          unsafe onEvent(event.name.map { unsafe ByteSlice($0) }, ByteSlice(event.data))
        }
      } catch {
        throw Broken(description: error.rawValue)
      }
      cutter = .events(parser)
    case .lines(var splitter):
      cutter = .unreadable
      do throws(LineSplitter.LineTooLong) {
        try unsafe splitter.consume(bytes.raw) { line in unsafe onEvent(nil, ByteSlice(line)) }
      } catch {
        throw Broken(description: "line too long")
      }
      cutter = .lines(splitter)
    case .messages(var parser):
      cutter = .unreadable
      do throws(EventStreamParser.Problem) {
        try parser.consume(bytes) { message in Self.hand(message, onEvent) }
      } catch {
        throw Broken(description: error.rawValue)
      }
      cutter = .messages(parser)
    case .elements(var splitter):
      cutter = .unreadable
      do throws(JSONArraySplitter.Unreadable) {
        try unsafe splitter.consume(bytes.raw) { element in unsafe onEvent(nil, ByteSlice(element)) }
      } catch {
        throw Broken(description: "no array of objects, or one that is too long")
      }
      cutter = .elements(splitter)
    case .unreadable:
      throw Broken(description: "not readable")
    }
  }

  /// The stream is over: hands out a last event whose end is missing, as it is with servers that close right behind it.
  package mutating func finish(onEvent: (_ name: ByteSlice?, _ data: ByteSlice) -> Void) {
    switch cutter {
    case .events(var parser):
      cutter = .unreadable
      unsafe parser.finish { event in
        unsafe onEvent(event.name.map { unsafe ByteSlice($0) }, ByteSlice(event.data))
      }
      cutter = .events(parser)
    case .lines(var splitter):
      cutter = .unreadable
      unsafe splitter.finish { line in unsafe onEvent(nil, ByteSlice(line)) }
      cutter = .lines(splitter)
    case .messages, .elements, .unreadable: break
    }
  }

  /// An error message has its reason in headers: it is handed out as the JSON that exceptions have, under `__type`.
  private static func hand(_ message: EventStreamMessage, _ onEvent: (ByteSlice?, ByteSlice) -> Void) {
    guard message.kind == .error else { return onEvent(message.name, message.payload) }
    let reason = JSONValue.record([
      "__type": .string(message.name.string(limit: 256)), "message": .string(message.reason.string(limit: 512)),
    ])
    Array(reason.jsonText.utf8).withSlice { onEvent(message.name, $0) }
  }
}
