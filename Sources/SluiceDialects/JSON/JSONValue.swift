/// A decoded JSON document. Objects keep their order; they are small here, so names are found by looking through them.
package enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  /// A number as it was written, which neither of the others holds exactly.
  case literal(String)
  case string(String)
  case array([JSONValue])
  case object([JSONMember])

  package subscript(_ name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    // Of duplicates the last counts, as in most decoders.
    return members.last { $0.name == name }?.value
  }

  package var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  package var bool: Bool? {
    if case .bool(let flag) = self { flag } else { nil }
  }

  package var int: Int? {
    switch self {
    case .int(let number): number
    case .double(let number): Int(exactly: number)
    // Below this doubles are exact; what underflowed to zero was none.
    case .literal: double.flatMap { $0 != 0 && abs($0) < 9_007_199_254_740_992 ? Int(exactly: $0) : nil }
    default: nil
    }
  }

  package var double: Double? {
    switch self {
    case .int(let number): Double(number)
    case .double(let number): number
    case .literal(let text): Double(text).flatMap { $0.isFinite ? $0 : nil }
    default: nil
    }
  }

  package var array: [JSONValue]? {
    if case .array(let items) = self { items } else { nil }
  }

  package var members: [JSONMember]? {
    if case .object(let members) = self { members } else { nil }
  }

  package var isNull: Bool { self == .null }

  /// The value, unless it is absent or `null`: APIs treat both alike.
  package func given(_ name: String) -> JSONValue? {
    guard let value = self[name], !value.isNull else { return nil }
    return value
  }
}

package struct JSONMember: Sendable, Hashable {
  package var name: String
  package var value: JSONValue

  package init(name: String, value: JSONValue) {
    self.name = name
    self.value = value
  }
}
