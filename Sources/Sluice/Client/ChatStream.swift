import NIOCore
import SluiceDialects
import SluiceHTTP

/// A streamed answer; see ``Sluice/stream(model:_:options:)``.
public struct ChatStream: AsyncSequence, Sendable {
  /// One piece of the answer.
  public typealias Element = ChatDelta

  let sluice: Sluice
  let work: ChatWork

  /// Reads one answer. States: fresh (nothing sent) → reading → over, by the end mark, an error or cancellation. Letting
  /// go of it closes the connection of an answer that is not over.
  public struct AsyncIterator: AsyncIteratorProtocol {
    private enum State {
      case fresh(Sluice, ChatWork)
      case reading(AnswerStream)
      case over
    }

    private var state: State

    init(_ stream: ChatStream) { state = .fresh(stream.sluice, stream.work) }

    /// The next piece, nil after the end mark. Throws ``SluiceError`` or `CancellationError`, once.
    @concurrent public mutating func next() async throws -> ChatDelta? {
      do {
        if case .fresh(let sluice, let work) = state {
          state = .reading(try AnswerStream(try await sluice.open(work)))
        }
        guard case .reading(var reader) = state else { return nil }
        let delta = try await reader.next()
        state = delta == nil ? .over : .reading(reader)
        return delta
      } catch {
        state = .over
        throw error
      }
    }
  }

  /// Starts a request of its own at the first `next()`.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

/// A provider's stream as the library's deltas. At most what one read brought waits here.
struct AnswerStream {
  private let pool: String
  private var body: HTTPClientBody.AsyncIterator
  private var deltas: DeltaReader

  init(_ opened: OpenedAnswer) throws(SluiceError) {
    pool = opened.pool
    deltas = try DeltaReader(pool: opened.pool, opened.dialect, opened.operation)
    body = opened.response.body.makeAsyncIterator()
  }

  @concurrent mutating func next() async throws -> ChatDelta? {
    while true {
      if let delta = deltas.next() { return delta }
      switch deltas.state {
      case .failed(let error): throw error
      case .whole:
        await finish()
        return nil
      case .reading: break
      }
      if let piece = try await read() {
        piece.withUnsafeReadableBytes { deltas.consume(ByteSlice($0)) }
      } else {
        deltas.finish()
      }
    }
  }

  @concurrent private mutating func read() async throws -> ByteBuffer? {
    do {
      let piece = try await body.next()
      // A cancelled reader sees an early end instead of an error.
      try Task.checkCancellation()
      return piece
    } catch {
      throw SluiceError.callFailure(error, pool: pool)
    }
  }

  /// What follows the end mark is the framing's end, after which the connection can serve again; whatever goes wrong in
  /// it does not touch the answer. A server that sends on loses the connection.
  @concurrent private mutating func finish() async {
    if let piece = try? await body.next(), piece.readableBytes > 0 { return }
  }
}
