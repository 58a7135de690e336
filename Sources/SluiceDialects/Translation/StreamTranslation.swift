/// A provider's stream carried to a client of another protocol, event by event: what one read brought is read, turned
/// and written at once; nothing is buffered beyond an event and what the client's protocol cannot say yet.
package struct StreamTranslation: Sendable {
  private var framer: EventFramer
  private var reading: Reading
  private var writer: any ChatStreamWriter
  /// Why the stream cannot be carried any further; whoever drives it breaks it off.
  package private(set) var problem: UnreadableAnswer?
  /// The client has been told the end, or that there will be none.
  package private(set) var isOver = false

  init(_ framing: StreamFraming, reader: any ChatStreamReader, writer: any ChatStreamWriter) {
    framer = EventFramer(framing)
    reading = Reading(reader: reader)
    self.writer = writer
  }

  /// - Parameters:
  ///   - bytes: the next piece of the provider's body.
  ///   - out: whole events for the client are appended.
  package mutating func consume(_ bytes: ByteSlice, into out: inout [UInt8]) {
    guard problem == nil, !isOver else { return }
    Self.read(bytes, &framer, &reading)
    write(into: &out)
  }

  /// Each of them in its own place: taken out of the whole and put back they would be copied with every piece.
  private static func read(_ bytes: ByteSlice, _ framer: inout EventFramer, _ reading: inout Reading) {
    do throws(EventFramer.Broken) { try framer.consume(bytes) { reading.read($0, $1) } } catch {
      reading.broke("\(error)")
    }
  }

  private static func finish(_ framer: inout EventFramer, _ reading: inout Reading) {
    framer.finish { reading.readLast($0, $1) }
  }

  /// One event, for those who cut the stream into events anyway. What comes of it is written by `endPiece`.
  package mutating func read(event name: ByteSlice?, data: ByteSlice) {
    guard problem == nil, !isOver else { return }
    reading.read(name, data)
  }

  /// As `read`, for what stands behind the last whole event when the body is over.
  package mutating func readLast(event name: ByteSlice?, data: ByteSlice) {
    guard problem == nil, !isOver else { return }
    reading.readLast(name, data)
  }

  /// - Parameters:
  ///   - isReadable: the piece could be cut to its end.
  ///   - out: whole events for the client are appended.
  package mutating func endPiece(isReadable: Bool, into out: inout [UInt8]) {
    guard problem == nil, !isOver else { return }
    if !isReadable { reading.broke("it cannot be cut out") }
    write(into: &out)
  }

  /// The provider's body is over.
  package mutating func finish(into out: inout [UInt8]) {
    guard problem == nil, !isOver else { return }
    Self.finish(&framer, &reading)
    reading.reader.finish(into: &reading.deltas)
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
    for delta in reading.deltas {
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
    reading.deltas.removeAll(keepingCapacity: true)
    problem = problem ?? reading.problem
  }
}

/// What has been read and not yet written.
private struct Reading: Sendable {
  var reader: any ChatStreamReader
  var deltas: [ChatDelta] = []
  private(set) var problem: UnreadableAnswer?

  init(reader: any ChatStreamReader) { self.reader = reader }

  mutating func read(_ name: ByteSlice?, _ data: ByteSlice) {
    guard problem == nil else { return }
    do throws(UnreadableAnswer) { try reader.read(event: name, data: data, into: &deltas) } catch { problem = error }
  }

  /// What stands behind the last whole event; half an event is no event.
  mutating func readLast(_ name: ByteSlice?, _ data: ByteSlice) {
    guard problem == nil else { return }
    do throws(UnreadableAnswer) { try reader.read(event: name, data: data, into: &deltas) } catch {}
  }

  mutating func broke(_ reason: String) {
    problem = problem ?? UnreadableAnswer("an event that cannot be read (\(reason))")
  }
}
