import NIOCore
import SluiceDialects

/// The last bytes of an answer that is passed on as it comes: providers put the usage near the end.
struct AnswerTail {
  /// What is kept at least, once there was that much.
  static let size = 8_192

  private var bytes = ByteBuffer()

  init(_ beginning: ByteBuffer) {
    beginning.withUnsafeReadableBytes { append($0) }
  }

  /// Keeps at most twice `size`, so that small pieces are not moved again and again.
  mutating func append(_ piece: UnsafeRawBufferPointer) {
    if piece.count >= Self.size { bytes.clear() }
    bytes.writeBytes(UnsafeRawBufferPointer(rebasing: piece.suffix(Self.size)))
    guard bytes.readableBytes > 2 * Self.size else { return }
    bytes.moveReaderIndex(forwardBy: bytes.readableBytes - Self.size)
    bytes.discardReadBytes()
  }

  func withBytes<T>(_ body: (ByteSlice) -> T) -> T {
    bytes.withUnsafeReadableBytes { body(ByteSlice($0)) }
  }
}
