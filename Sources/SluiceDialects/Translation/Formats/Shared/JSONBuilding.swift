import SluicePolicy

/// Short ways to write documents.
extension JSONValue {
  /// Members whose value is nil are left out.
  static func record(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
    .object(members.compactMap { name, value in value.map { JSONMember(name: name, value: $0) } })
  }

  static func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

  static func text(_ text: String?) -> JSONValue? { text.map { .string($0) } }

  static func number(_ number: Int?) -> JSONValue? { number.map { .int($0) } }

  static func number(_ number: Double?) -> JSONValue? {
    guard let number else { return nil }
    if let whole = Int(exactly: number) { return .int(whole) }
    return .double(number)
  }

  static func flag(_ flag: Bool?) -> JSONValue? { flag.map { .bool($0) } }

  /// Nothing for an object without members.
  var unlessEmpty: JSONValue? {
    switch self {
    case .object(let members): members.isEmpty ? nil : self
    case .array(let items): items.isEmpty ? nil : self
    default: self
    }
  }

  /// `{}`.
  static var emptyObject: JSONValue { .object([JSONMember]()) }

}

extension TokenUsage {
  /// Counts of strangers may contradict each other: never below zero.
  var outputWithoutReasoning: Int { max(0, output - reasoning) }
  var inputWithoutCache: Int { max(0, input - cachedInput - cacheWrite) }
}

extension ProviderFailure {
  /// The answer ended with a reason that means failure.
  static func brokenAnswer(_ reason: String) -> ProviderFailure {
    ProviderFailure(
      .server, reach: .endpoint, status: 200, code: reason, message: "the model's answer ended with \(reason)")
  }
}
