/// One key that may stand below `options:` of a pool of some provider.
package struct ProviderOption: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case text
    case secret
    case flag
    case integer(ClosedRange<Int>)
    case choice([String])
    /// Names to texts, for example deployments by model.
    case textMap
    case textList
  }

  package var name: String
  package var kind: Kind
  /// One sentence for the reference.
  package var summary: String
  /// As the reference shows it; empty for none.
  package var standard: String

  package init(_ name: String, _ kind: Kind, _ summary: String, standard: String = "") {
    self.name = name
    self.kind = kind
    self.summary = summary
    self.standard = standard
  }
}

/// The values below `options:` of one pool, checked against its provider's `ProviderOption`s. Never printed whole: some
/// are secrets.
package struct ProviderOptions: Hashable, Sendable {
  package enum Value: Hashable, Sendable {
    case text(String)
    case flag(Bool)
    case integer(Int)
    case textMap([String: String])
    case textList([String])
  }

  private var values: [String: Value]

  package init(_ values: [String: Value] = [:]) { self.values = values }

  package static let none = ProviderOptions()

  package var isEmpty: Bool { values.isEmpty }

  /// The same options but for one text.
  package func setting(_ name: String, to text: String) -> ProviderOptions {
    var options = self
    options.values[name] = .text(text)
    return options
  }

  package subscript(text name: String) -> String? {
    if case .text(let text) = values[name], !text.isEmpty { text } else { nil }
  }

  package subscript(flag name: String) -> Bool? {
    if case .flag(let flag) = values[name] { flag } else { nil }
  }

  package subscript(integer name: String) -> Int? {
    if case .integer(let number) = values[name] { number } else { nil }
  }

  package subscript(map name: String) -> [String: String] {
    if case .textMap(let map) = values[name] { map } else { [:] }
  }

  package subscript(list name: String) -> [String] {
    if case .textList(let list) = values[name] { list } else { [] }
  }
}

extension ProviderOptions: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "options (\(values.keys.sorted().joined(separator: ", ")))" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
