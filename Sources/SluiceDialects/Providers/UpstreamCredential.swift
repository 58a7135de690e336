/// One key of a pool, as the configuration gives it. Never printed: descriptions hide the secret.
package struct UpstreamCredential: Sendable {
  package enum Kind: UInt8, Sendable {
    /// The provider's usual API key.
    case key
    /// An OAuth or federated token; always sent as `authorization: Bearer`.
    case bearer
  }

  package var secret: String
  package var kind: Kind
  package var organization: String?
  package var project: String?

  package init(_ secret: String, kind: Kind = .key, organization: String? = nil, project: String? = nil) {
    self.secret = secret
    self.kind = kind
    self.organization = organization
    self.project = project
  }

  /// A credential becomes part of a head: anything that could end a line is refused here, once.
  func validate() throws(InvalidCredential) {
    guard !secret.isEmpty else { throw .empty }
    for text in [secret, organization ?? "", project ?? ""] {
      guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw .unprintable }
    }
  }
}

extension UpstreamCredential: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "credential (hidden)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Why a credential cannot be used. Says nothing about the secret itself.
package enum InvalidCredential: String, Error, Hashable, Sendable, CustomStringConvertible {
  case empty
  case unprintable

  package var description: String {
    switch self {
    case .empty: "the key is empty"
    case .unprintable: "the key, organization or project holds blanks or characters that HTTP headers cannot carry"
    }
  }
}

/// A credential as finished header lines, or as what signs every attempt. Hidden from descriptions like its source.
package struct PreparedCredential: Sendable {
  package let lines: [UInt8]
  /// Then there are no lines: every attempt gets its own when its head is written.
  package let signer: RequestSigner?
  package static let none = PreparedCredential(lines: [])

  init(lines: [UInt8], signer: RequestSigner? = nil) {
    self.lines = lines
    self.signer = signer
  }

  /// Every attempt is signed.
  package init(signer: RequestSigner) {
    self.init(lines: [], signer: signer)
  }
}

extension PreparedCredential: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "credential (hidden)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
