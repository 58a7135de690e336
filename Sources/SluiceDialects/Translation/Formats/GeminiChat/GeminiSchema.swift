/// Gemini's own schemas are a subset of OpenAPI with types in capitals; other providers take JSON Schema.
enum GeminiSchema {
  /// The same schema as JSON Schema. As deep as the document, whose depth the parser bounds.
  static func jsonSchema(_ schema: JSONValue) -> JSONValue {
    guard let members = schema.members else { return schema }
    let isNullable = schema["nullable"]?.bool == true
    return .object(
      members.compactMap { member in
        switch member.name {
        case "type": JSONMember(name: "type", value: type(member.value, isNullable))
        case "nullable", "propertyOrdering", "property_ordering": nil
        case "properties": JSONMember(name: "properties", value: properties(member.value))
        case "items": JSONMember(name: "items", value: jsonSchema(member.value))
        case "anyOf", "any_of": JSONMember(name: "anyOf", value: each(member.value))
        case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
          JSONMember(name: member.name, value: number(member.value))
        default: member
        }
      })
  }

  private static func type(_ value: JSONValue, _ isNullable: Bool) -> JSONValue {
    guard let name = value.string?.lowercased() else { return value }
    return isNullable ? .texts([name, "null"]) : .string(name)
  }

  private static func properties(_ value: JSONValue) -> JSONValue {
    guard let members = value.members else { return value }
    return .object(members.map { JSONMember(name: $0.name, value: jsonSchema($0.value)) })
  }

  private static func each(_ value: JSONValue) -> JSONValue {
    guard let items = value.array else { return value }
    return .array(items.map(jsonSchema))
  }

  /// Proto-JSON writes 64-bit numbers as texts.
  private static func number(_ value: JSONValue) -> JSONValue {
    value.string.flatMap { Int($0) }.map { .int($0) } ?? value
  }
}
