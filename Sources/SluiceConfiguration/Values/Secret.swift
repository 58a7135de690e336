/// A credential: a provider key, a token, a password.
///
/// However it is printed, logged, mirrored or interpolated, only `[redacted]` comes out. The one way to the text is
/// `reveal()`, so that every place that uses it can be found by that name.
public struct Secret: Hashable, Sendable {
  private let text: String

  /// Wraps a credential.
  public init(_ text: String) {
    self.text = text
  }

  /// The credential itself. Only for the code that sends or compares it.
  public func reveal() -> String { text }

  /// What is shown in place of any secret.
  public static let redacted = "[redacted]"

  /// Tells secrets apart within this process: 128 bits, seeded anew at each start, so that it cannot be searched for
  /// offline and means nothing elsewhere. This is the "hash of the secret" in the identity of an endpoint.
  package var fingerprint: String {
    var first = Hasher()
    first.combine(text)
    var second = Hasher()
    second.combine(0x5EC2_E7)
    second.combine(text)
    return Secret.hexadecimal(first.finalize()) + Secret.hexadecimal(second.finalize())
  }

  private static func hexadecimal(_ value: Int) -> String {
    let digits = String(UInt64(truncatingIfNeeded: value), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Always `[redacted]`.
  public var description: String { Secret.redacted }
  /// Always `[redacted]`.
  public var debugDescription: String { Secret.redacted }
  /// Has no children: `dump` shows nothing either.
  public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
