/// What one provider allows in tool-call ids or tool names, and how foreign ones are brought into its alphabet. The
/// mapping is a function of the text alone, so that later turns of a conversation map alike without any state.
package struct ForeignNames: Sendable {
  private let limit: Int
  /// Beside ASCII letters and digits.
  private let marks: [UInt8]
  /// Ids of exactly this many letters and digits.
  private let exactly: Int?
  private let prefix: String
  /// The first character is a letter or `_`.
  private let beginsWithLetter: Bool

  private init(
    limit: Int, marks: String, exactly: Int? = nil, prefix: String = "", beginsWithLetter: Bool = false
  ) {
    self.beginsWithLetter = beginsWithLetter
    self.limit = limit
    self.marks = Array(marks.utf8)
    self.exactly = exactly
    self.prefix = prefix
  }

  // Tool-call ids.
  package static let openAIIDs = ForeignNames(limit: 40, marks: "_-.:", prefix: "call_")
  /// No length is documented, and ids may carry a signature.
  package static let anthropicIDs = ForeignNames(limit: 8192, marks: "_-", prefix: "call_")
  package static let mistralIDs = ForeignNames(limit: 9, marks: "", exactly: 9)
  package static let bedrockIDs = ForeignNames(limit: 64, marks: "_-.:", prefix: "call_")

  // Tool names.
  package static let openAINames = ForeignNames(limit: 64, marks: "_-")
  package static let anthropicNames = ForeignNames(limit: 128, marks: "_-")
  package static let geminiNames = ForeignNames(limit: 64, marks: "_-.:", beginsWithLetter: true)
  package static let bedrockNames = ForeignNames(limit: 64, marks: "_-", beginsWithLetter: true)

  package func allows(_ text: String) -> Bool {
    let bytes = text.utf8
    guard !bytes.isEmpty, bytes.count <= limit, exactly.map({ $0 == bytes.count }) ?? true, begins(text)
    else { return false }
    return bytes.allSatisfy { Self.isLetter($0) || Self.isDigit($0) || marks.contains($0) }
  }

  private func begins(_ text: String) -> Bool {
    guard beginsWithLetter, let first = text.utf8.first else { return true }
    return Self.isLetter(first) || first == 0x5F
  }

  /// The text itself where it is allowed, else a name that follows from it.
  package func id(_ text: String) -> String {
    if allows(text) { return text }
    return prefix + Self.digest(text, length: exactly ?? 16)
  }

  /// As `id`, but readable: what is allowed stays, the rest becomes `_`, and a digest keeps names apart.
  package func name(_ text: String) -> String {
    if allows(text) { return text }
    let bytes = text.utf8.prefix(limit - 10).map { byte in
      Self.isLetter(byte) || Self.isDigit(byte) || marks.contains(byte) ? byte : 0x5F
    }
    let readable = String(decoding: bytes, as: UTF8.self)
    return (begins(readable) ? "" : "_") + readable + "_" + Self.digest(text, length: 8)
  }

  /// Letters and digits that follow from `text`: two rounds of FNV-1a (Fowler, Noll, Vo), 64 bits each, in base 62.
  package static func digest(_ text: String, length: Int) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    var words = [hash(text.utf8, seed: 0xCBF2_9CE4_8422_2325), hash(text.utf8.reversed(), seed: 0x9AE1_6A3B_2F90_404F)]
    var digest: [UInt8] = []
    for place in 0..<length {
      let word = place < 10 ? 0 : 1
      digest.append(alphabet[Int(words[word] % 62)])
      words[word] /= 62
    }
    return String(decoding: digest, as: UTF8.self)
  }

  private static func hash(_ bytes: some Sequence<UInt8>, seed: UInt64) -> UInt64 {
    bytes.reduce(seed) { hash, byte in (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
  private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A && byte < 0x80 }
}

extension TranslationNotes {
  /// The provider's name for a tool; remembered for the way back when it is another.
  package mutating func rename(_ tool: String, _ rule: ForeignNames) -> String {
    let name = rule.name(tool)
    if name != tool { toolNames[name] = tool }
    return name
  }
}

/// Ids of answers carried from one protocol to another: the part that is unique stays.
package enum AnswerID {
  private static let prefixes = ["chatcmpl-", "cmpl-", "msg_", "resp_"]

  package static func with(_ prefix: String, _ id: String, else standard: String) -> String {
    let id = id.isEmpty ? standard : id
    let rest = prefixes.first { id.hasPrefix($0) && id.utf8.count > $0.utf8.count }
    return prefix + id.dropFirst(rest?.count ?? 0)
  }
}
