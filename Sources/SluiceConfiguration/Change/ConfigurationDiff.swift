/// What a reload changes, value by value, and when each change takes effect.
///
/// Endpoints are matched by what they are (URL and key), not by name or position: a list in another order is no change, and
/// another key in the same place is one endpoint removed and one added.
package struct ConfigurationDiff: Hashable, Sendable {
  package enum Kind: String, Sendable {
    case added, removed, changed
  }

  package struct Change: Hashable, Sendable {
    /// As in `pools.openai.connections.max`.
    package var path: String
    package var kind: Kind
    /// As in the file; never a secret. Nil where there was or is nothing, or where it is a whole section.
    package var old: String?
    package var new: String?
    package var effect: ChangeEffect
  }

  /// In the order of the file; what was removed comes last.
  package var changes: [Change]

  package init(from old: SluiceConfiguration, to new: SluiceConfiguration) {
    let (before, after) = (old.records, new.records)
    let known = Dictionary(before.map { ($0.identity, $0) }, uniquingKeysWith: { first, _ in first })
    let kept = Dictionary(after.map { ($0.identity, $0) }, uniquingKeysWith: { first, _ in first })
    let (oldGroups, newGroups) = (Set(before.flatMap(\.groups)), Set(after.flatMap(\.groups)))
    var changes: [Change] = []
    for record in after {
      if let previous = known[record.identity] {
        if previous.value != record.value || previous.fingerprint != record.fingerprint {
          changes.append(.init(.changed, record, old: previous, new: record))
        }
      } else {
        changes.append(.init(.added, record, missingIn: oldGroups))
      }
    }
    for record in before where kept[record.identity] == nil {
      changes.append(.init(.removed, record, missingIn: newGroups))
    }
    var seen: Set<Change> = []
    self.changes = changes.filter { seen.insert($0).inserted }
  }

  package var isEmpty: Bool { changes.isEmpty }

  /// Whether some of it waits for a restart.
  package var needsRestart: Bool { changes.contains { $0.effect == .restart } }

  /// One line per change, for the log.
  package var summary: [String] {
    changes.map { change in
      let values = [change.old, change.new].compactMap { $0 }.joined(separator: " → ")
      return "\(change.path): \(change.kind.rawValue)\(values.isEmpty ? "" : " \(values)") (\(change.effect.rawValue))"
    }
  }

  /// The report of a reload for `/api/config`.
  package var json: JSONText {
    .array(
      changes.map { change in
        .object([
          "path": .string(change.path), "change": .string(change.kind.rawValue),
          "old": change.old.map { .string($0) }, "new": change.new.map { .string($0) },
          "applies": .string(change.effect.rawValue),
        ])
      })
  }
}

extension ConfigurationDiff.Change {
  fileprivate init(_ kind: ConfigurationDiff.Kind, _ record: SettingRecord, old: SettingRecord?, new: SettingRecord?) {
    path = record.path
    self.kind = kind
    self.old = old?.value.short
    self.new = new?.value.short
    effect = record.effect
  }

  /// A value that appeared or went away. If all of its pool, endpoint, key or route did, that is one change.
  fileprivate init(_ kind: ConfigurationDiff.Kind, _ record: SettingRecord, missingIn groups: Set<String>) {
    let isAdded = kind == .added
    self.init(kind, record, old: isAdded ? nil : record, new: isAdded ? record : nil)
    for (index, group) in record.groups.enumerated() where !groups.contains(group) {
      path = record.groupPaths[index]
      (old, new) = (nil, nil)
      effect = .live
      return
    }
  }
}

extension SettingRecord {
  /// How many steps lead to each named thing on the way: a pool, an endpoint, an access key, a route.
  private var groupEnds: [Int] {
    var ends: [Int] = []
    for (index, step) in steps.enumerated() {
      if case .item = step { ends.append(index + 1) }
      if index == 1, case .key("pools") = steps[0] { ends.append(index + 1) }
    }
    return ends
  }

  fileprivate var groups: [String] {
    groupEnds.map { end in
      var part = self
      part.steps = Array(steps[..<end])
      return part.identity
    }
  }

  fileprivate var groupPaths: [String] {
    groupEnds.map { end in
      var part = self
      part.steps = Array(steps[..<end])
      return part.path
    }
  }

  /// From the schema. What endpoints are made of takes part in their identity and so always applies live.
  package var effect: ChangeEffect { ConfigurationSchema.field(pattern)?.change ?? .live }
}

extension JSONText {
  /// On one line, without quotes around a text.
  fileprivate var short: String {
    switch self {
    case .string(let text): text
    case .integer(let value): "\(value)"
    case .boolean(let value): "\(value)"
    case .null: "null"
    case .array(let items): "[" + items.map(\.short).joined(separator: ", ") + "]"
    case .object(let members): "{" + members.map { "\($0.key): \($0.value.short)" }.joined(separator: ", ") + "}"
    }
  }
}
