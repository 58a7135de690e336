/// What a translation wants remembered: for the client, and for the way back.
package struct TranslationNotes: Hashable, Sendable {
  /// Fields that were hints only and did not travel, by their names in the client's protocol; `x-sluice-dropped`.
  package private(set) var dropped: [String] = []
  /// Tools that had to be renamed: the provider's name to the client's.
  package var toolNames: [String: String] = [:]

  package init() {}

  /// Most names that are told.
  static let limit = 32

  package mutating func drop(_ field: String) {
    guard !dropped.contains(field), dropped.count < Self.limit else { return }
    dropped.append(field)
  }

  package mutating func drop(_ field: String, if isGiven: Bool) {
    if isGiven { drop(field) }
  }
}

/// Why a request cannot be carried to a provider of another protocol, or read at all: the client's 400.
package struct TranslationRefusal: Error, Hashable, Sendable {
  /// The field at fault, as a path in the client's protocol, for example `messages[2].content`.
  package var field: String?
  package var message: String

  package init(_ message: String, field: String? = nil) {
    self.message = message
    self.field = field
  }
}

/// A provider's answer that is not what its protocol promises.
package struct UnreadableAnswer: Error, Hashable, Sendable {
  package var reason: String

  package init(_ reason: String) { self.reason = reason }
}
