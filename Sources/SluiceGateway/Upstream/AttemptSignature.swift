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
  ///   - identity: nothing for endpoints whose credential is sent itself.
  static func insert(
    into head: inout [UInt8], _ endpoint: GatewayEndpoint, contentType: String?, body: ByteBuffer,
    as identity: SigningIdentity?
  ) {
    guard let signer = endpoint.signer, let identity else { return }
    body.withUnsafeReadableBytes { bytes in
      signer.sign(head: &head, host: endpoint.host, contentType: contentType, body: ByteSlice(bytes), as: identity)
    }
  }
}
