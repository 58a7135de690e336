import NIOCore
import SluiceDialects
import SluicePolicy

/// Signs a finished head, for endpoints whose credential is a signature over the request (AWS): every attempt anew,
/// because the time is part of it.
enum AttemptSignature {
  /// Inserts the signature's lines before the empty line that ends `head`.
  ///
  /// - Parameters:
  ///   - body: what follows the head.
  ///   - splice: the change that is made to it on the way.
  ///   - identity: nothing for endpoints whose credential is sent itself.
  static func insert(
    into head: inout [UInt8], _ endpoint: GatewayEndpoint, body: ByteBuffer, _ splice: BodySplice?,
    as identity: SigningIdentity?
  ) {
    guard let signer = endpoint.signer, let identity else { return }
    body.withUnsafeReadableBytes { bytes in
      guard let splice else {
        return signer.sign(head: &head, host: endpoint.host, body: ByteSlice(bytes), as: identity)
      }
      splice.applied(to: bytes).withSlice { signer.sign(head: &head, host: endpoint.host, body: $0, as: identity) }
    }
  }
}
