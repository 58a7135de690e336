import Foundation
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
      case reading(StreamReader)
      case over
    }

    private var state: State

    init(_ stream: ChatStream) { state = .fresh(stream.sluice, stream.work) }

    /// The next piece, nil after the end mark. Throws ``SluiceError`` or `CancellationError`, once.
    @concurrent public mutating func next() async throws -> ChatDelta? {
      do {
        if case .fresh(let sluice, let work) = state {
          state = .reading(StreamReader(try await sluice.open(work)))
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

/// From the bytes of an event stream to deltas. At most what one read brought waits here.
struct StreamReader {
  private let pool: String
  private let codec: any ChatCodec
  private var body: HTTPClientBody.AsyncIterator
  private var parser = SSEParser()
  private var ready: ArraySlice<ChatDelta> = []
  private var failure: SluiceError?
  private var hasEnded = false

  init(_ opened: OpenedAnswer) {
    pool = opened.pool
    codec = opened.codec
    body = opened.response.body.makeAsyncIterator()
  }

  @concurrent mutating func next() async throws -> ChatDelta? {
    while true {
      if let delta = ready.popFirst() { return delta }
      if let failure { throw failure }
      if hasEnded {
        await finish()
        return nil
      }
      guard let piece = try await read() else {
        throw SluiceError(
          .streamCut,
          "the stream of pool '\(pool)' ended without its end mark: what came is not the whole answer; ask again")
      }
      take(piece)
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

  private mutating func take(_ piece: ByteBuffer) {
    var events: [Data] = []
    do throws(SSEError) {
      try piece.withUnsafeReadableBytes { bytes throws(SSEError) in
        try parser.consume(bytes) { event in events.append(Data(event.data)) }
      }
    } catch {
      failure = SluiceError(.protocolError, "the stream of pool '\(pool)' holds an event that is too long")
    }
    ready = []
    for event in events where !hasEnded && failure == nil { take(event) }
  }

  private mutating func take(_ event: Data) {
    if codec.isEnd(event) {
      hasEnded = true
      return
    }
    do {
      if let delta = try codec.delta(event) { ready.append(delta) }
    } catch let said as ProviderMessage {
      failure = SluiceError(.upstream, "the provider of pool '\(pool)' broke the stream off: \(said)", status: 200)
    } catch {
      failure = SluiceError(.protocolError, "the stream of pool '\(pool)' holds an event that is not a chat: \(error)")
    }
  }
}
