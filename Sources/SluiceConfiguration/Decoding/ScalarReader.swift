internal import SluicePolicy

/// Reads one text as a value of a simple type, ranges included. Used for the file, the environment and the defaults of
/// the schema alike, so that a default is spelled and checked like anything else.
struct ScalarReader {
  /// Completes the sentence "expected …" or stands alone.
  struct Failure: Error {
    var message: String
    var suggestion: String?
    /// The type fits, the value does not.
    var isRange = false
  }

  /// How the text was written.
  var style: DocumentNode.Style
  /// It was put together from variables: what it is made of does not show its type, and it may hold a secret.
  var isResolved: Bool
  /// What messages may show of it.
  var shown: String

  init(style: DocumentNode.Style, isResolved: Bool, shown: String) {
    self.style = style
    self.isResolved = isResolved
    self.shown = shown
  }

  /// For texts of our own.
  init(trusted text: String) {
    self.init(style: .literal, isResolved: false, shown: text)
  }

  func read(_ text: String, as type: SchemaType) throws(Failure) -> SettingNode.Content {
    switch type {
    case .text(let rule): return try self.text(text, rule)
    case .secret: return .secret(try secret(text))
    case .boolean: return .boolean(try boolean(text))
    case .choice(let choices): return .text(try choice(text, choices))
    case .integer(let range): return .integer(try integer(text, range))
    case .count(let range):
      return .integer(
        try bounded(try quantity { () throws(QuantityError) in try Quantity.count(text) }, range) { "\($0)" })
    case .size(let range):
      let value = try quantity { () throws(QuantityError) in try Quantity.size(text) }
      return .integer(try bounded(value, range) { Quantity.text(bytes: $0) })
    case .duration(let range):
      let value = try quantity { () throws(QuantityError) in try Quantity.duration(text) }
      return .duration(try bounded(value, range) { Quantity.text($0) })
    case .percentage(let range):
      let value = try quantity { () throws(QuantityError) in try Quantity.percentage(text) }
      return .fraction(try bounded(value, range) { Quantity.text(fraction: $0) })
    case .either(let types): return try either(text, types)
    case .object, .map, .list: throw Failure(message: "expected \(type.expectation), found a single value")
    }
  }

  private func either(_ text: String, _ types: [SchemaType]) throws(Failure) -> SettingNode.Content {
    let scalars = types.filter(\.isScalar)
    if scalars.count == 1 { return try read(text, as: scalars[0]) }
    for type in scalars {
      do { return try read(text, as: type) } catch { if error.isRange { throw error } }
    }
    throw Failure(message: "expected \(SchemaType.either(types).expectation), found '\(shown)'")
  }

  private func quantity<Value>(_ read: () throws(QuantityError) -> Value) throws(Failure) -> Value {
    do { return try read() } catch { throw Failure(message: "'\(shown)': \(error.message)") }
  }

  private func bounded<Value: Comparable>(
    _ value: Value, _ range: ClosedRange<Value>, _ render: (Value) -> String
  ) throws(Failure) -> Value {
    guard range.contains(value) else {
      throw Failure(
        message: "'\(shown)' is out of range: \(render(range.lowerBound)) to \(render(range.upperBound))",
        isRange: true)
    }
    return value
  }

  private func integer(_ text: String, _ range: ClosedRange<Int>) throws(Failure) -> Int {
    try unquoted("a whole number")
    guard text.utf8.count <= 19, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }),
      let value = Int(text)
    else { throw Failure(message: "expected a whole number, found '\(shown)'") }
    return try bounded(value, range) { "\($0)" }
  }

  private func boolean(_ text: String) throws(Failure) -> Bool {
    try unquoted("true or false")
    switch text {
    case "true", "True", "TRUE": return true
    case "false", "False", "FALSE": return false
    default: throw Failure(message: "expected true or false, found '\(shown)'")
    }
  }

  private func unquoted(_ expectation: String) throws(Failure) {
    guard style == .quoted, !isResolved else { return }
    throw Failure(message: "expected \(expectation), found text: remove the quotes")
  }

  private func choice(_ text: String, _ choices: [SchemaChoice]) throws(Failure) -> String {
    let allowed = choices.filter { !$0.later }.map(\.name)
    guard let match = choices.first(where: { $0.name == text }) else {
      let nearest = Suggestion.nearest(to: text, in: allowed)
      throw Failure(
        message: "expected one of \(allowed.joined(separator: ", ")), found '\(shown)'", suggestion: nearest)
    }
    guard !match.later else {
      throw Failure(message: "'\(text)' is not supported in this version: use \(allowed.joined(separator: ", "))")
    }
    return text
  }

  private func secret(_ text: String) throws(Failure) -> Secret {
    guard !text.isEmpty else { throw Failure(message: "the key is empty") }
    guard text.utf8.count <= 8192, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw Failure(message: "a key consists of at most 8192 visible ASCII characters, without spaces or line breaks")
    }
    return Secret(text)
  }

  private func text(_ text: String, _ rule: TextRule) throws(Failure) -> SettingNode.Content {
    switch rule {
    case .proxy:
      guard ProxyURL.isValid(text) else {
        throw Failure(message: "expected the URL of an HTTP proxy: http://HOST:PORT or http://USER:PASSWORD@HOST:PORT")
      }
      return .secret(Secret(text))
    case .label: try require(isPrintable(text, most: 256), "expected 1 to 256 printable characters")
    case .token:
      try require(
        (1...256).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) },
        "expected 1 to 256 visible ASCII characters, without spaces")
    case .name:
      try require(
        NameRule.isValid(text), "expected a name of 1 to 64 letters, digits, '.', '_' or '-', found '\(shown)'")
    case .url: try require(BaseURL(text) != nil, urlMessage(text))
    case .path, .catalogue: try require(isPrintable(text, most: 4096), "expected the path of a file")
    case .sha256:
      try require(Hexadecimal.bytes(text)?.count == 32, "expected a SHA-256 as 64 hexadecimal digits")
    case .pattern:
      try require(isPrintable(text, most: 256) && !text.contains(" "), "expected a model name, '*' for any characters")
    case .listen:
      try require(ListenAddress(text) != nil, "expected HOST:PORT or unix:/path, found '\(shown)'")
    case .host:
      try require(HostRule.isValid(text), "expected a host name or address without port, found '\(shown)'")
    }
    return .text(text)
  }

  /// Says what is wrong without showing what might be a password.
  private func urlMessage(_ text: String) -> String {
    if text.contains("@") { return "a base URL has no user or password: use keys" }
    if text.contains("?") || text.contains("#") { return "a base URL has no query or fragment" }
    return "expected an absolute http or https URL, found '\(shown)'"
  }

  private func require(_ condition: Bool, _ message: String) throws(Failure) {
    if !condition { throw Failure(message: message) }
  }

  private func isPrintable(_ text: String, most: Int) -> Bool {
    (1...most).contains(text.utf8.count)
      && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && !(0x80...0x9F).contains($0.value) }
  }
}

extension SchemaType {
  var isScalar: Bool {
    switch self {
    case .object, .map, .list, .either: false
    default: true
    }
  }
}
