package import NIOCore
package import SluiceDialects
package import SluiceHTTP

/// How a request's body goes upstream: a small one right behind the head, in one buffer; a large one as slices of what
/// the client sent, which stays in memory once however often it is tried.
package enum UpstreamBody {
  /// Up to this size copying is cheaper than another buffer to write.
  package static let inline = 16_384

  /// - Parameters:
  ///   - head: complete; its length field describes the body with the change.
  ///   - splice: the change to the body, if there is one.
  package static func attach(_ body: ByteBuffer, _ splice: BodySplice?, to head: inout ByteBuffer) -> UpstreamRequest {
    guard let splice else {
      guard body.readableBytes <= inline else { return UpstreamRequest(head: head, body: body) }
      head.writeImmutableBuffer(body)
      return UpstreamRequest(head: head)
    }
    var request = UpstreamRequest(head: ByteBuffer())
    append(slice(body, 0, splice.range.lowerBound), to: &request, &head)
    append(ByteBuffer(bytes: splice.replacement), to: &request, &head)
    append(slice(body, splice.range.upperBound, body.readableBytes), to: &request, &head)
    request.head = head
    return request
  }

  private static func slice(_ body: ByteBuffer, _ start: Int, _ end: Int) -> ByteBuffer {
    body.getSlice(at: body.readerIndex + start, length: end - start) ?? ByteBuffer()
  }

  /// Copies small pieces behind the head or into the piece before, as long as that one is small itself.
  private static func append(_ piece: ByteBuffer, to request: inout UpstreamRequest, _ head: inout ByteBuffer) {
    let count = piece.readableBytes
    guard count > 0 else { return }
    if request.body == nil {
      if count <= inline { head.writeImmutableBuffer(piece) } else { request.body = piece }
    } else if count <= inline, let last = request.moreBody.indices.last,
      request.moreBody[last].readableBytes <= inline
    {
      request.moreBody[last].writeImmutableBuffer(piece)
    } else {
      request.moreBody.append(piece)
    }
  }
}
