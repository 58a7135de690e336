/// One value of a configuration in force, ready to be compared and shown.
package struct SettingRecord: Hashable, Sendable {
  /// A step on the way from the root.
  package enum Step: Hashable, Sendable {
    case key(String)
    /// An entry of a list, known by what it is (a name or an identity) instead of its position.
    case item(identity: String, name: String)
  }

  package var steps: [Step]
  /// The path in the schema, as in `pools.*.connections.max`.
  package var pattern: String
  /// What may be shown; `[redacted]` for a secret.
  package var value: JSONText
  /// Tells secrets apart without showing them.
  package var fingerprint: String?

  /// The path for people.
  package var path: String {
    steps.reduce("") { path, step in
      switch step {
      case .key(let key): path.isEmpty ? key : "\(path).\(key)"
      case .item(_, let name): "\(path)[\(name)]"
      }
    }
  }

  /// The path for comparing.
  package var identity: String {
    steps.reduce("") { path, step in
      switch step {
      case .key(let key): "\(path).\(key)"
      case .item(let identity, _): "\(path)[\(identity)]"
      }
    }
  }
}

/// Collects records along a path.
struct SettingRecorder {
  private(set) var records: [SettingRecord] = []
  private var steps: [SettingRecord.Step] = []
  private var pattern = ""

  mutating func add(_ key: String, _ value: JSONText?) {
    guard let value else { return }
    append(key, value, fingerprint: nil)
  }

  mutating func add(_ key: String, secret: Secret?) {
    guard let secret else { return }
    append(key, .string(Secret.redacted), fingerprint: secret.fingerprint)
  }

  private mutating func append(_ key: String, _ value: JSONText, fingerprint: String?) {
    records.append(
      SettingRecord(
        steps: steps + [.key(key)], pattern: pattern.isEmpty ? key : "\(pattern).\(key)", value: value,
        fingerprint: fingerprint))
  }

  /// Records of an object below a key.
  mutating func nested(_ key: String, _ body: (inout SettingRecorder) -> Void) {
    descend([.key(key)], pattern.isEmpty ? key : "\(pattern).\(key)", body)
  }

  /// Records of one named entry of a map.
  mutating func named(_ key: String, _ name: String, _ body: (inout SettingRecorder) -> Void) {
    descend([.key(key), .key(name)], (pattern.isEmpty ? key : "\(pattern).\(key)") + ".*", body)
  }

  /// Records of one entry of a list.
  mutating func item(_ key: String, identity: String, name: String, _ body: (inout SettingRecorder) -> Void) {
    let path = (pattern.isEmpty ? key : "\(pattern).\(key)") + "[]"
    descend([.key(key), .item(identity: identity, name: name)], path, body)
  }

  private mutating func descend(
    _ further: [SettingRecord.Step], _ newPattern: String, _ body: (inout SettingRecorder) -> Void
  ) {
    let saved = (steps, pattern)
    steps += further
    pattern = newPattern
    body(&self)
    (steps, pattern) = saved
  }
}

/// Puts records together to a tree.
enum SettingTree {
  static func json(_ records: [SettingRecord]) -> JSONText {
    records.reduce(.object([])) { tree, record in
      insert(record.value, record.steps[...], into: tree)
    }
  }

  private static func insert(_ value: JSONText, _ steps: ArraySlice<SettingRecord.Step>, into tree: JSONText?)
    -> JSONText
  {
    guard let step = steps.first else { return value }
    let rest = steps.dropFirst()
    switch step {
    case .key(let key):
      var members: [JSONText.Member] = []
      if case .object(let existing)? = tree { members = existing }
      if let index = members.firstIndex(where: { $0.key == key }) {
        members[index].value = insert(value, rest, into: members[index].value)
      } else {
        members.append(.init(key: key, value: insert(value, rest, into: nil)))
      }
      return .object(members)
    case .item(_, let name):
      var items: [JSONText] = []
      if case .array(let existing)? = tree { items = existing }
      // Entries are recorded one after the other, and each begins with its name.
      if let last = items.last, last["name"] == .string(name) {
        items[items.count - 1] = insert(value, rest, into: last)
      } else {
        items.append(insert(value, rest, into: nil))
      }
      return .array(items)
    }
  }
}
