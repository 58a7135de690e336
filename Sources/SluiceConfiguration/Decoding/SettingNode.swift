package import SluicePolicy

/// A value that fits its type in the schema, with the place it came from.
package struct SettingNode: Sendable {
  package indirect enum Content: Sendable {
    case text(String)
    case secret(Secret)
    case boolean(Bool)
    case integer(Int)
    case fraction(Double)
    case duration(Interval)
    case list([SettingNode])
    case object(SettingObject)
    /// Something was given but does not fit, which has been reported.
    case invalid
  }

  package var content: Content
  package var position: SourcePosition

  package init(_ content: Content, at position: SourcePosition) {
    self.content = content
    self.position = position
  }
}

/// The given keys of a mapping, in the order of the file.
package struct SettingObject: Sendable {
  package struct Entry: Sendable {
    package var key: String
    package var keyPosition: SourcePosition
    package var value: SettingNode
  }

  package var entries: [Entry] = []

  package subscript(key: String) -> SettingNode? { entries.first { $0.key == key }?.value }
}
