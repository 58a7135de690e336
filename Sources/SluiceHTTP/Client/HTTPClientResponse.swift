package import NIOCore
import SluiceDialects

/// A response whose head has arrived.
package struct HTTPClientResponse: Sendable {
  package let status: Int
  /// In the order received, names in lower case.
  package let headers: [(name: String, value: String)]
  package let body: HTTPClientBody
  /// The connection had served before.
  package let reused: Bool

  package func header(_ name: String) -> String? {
    headers.first { $0.name == name }?.value
  }

  init(_ head: ResponseHead, _ bytes: ByteBuffer, body: HTTPClientBody, reused: Bool) {
    status = head.status
    self.body = body
    self.reused = reused
    headers = bytes.withUnsafeReadableBytes { bytes in
      head.headers.indices.map { index in
        let field = head.headers[index]
        return (field.name.string(in: bytes).lowercased(), field.value.string(in: bytes))
      }
    }
  }
}

/// A response's body as it arrives. For one reader; reads from the network only as fast as that one takes. Letting go of
/// the iterator, or of the body before iterating, closes the connection.
package struct HTTPClientBody: AsyncSequence, Sendable {
  package typealias Element = ByteBuffer
  typealias Producer = NIOThrowingAsyncSequenceProducer<
    ByteBuffer, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, ClientExchange
  >

  let sequence: Producer

  package struct AsyncIterator: AsyncIteratorProtocol {
    var iterator: Producer.AsyncIterator

    /// The next piece, nil at the end. Throws `HTTPClientError`.
    @concurrent package mutating func next() async throws -> ByteBuffer? { try await iterator.next() }
  }

  package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(iterator: sequence.makeAsyncIterator()) }

  /// The whole body. Throws `bodyTooLarge` when it has more than `limit` bytes.
  package func collect(upTo limit: Int) async throws -> ByteBuffer {
    var whole = ByteBuffer()
    for try await var piece in self {
      guard whole.readableBytes + piece.readableBytes <= limit else { throw HTTPClientError.bodyTooLarge(limit: limit) }
      whole.writeBuffer(&piece)
    }
    return whole
  }
}
