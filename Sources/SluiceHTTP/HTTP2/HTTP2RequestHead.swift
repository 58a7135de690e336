import NIOCore
import NIOHPACK
import SluiceDialects

/// A request's head as HTTP/2 has it, made of the HTTP/1.1 head that callers write.
struct HTTP2RequestHead {
  var fields: HPACKHeaders
  /// What stood behind the head in its buffer: the body's beginning.
  var rest: ByteBuffer?

  /// Nil when it cannot be said in HTTP/2: not a proper head, no host, or a body that is framed in chunks.
  init?(_ buffer: ByteBuffer, isTLS: Bool, limits: HTTPLimits) {
    let parsed = buffer.withUnsafeReadableBytes { bytes -> (HPACKHeaders, Int)? in
      guard case .complete(let head, let consumed) = RequestHeadParser.parse(bytes, limits: limits),
        let host = head.host, head.bodyLength != .chunked
      else { return nil }
      return (Self.fields(head, host, bytes, isTLS), consumed)
    }
    guard let (fields, consumed) = parsed else { return nil }
    self.fields = fields
    if consumed < buffer.readableBytes {
      rest = buffer.getSlice(at: buffer.readerIndex + consumed, length: buffer.readableBytes - consumed)
    }
  }

  private static func fields(
    _ head: RequestHead, _ host: ByteRange, _ bytes: UnsafeRawBufferPointer, _ isTLS: Bool
  ) -> HPACKHeaders {
    var fields = HPACKHeaders()
    fields.reserveCapacity(head.headers.count + 4)
    fields.add(name: ":method", value: head.method.string(in: bytes))
    fields.add(name: ":scheme", value: isTLS ? "https" : "http")
    fields.add(name: ":authority", value: host.string(in: bytes))
    fields.add(name: ":path", value: head.target.string(in: bytes))
    for index in head.headers.indices {
      let field = head.headers[index]
      if field.isHopByHop || field.known == .host || field.known == .expect { continue }
      fields.add(name: name(field, bytes), value: field.value.string(in: bytes), indexing: indexing(field.known))
    }
    return fields
  }

  private static func name(_ field: HeaderIndex.Field, _ bytes: UnsafeRawBufferPointer) -> String {
    if field.known != .other { return field.known.name.description }
    return String(unsafeUninitializedCapacity: field.name.range.count) { room in
      for (place, byte) in field.name.slice(bytes).enumerated() {
        room.initializeElement(at: place, to: byte &- 0x41 < 26 ? byte | 0x20 : byte)
      }
      return field.name.range.count
    }
  }

  /// What differs with every request would only push out of the table what does not.
  private static func indexing(_ known: KnownHeader) -> HPACKIndexing {
    switch known {
    case .contentLength, .requestID, .xRequestID, .idempotencyKey, .traceparent, .tracestate: .nonIndexable
    default: .indexable
    }
  }
}
