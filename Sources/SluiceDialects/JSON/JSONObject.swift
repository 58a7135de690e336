/// An object being built, member by member.
package struct JSONObject: Hashable, Sendable {
  package private(set) var members: [JSONMember] = []

  package init() {}

  package init(_ members: [JSONMember]) { self.members = members }

  /// Setting nothing leaves the member out; setting again replaces.
  package subscript(_ name: String) -> JSONValue? {
    get { members.last { $0.name == name }?.value }
    set {
      members.removeAll { $0.name == name }
      if let newValue { members.append(JSONMember(name: name, value: newValue)) }
    }
  }

  package var isEmpty: Bool { members.isEmpty }
  package var value: JSONValue { .object(members) }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
  package init(stringLiteral text: String) { self = .string(text) }
  package init(integerLiteral number: Int) { self = .int(number) }
  package init(booleanLiteral flag: Bool) { self = .bool(flag) }
}

extension JSONValue: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
  package init(arrayLiteral items: JSONValue...) { self = .array(items) }

  /// Members in the order written.
  package init(dictionaryLiteral members: (String, JSONValue)...) {
    self = .object(members.map { JSONMember(name: $0.0, value: $0.1) })
  }
}
