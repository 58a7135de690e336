internal import SluicePolicy

/// The schema as JSON Schema (draft 2020-12), for editors.
package enum JSONSchema {
  /// The file as it is shipped, with a line break at the end.
  package static func document() -> String {
    let root = object(ConfigurationSchema.root)
    guard case .object(let members) = root else { return "" }
    let head: [JSONText.Member] = [
      .init(key: "$schema", value: .string("https://json-schema.org/draft/2020-12/schema")),
      .init(key: "title", value: .string("Sluice configuration")),
    ]
    return JSONText.object(head + members).rendered() + "\n"
  }

  private static func object(_ fields: [SchemaField]) -> JSONText {
    let required = fields.filter(\.isRequired).map { JSONText.string($0.name) }
    return .object([
      "type": .string("object"),
      "properties": .object(fields.map { .init(key: $0.name, value: property($0)) }),
      "required": required.isEmpty ? nil : .array(required),
      "additionalProperties": .boolean(false),
    ])
  }

  private static func property(_ field: SchemaField) -> JSONText {
    if field.later {
      return .object([
        "description": .string("Not supported in this version. \(field.documentation)"), "type": .string("null"),
      ])
    }
    guard case .object(let members) = schema(field.type) else { return .object([]) }
    var head: [JSONText.Member] = [.init(key: "description", value: .string(description(field)))]
    if let fallback = field.fallback { head.append(.init(key: "default", value: value(fallback, type: field.type))) }
    return .object(head + members)
  }

  private static func description(_ field: SchemaField) -> String {
    let profiles = Profile.allCases.compactMap { profile in
      field.profiles[profile].map { "\(profile.rawValue): \($0)" }
    }
    let others = profiles.isEmpty ? "" : " Defaults of profiles: \(profiles.joined(separator: ", "))."
    return "\(field.documentation)\(others) A change applies: \(field.change.rawValue)."
  }

  private static func value(_ text: String, type: SchemaType) -> JSONText {
    switch type {
    case .integer: Int(text).map { .integer($0) } ?? .string(text)
    case .boolean: .boolean(text == "true")
    default: .string(text)
    }
  }

  private static func schema(_ type: SchemaType) -> JSONText {
    switch type {
    case .object(let fields): return object(fields)
    case .map(let element):
      return .object([
        "type": .string("object"),
        "propertyNames": .object(["pattern": .string("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]),
        "additionalProperties": schema(element), "maxProperties": .integer(ConfigurationSchema.most),
      ])
    case .list(let element, let count):
      return .object([
        "type": .string("array"), "items": schema(element), "minItems": .integer(count.lowerBound),
        "maxItems": .integer(count.upperBound),
      ])
    case .either(let types): return .object(["anyOf": .array(types.map(schema))])
    case .integer(let range):
      return orVariable(
        .object([
          "type": .string("integer"), "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
        ]))
    case .boolean: return orVariable(.object(["type": .string("boolean")]))
    case .choice(let choices):
      let names = choices.filter { !$0.later }.map { JSONText.string($0.name) }
      return orVariable(.object(["enum": .array(names)]))
    case .count: return quantity("[0-9]+(\\.[0-9]+)? ?[kM]?", numbers: true)
    case .size: return quantity("[0-9]+(\\.[0-9]+)? ?([KMGT]iB|[kKMGT]B|B)?", numbers: true)
    case .duration: return quantity("([0-9]+(\\.[0-9]+)? ?(ns|us|ms|s|m|h|d))+", numbers: false)
    case .percentage: return quantity("[0-9]+(\\.[0-9]{1,2})? ?%", numbers: false)
    case .text(.sha256): return quantity("[0-9a-fA-F]{64}", numbers: false)
    case .text(.name): return quantity("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", numbers: false)
    case .text, .secret: return .object(["type": .string("string"), "minLength": .integer(1)])
    }
  }

  /// A variable can stand in the place of anything.
  private static func orVariable(_ schema: JSONText) -> JSONText {
    .object(["anyOf": .array([schema, .object(["type": .string("string"), "pattern": .string("\\$\\{")])])])
  }

  private static func quantity(_ pattern: String, numbers: Bool) -> JSONText {
    .object([
      "type": numbers ? .array([.string("string"), .string("integer")]) : .string("string"),
      "pattern": .string("^\(pattern)$|\\$\\{"),
    ])
  }
}
