import NIOCore
import SluiceDialects

/// Writes the head of an upstream request: the client's end-to-end fields as it sent them, the endpoint's host and
/// credential, and framing of our own.
struct UpstreamHead {
  let head: RequestHead
  /// Exactly the client's head; `head`'s offsets count from its reader index.
  let bytes: ByteBuffer
  let endpoint: GatewayEndpoint
  let dialect: ProviderDialect
  let match: SurfaceMatch
  /// The upstream's name of the model, for protocols that have it in the path.
  let model: String
  /// It is the name the client used.
  let keepsModel: Bool
  /// The client identified itself to the gateway.
  let hasAccessKey: Bool
  let streams: Bool
  /// Nil for requests without a body.
  let bodyCount: Int?
  /// The answer will be read on its way, so it must not be compressed.
  let inspected: Bool

  func append(to out: inout [UInt8]) {
    bytes.withUnsafeReadableBytes { raw in
      let source = ByteSlice(raw)
      out.append(contentsOf: ByteSlice.method(head.method, in: raw).raw)
      out.append(0x20)
      let call = UpstreamCall(
        match.operation, model: model, streams: streams,
        passed: UpstreamCall.Passed(
          path: source[head.path.range].suffix(from: match.providerPath ?? 0),
          query: head.query.map { source[$0.range] }, keepsModel: keepsModel,
          dropsKey: hasAccessKey))
      dialect.appendUpstreamTarget(basePath: endpoint.basePath, call, to: &out)
      out.append(" HTTP/1.1\r\n")
      out.append(contentsOf: endpoint.lines)
      FieldCopier.append(head.headers, from: raw, to: &out) { HeaderFilter.travelsUpstream($0, in: source) }
      if inspected {
        out.append("accept-encoding: identity\r\n")
      } else if let encoding = head.headers.first(.acceptEncoding) {
        out.append("accept-encoding: ")
        out.append(contentsOf: encoding.slice(raw))
        out.append("\r\n")
      }
      dialect.appendMissingHeaders(client: HeaderView(head.headers, in: source), call, to: &out)
      if let bodyCount {
        out.append("content-length: ")
        out.append(decimal: bodyCount)
        out.append("\r\n")
      }
      out.append("\r\n")
    }
  }
}

/// Copies the fields that may pass. Neighbours that both pass are copied as one run of bytes.
enum FieldCopier {
  static func append(
    _ headers: HeaderIndex, from bytes: UnsafeRawBufferPointer, to out: inout [UInt8],
    where passes: (HeaderIndex.Field) -> Bool
  ) {
    var start: Int?
    for index in headers.indices {
      let field = headers[index]
      if passes(field) {
        if start == nil { start = field.name.lowerBound }
      } else if let begin = start {
        out.append(contentsOf: bytes[begin..<field.name.lowerBound])
        start = nil
      }
    }
    // Behind the last field stands the empty line.
    if let begin = start { out.append(contentsOf: bytes[begin..<max(begin, bytes.count - 2)]) }
  }
}

extension ByteSlice {
  /// The method's token; `bytes` are those that were parsed.
  static func method(_ method: HTTPMethodToken, in bytes: UnsafeRawBufferPointer) -> ByteSlice {
    if case .other(let range) = method { return ByteSlice(range.slice(bytes)) }
    let name: StaticString = method.name ?? ""
    return ByteSlice(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
  }
}
