import SluiceDialects

/// Makes a value that fits a JSON Schema: types, `properties`, `required`, `enum`, `const`, bounds, `items`,
/// `anyOf`/`oneOf`/`allOf`, local `$ref`s and the usual formats. Patterns are beyond it.
///
/// Depth and size are bounded whatever the schema says: a recursive one ends in the smallest value that fits.
struct SchemaFiller {
  /// Words of the question that look like names, used for texts so that answers make sense.
  let names: [String]
  let root: JSONValue
  var random: SeededRandom
  /// Which of the names comes first; parallel calls start at different ones.
  var nameIndex: Int
  private var remaining = 2_000

  private static let maxDepth = 12
  private static let words = ["alpha", "harbour", "willow", "summit", "lantern", "meadow", "orchard", "compass"]

  init(root: JSONValue, names: [String], nameIndex: Int = 0, random: SeededRandom) {
    self.root = root
    self.names = names
    self.nameIndex = nameIndex
    self.random = random
  }

  mutating func fill() -> JSONValue {
    fill(root, depth: 0)
  }

  private mutating func fill(_ schema: JSONValue, depth: Int) -> JSONValue {
    remaining -= 1
    guard remaining > 0, depth < Self.maxDepth else { return Self.smallest(schema) }
    if let reference = schema["$ref"]?.string {
      return resolve(reference).map { fill($0, depth: depth + 1) } ?? .null
    }
    if let constant = schema["const"] { return constant }
    if let choices = schema["enum"]?.array, !choices.isEmpty { return choices[random.below(choices.count)] }
    for name in ["anyOf", "oneOf"] {
      if let options = schema[name]?.array, let first = options.first(where: { $0["type"]?.string != "null" }) {
        return fill(first, depth: depth + 1)
      }
    }
    if let parts = schema["allOf"]?.array { return fill(Self.merged(schema, parts), depth: depth + 1) }
    return fill(schema, type: Self.type(of: schema), depth: depth)
  }

  private mutating func fill(_ schema: JSONValue, type: String, depth: Int) -> JSONValue {
    switch type {
    case "object": return object(schema, depth: depth)
    case "array": return array(schema, depth: depth)
    case "integer": return integer(schema)
    case "number": return number(schema)
    case "boolean": return .bool(random.below(2) == 0)
    case "null": return .null
    default: return .string(text(schema))
    }
  }

  private mutating func object(_ schema: JSONValue, depth: Int) -> JSONValue {
    let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
    var members: [JSONMember] = []
    for property in schema["properties"]?.members ?? [] {
      // What is optional is left out deeper down, which also ends most recursions.
      guard required.contains(property.name) || (required.isEmpty && depth < 4) else { continue }
      members.append(JSONMember(name: property.name, value: fill(property.value, depth: depth + 1)))
    }
    return .object(members)
  }

  private mutating func array(_ schema: JSONValue, depth: Int) -> JSONValue {
    let least = max(0, schema["minItems"]?.int ?? 0)
    let most = max(least, schema["maxItems"]?.int ?? max(least, 2))
    let count = min(max(least, min(2, most)), 100)
    let item = schema["items"] ?? .object([])
    return .array((0..<count).map { _ in fill(item, depth: depth + 1) })
  }

  private mutating func integer(_ schema: JSONValue) -> JSONValue {
    let lower = schema["minimum"]?.int ?? schema["exclusiveMinimum"]?.int.map { $0 == .max ? $0 : $0 + 1 }
    let upper = schema["maximum"]?.int ?? schema["exclusiveMaximum"]?.int.map { $0 == .min ? $0 : $0 - 1 }
    let low = lower ?? min(1, upper ?? 1)
    let high = max(low, upper ?? (low > .max - 99 ? .max : low + 99))
    let (span, overflow) = high.subtractingReportingOverflow(low)
    var value = low + random.below(overflow ? 1_000 : min(span, 1_000_000) + 1)
    if let step = schema["multipleOf"]?.int, step > 0 {
      value -= value % step
      if value < low { value = value <= .max - step ? value + step : low }
    }
    return .int(value)
  }

  private mutating func number(_ schema: JSONValue) -> JSONValue {
    let lower = schema["minimum"]?.double ?? schema["exclusiveMinimum"]?.double
    let upper = schema["maximum"]?.double ?? schema["exclusiveMaximum"]?.double
    let low = lower ?? min(0, (upper ?? 0) - 1)
    let high = max(low, upper ?? low + 100)
    let value = low + (high - low) * (0.1 + 0.8 * random.unit())
    let rounded = (value * 100).rounded() / 100
    return .double(rounded > low && rounded < high ? rounded : value)
  }

  private mutating func text(_ schema: JSONValue) -> String {
    switch schema["format"]?.string {
    case "date-time": return "2026-11-21T07:30:59Z"
    case "date": return "2026-11-21"
    case "time": return "07:30:59Z"
    case "email": return "ada@example.com"
    case "uri", "url": return "https://example.com/"
    case "uuid": return "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    case "ipv4": return "192.0.2.1"
    default: break
    }
    var text = word()
    let least = min(schema["minLength"]?.int ?? 0, 10_000)
    while text.unicodeScalars.count < least { text += " " + word() }
    if let most = schema["maxLength"]?.int, most >= 0, text.unicodeScalars.count > most {
      text = String(String.UnicodeScalarView(text.unicodeScalars.prefix(most)))
    }
    return text
  }

  private mutating func word() -> String {
    guard !names.isEmpty else { return Self.words[random.below(Self.words.count)] }
    defer { nameIndex += 1 }
    return names[nameIndex % names.count]
  }

  /// A local reference such as `#/$defs/node`.
  private func resolve(_ reference: String) -> JSONValue? {
    guard reference.hasPrefix("#") else { return nil }
    var value = root
    for part in reference.dropFirst().split(separator: "/") {
      let name = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
      guard let inner = value[name] else { return nil }
      value = inner
    }
    return value
  }

  private static func type(of schema: JSONValue) -> String {
    if let type = schema["type"]?.string { return type }
    if let types = schema["type"]?.array?.compactMap(\.string) { return types.first { $0 != "null" } ?? "null" }
    if schema["properties"] != nil { return "object" }
    return schema["items"] != nil ? "array" : "string"
  }

  private static func smallest(_ schema: JSONValue) -> JSONValue {
    switch type(of: schema) {
    case "object": .object([])
    case "array": .array([])
    case "integer", "number": .int(schema["minimum"]?.int ?? 0)
    case "boolean": .bool(false)
    case "null": .null
    default: .string("")
    }
  }

  private static func merged(_ schema: JSONValue, _ parts: [JSONValue]) -> JSONValue {
    var properties: [JSONMember] = []
    var required: [JSONValue] = []
    var others: [JSONMember] = []
    for part in [schema] + parts {
      for member in part.members ?? [] {
        switch member.name {
        case "properties": properties += member.value.members ?? []
        case "required": required += member.value.array ?? []
        case "allOf": break
        default: others.append(member)
        }
      }
    }
    if !properties.isEmpty { others.append(JSONMember(name: "properties", value: .object(properties))) }
    if !required.isEmpty { others.append(JSONMember(name: "required", value: .array(required))) }
    return .object(others)
  }
}
