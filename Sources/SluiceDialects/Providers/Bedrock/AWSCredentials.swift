/// An access key of AWS. Never printed: descriptions hide it.
package struct AWSCredentials: Hashable, Sendable {
  package var keyID: String
  package var secret: String
  /// With temporary credentials.
  package var sessionToken: String?
  /// When temporary credentials end.
  package var expiration: UnixTime?

  package init(keyID: String, secret: String, sessionToken: String? = nil, expiration: UnixTime? = nil) {
    self.keyID = keyID
    self.secret = secret
    self.sessionToken = sessionToken
    self.expiration = expiration
  }

  /// `KEYID:SECRET` or `KEYID:SECRET:TOKEN`, the form in which a configuration holds an access key in one text. Key ids
  /// are capitals and digits, so that no other kind of key is mistaken for one; secrets and tokens have no colon.
  package init?(text: String) {
    let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 2, Self.isKeyID(parts[0]), !parts[1].isEmpty, parts.count == 2 || !parts[2].isEmpty else {
      return nil
    }
    self.init(keyID: parts[0], secret: parts[1], sessionToken: parts.count > 2 ? parts[2] : nil)
  }

  /// Key id and token become part of a head: nothing in them may end a line.
  package var isSendable: Bool {
    [keyID, sessionToken ?? ""].allSatisfy { $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } } && !keyID.isEmpty
  }

  private static func isKeyID(_ text: String) -> Bool {
    (8...128).contains(text.utf8.count) && text.utf8.allSatisfy { ($0 >= 0x41 && $0 <= 0x5A) || Ascii.isDigit($0) }
  }
}

extension AWSCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "credential (hidden)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
