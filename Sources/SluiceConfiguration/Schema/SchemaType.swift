package import SluicePolicy

/// What a text has to be beyond being text.
package enum TextRule: String, Sendable {
  /// Anything of 1 to 256 printable characters.
  case label
  /// 1 to 256 visible ASCII characters: something that travels in a header.
  case token
  /// 1 to 64 letters, digits, `.`, `_`, `-`, the first one a letter or digit.
  case name
  /// A base URL: http or https, host, optional port and path; no user, query or fragment.
  case url
  /// The URL of an HTTP proxy: http, host, port, optionally `user:password@`. Treated as a secret.
  case proxy
  /// A file, relative to the directory of the configuration file.
  case path
  /// A file of models, likewise; see `ModelCatalogue`.
  case catalogue
  /// A SHA-256 as 64 hexadecimal digits.
  case sha256
  /// A model name, `*` standing for any characters.
  case pattern
  /// `HOST:PORT` or `unix:/path`.
  case listen
  /// The name or address of a host, as in a `host` header, without port.
  case host
}

/// One of the words that a choice allows.
package struct SchemaChoice: Hashable, Sendable {
  package var name: String
  /// Known, but not in this version.
  package var later: Bool

  package init(_ name: String, later: Bool = false) {
    self.name = name
    self.later = later
  }
}

/// The type of a value in the file.
package indirect enum SchemaType: Sendable {
  case text(TextRule)
  case secret
  case boolean
  case integer(ClosedRange<Int>)
  case count(ClosedRange<Int>)
  case duration(ClosedRange<Interval>)
  case size(ClosedRange<Int>)
  case percentage(ClosedRange<Double>)
  case choice([SchemaChoice])
  case object([SchemaField])
  /// Names chosen by the user, each with a value of the same type.
  case map(SchemaType)
  case list(SchemaType, ClosedRange<Int>)
  /// Told apart by shape (single value, mapping, list); several single values are tried in order.
  case either([SchemaType])

  /// Fields, if it is or can be an object.
  package var fields: [SchemaField]? {
    switch self {
    case .object(let fields): fields
    case .either(let types): types.lazy.compactMap(\.fields).first
    default: nil
    }
  }

  /// What is expected, in words.
  package var expectation: String {
    switch self {
    case .text(.label), .text(.token), .text(.name), .text(.pattern): "text"
    case .text(.url): "a URL"
    case .text(.proxy): "the URL of a proxy"
    case .text(.path), .text(.catalogue): "the path of a file"
    case .text(.sha256): "a SHA-256 of 64 hexadecimal digits"
    case .text(.listen): "HOST:PORT or unix:/path"
    case .text(.host): "a host name or address, without port"
    case .secret: "a key as text"
    case .boolean: "true or false"
    case .integer: "a whole number"
    case .count: "a count like 600, 200k or 2M"
    case .duration: "a duration like 30s, 5m or 250ms"
    case .size: "a size like 64KiB or 32MiB"
    case .percentage: "a percentage like 20%"
    case .choice(let choices): "one of " + choices.filter { !$0.later }.map(\.name).joined(separator: ", ")
    case .object: "a mapping"
    case .map: "a mapping of names"
    case .list: "a list"
    case .either(let types): types.map(\.expectation).joined(separator: " or ")
    }
  }
}

/// When a change of a value takes effect after a reload.
package enum ChangeEffect: String, CaseIterable, Comparable, Sendable {
  case live
  case nextConnection = "next connection"
  case restart

  package static func < (left: ChangeEffect, right: ChangeEffect) -> Bool {
    guard let first = allCases.firstIndex(of: left), let second = allCases.firstIndex(of: right) else { return false }
    return first < second
  }
}

/// One key of the file: everything there is to say about it, for the validator, the decoder's defaults, the JSON
/// Schema, the reference and the suggestions alike.
package struct SchemaField: Sendable {
  package var name: String
  package var type: SchemaType
  /// The default, spelled as in the file.
  package var fallback: String?
  /// Defaults of profiles that differ.
  package var profiles: [Profile: String]
  package var isRequired: Bool
  package var change: ChangeEffect
  /// Known, but refused in this version.
  package var later: Bool
  package var documentation: String

  package init(
    _ name: String, _ type: SchemaType, default fallback: String? = nil, profiles: [Profile: String] = [:],
    required: Bool = false, change: ChangeEffect = .live, _ documentation: String
  ) {
    self.name = name
    self.type = type
    self.fallback = fallback
    self.profiles = profiles
    isRequired = required
    self.change = change
    later = false
    self.documentation = documentation
  }

  /// A key of a later version.
  package static func later(_ name: String, _ documentation: String) -> SchemaField {
    var field = SchemaField(name, .object([]), documentation)
    field.later = true
    return field
  }

  /// The default under a profile.
  package func fallback(in profile: Profile) -> String? { profiles[profile] ?? fallback }
}
