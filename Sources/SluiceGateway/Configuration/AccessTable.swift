import Crypto
package import SluiceDialects
package import SluicePolicy

/// One access key: who may use the gateway, with what priority, for which models. Holds the hash, never the key.
package struct AccessKey: Sendable {
  package var name: String
  /// SHA-256 of the key.
  package var digest: KeyDigest
  /// The best class its requests may have, and the one they have when they ask for none.
  package var priority: PriorityClass
  /// Patterns with `*`; empty allows all models.
  package var models: [GlobPattern]

  package init(name: String, digest: KeyDigest, priority: PriorityClass = .normal, models: [String] = []) {
    self.name = name
    self.digest = digest
    self.priority = priority
    self.models = models.map(GlobPattern.init)
  }

  package func allows(model: String) -> Bool {
    models.isEmpty || models.contains { $0.matches(model) }
  }
}

/// A SHA-256 value as four words, so that comparing takes the same time whatever differs.
package struct KeyDigest: Sendable {
  private var words = InlineArray<4, UInt64>(repeating: 0)

  /// Hashes a key as clients send it.
  package init(of key: UnsafeRawBufferPointer) {
    SHA256.hash(data: key).withUnsafeBytes { take($0) }
  }

  package init(of key: String) {
    var key = key
    self = key.withUTF8 { KeyDigest(of: UnsafeRawBufferPointer($0)) }
  }

  /// - Parameter hex: 64 hexadecimal digits.
  package init?(hex: String) {
    guard hex.utf8.count == 64 else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in hex.utf8 {
      guard let value = Self.value(of: digit) else { return nil }
      if let upper = high {
        bytes.append(upper << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    bytes.withUnsafeBytes { take($0) }
  }

  /// Tells keys apart within the process; says nothing about the key to somebody who does not have it.
  package var identity: UInt64 { words[0] ^ words[3] | 1 }

  /// Zero exactly when both are equal; looks at every bit of both.
  package func difference(from other: KeyDigest) -> UInt64 {
    var difference: UInt64 = 0
    for index in 0..<4 { difference |= words[index] ^ other.words[index] }
    return difference
  }

  private mutating func take(_ bytes: UnsafeRawBufferPointer) {
    for index in 0..<4 { words[index] = bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) }
  }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x61...0x66: digit - 0x57
    case 0x41...0x46: digit - 0x37
    default: nil
    }
  }
}

/// The access keys of one configuration. Without any, the gateway is open to this machine only, unless `insecure`.
package struct AccessTable: Sendable {
  package var keys: [AccessKey]
  /// Everybody who can connect may use the gateway (`--insecure`).
  package var insecure: Bool

  package static let open = AccessTable(keys: [])

  package init(keys: [AccessKey], insecure: Bool = false) {
    self.keys = keys
    self.insecure = insecure
  }

  package var isOpen: Bool { keys.isEmpty }

  /// Callers have to be kept from each other.
  var hasSeveralCallers: Bool { keys.count > 1 }

  /// Whose the responses are that a caller has stored; 0 where nobody is told apart.
  func owner(_ key: Int?) -> UInt64 { key.map { keys[$0].digest.identity } ?? 0 }

  /// The place of the key whose hash this is. Looks at all keys, so the time tells nothing about which one matched.
  func find(_ digest: KeyDigest) -> Int? {
    var found = -1
    for index in keys.indices where keys[index].digest.difference(from: digest) == 0 { found = index }
    return found < 0 ? nil : found
  }

  /// Fairness in the queue is between keys; 0 is everybody without one.
  static func caller(_ index: Int?) -> CallerID {
    index.map { CallerID(rawValue: UInt32(clamping: $0 + 1)) } ?? .anonymous
  }
}
