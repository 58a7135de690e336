import NIOCore
package import SluiceDialects

/// An answer that is not a success, as far as it is needed to judge what it means.
package struct HTTPRefusal {
  /// Says what a failed answer means. Called on the connection's event loop; must not block.
  package typealias Judge = @Sendable (_ status: Int, _ headers: HeaderView, _ body: ByteSlice) -> ProviderFailure

  /// More than this of an error body is not read.
  static let maxBody = 65_536

  private let head: ResponseHead
  private let bytes: ByteBuffer
  private var body = ByteBuffer()

  init(head: ResponseHead, bytes: ByteBuffer) {
    self.head = head
    self.bytes = bytes
  }

  /// False when it is enough.
  mutating func collect(_ piece: ByteBuffer) -> Bool {
    var piece = piece
    let room = Self.maxBody - body.readableBytes
    if var part = piece.readSlice(length: min(room, piece.readableBytes)) { body.writeBuffer(&part) }
    return piece.readableBytes == 0
  }

  func judged(by judge: Judge) -> ProviderFailure {
    bytes.withUnsafeReadableBytes { bytes in
      body.withUnsafeReadableBytes { body in
        judge(head.status, HeaderView(head.headers, in: ByteSlice(bytes)), ByteSlice(body))
      }
    }
  }
}

/// The upstream answered, with a failure.
package struct HTTPRefusedAnswer: Error, Hashable, Sendable {
  package let failure: ProviderFailure
}
