/// Carries a tool call's `thoughtSignature` inside of the call's id, for clients whose protocol has no place for it:
/// without its signature Gemini refuses the call when it comes back.
///
/// Form: `<id>--ts-<signature>`, the signature in the URL-safe alphabet without padding, so that the whole stays within
/// `[A-Za-z0-9_-]` where the id does. Reversible: the standard alphabet with padding is what Gemini writes. Signatures
/// longer than `limit` or no base64 at all are left out, and the id stays as it is.
package enum SignedCallID {
  private static let mark = "--ts-"
  /// Longest signature that travels, in characters.
  package static let limit = 4096

  package static func join(_ id: String, _ signature: String?) -> String {
    guard let signature, !signature.isEmpty, signature.utf8.count <= limit,
      Base64Text.standard(signature) == signature
    else { return id }
    let safe = signature.utf8.compactMap { byte -> UInt8? in
      switch byte {
      case 0x2B: 0x2D
      case 0x2F: 0x5F
      case 0x3D: nil
      default: byte
      }
    }
    return id + mark + String(decoding: safe, as: UTF8.self)
  }

  /// The provider's id and the signature, if the id carries one.
  package static func split(_ id: String) -> (id: String, signature: String?) {
    let bytes = Array(id.utf8)
    let mark = Array(Self.mark.utf8)
    var start = bytes.count - mark.count
    while start >= 0 {
      if Array(bytes[start..<start + mark.count]) == mark { break }
      start -= 1
    }
    guard start >= 0 else { return (id, nil) }
    let tail = String(decoding: bytes[(start + mark.count)...], as: UTF8.self)
    guard !tail.isEmpty, tail.utf8.count <= limit, let signature = Base64Text.standard(tail) else { return (id, nil) }
    return (String(decoding: bytes[..<start], as: UTF8.self), signature)
  }
}
