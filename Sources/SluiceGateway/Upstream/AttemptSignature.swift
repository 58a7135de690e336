import NIOCore
import SluiceDialects
import SluicePolicy

/// Signs a finished head, for endpoints whose credential is a signature over the request (AWS): every attempt anew,
/// because the time is part of it.
enum AttemptSignature {
  /// Inserts the signature's lines before the empty line that ends `head`.
  ///
  /// - Parameters:
  ///   - contentType: as it stands in the head; nothing if it is not there.
  ///   - body: exactly what follows the head.
  static func insert(
    into head: inout [UInt8], _ endpoint: GatewayEndpoint, contentType: String?, body: ByteBuffer, now: UnixTime
  ) {
    guard let signer = endpoint.signer, let line = requestLine(head) else { return }
    head.removeLast(2)
    var lines: [UInt8] = []
    line.target.withSlice { target in
      body.withUnsafeReadableBytes { bytes in
        signer.append(
          RequestSigner.Attempt(
            method: line.method, target: target, host: endpoint.host, contentType: contentType, body: ByteSlice(bytes)),
          now: now, to: &lines)
      }
    }
    head += lines
    head.append("\r\n")
  }

  private static func requestLine(_ head: [UInt8]) -> (method: String, target: [UInt8])? {
    guard let first = head.firstIndex(of: 0x20) else { return nil }
    guard let second = head[(first + 1)...].firstIndex(of: 0x20), head.count > 2 else { return nil }
    return (String(decoding: head[..<first], as: UTF8.self), Array(head[(first + 1)..<second]))
  }
}
