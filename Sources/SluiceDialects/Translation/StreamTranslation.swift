/// A provider's stream carried to a client of another protocol, event by event: what one read brought is read, turned
/// and written at once; nothing is buffered beyond an event and what the client's protocol cannot say yet.
package struct StreamTranslation: Sendable {
  private var framer: EventFramer
  private var reader: any ChatStreamReader
  private var writer: any ChatStreamWriter
  private var deltas: [ChatDelta] = []
  /// Why the stream cannot be carried any further; whoever drives it breaks it off.
  package private(set) var problem: UnreadableAnswer?
  /// The client has been told the end, or that there will be none.
  package private(set) var isOver = false

  init(_ framing: StreamFraming, reader: any ChatStreamReader, writer: any ChatStreamWriter) {
    framer = EventFramer(framing)
    self.reader = reader
    self.writer = writer
  }

  /// - Parameters:
  ///   - bytes: the next piece of the provider's body.
  ///   - out: whole events for the client are appended.
  package mutating func consume(_ bytes: ByteSlice, into out: inout [UInt8]) {
    guard problem == nil, !isOver else { return }
    var problem: UnreadableAnswer?
    Self.read(bytes, &framer, &reader, &deltas, &problem)
    write(into: &out)
    self.problem = self.problem ?? problem
  }

  /// Each of them in its own place: taken out of the whole and put back they would be copied with every piece.
  private static func read(
    _ bytes: ByteSlice, _ framer: inout EventFramer, _ reader: inout any ChatStreamReader,
    _ deltas: inout [ChatDelta], _ problem: inout UnreadableAnswer?
  ) {
    do {
      try framer.consume(bytes) { name, data in
        guard problem == nil else { return }
        do throws(UnreadableAnswer) { try reader.read(event: name, data: data, into: &deltas) } catch {
          problem = error
        }
      }
    } catch {
      problem = problem ?? UnreadableAnswer("an event that cannot be read (\(error))")
    }
  }

  /// The provider's body is over.
  package mutating func finish(into out: inout [UInt8]) {
    guard problem == nil, !isOver else { return }
    reader.finish(into: &deltas)
    write(into: &out)
  }

  /// What the client's protocol lets pass as nothing, at this place of its stream; may be nothing at all.
  package func keepAlive(into out: inout [UInt8]) {
    guard problem == nil, !isOver else { return }
    writer.keepAlive(to: &out)
  }

  /// The stream cannot be finished.
  package mutating func fail(_ error: GatewayError, into out: inout [UInt8]) {
    guard !isOver else { return }
    isOver = true
    writer.fail(error, to: &out)
  }

  private mutating func write(into out: inout [UInt8]) {
    for delta in deltas {
      if case .failure(let failure) = delta {
        fail(GatewayError(failure), into: &out)
        break
      }
      do throws(UnreadableAnswer) { try writer.write(delta, to: &out) } catch {
        problem = error
        break
      }
      if case .end = delta { isOver = true }
    }
    deltas.removeAll(keepingCapacity: true)
  }
}
