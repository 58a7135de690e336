/// The format of the configuration file, said once.
package enum ConfigurationSchema {
  /// Most entries of a list or a map of names.
  static let most = 1_000

  package static let root: [SchemaField] = [
    SchemaField(
      "version", .integer(1...1), default: "1", change: .restart, "Version of this format. There is only 1 so far."),
    SchemaField(
      "profile", .choice(Profile.allCases.map { SchemaChoice($0.rawValue) }), default: "production",
      "A set of defaults: `development` (few connections and short waits, on one's own machine), `testing` (small, quick to end), "
        + "`demo` (quick to react, for showing) or `production`. A value that is given always wins."),
    SchemaField("server", .object(server), "The gateway's own side."),
    SchemaField(
      "access", .object(access),
      "Who may use the gateway. Without it everybody who reaches it may, and it listens on loopback only."),
    SchemaField("admission", .object(admission), "How many requests may wait for a pool, and for how long."),
    SchemaField("pools", .map(.object(pool)), required: true, "The pools by name."),
    SchemaField(
      "routes", .list(.object(route), 0...most),
      "Which pool serves which model. The first pattern that fits wins, exact names before patterns."),
    SchemaField(
      "catalogue", .text(.catalogue),
      "Sizes, abilities and prices of models as JSON, in the format of litellm's `model_prices_and_context_window.json`: "
        + "replaces or adds single models of the shipped catalogue."),
    .later("cache", "Answers kept for identical requests."),
    .later("agents", "Pools of agent processes."),
    .later("sockets", "Persistent connections to agents."),
    .later("teams", "One message to many agents."),
    .later("models", "Model servers started on demand."),
    .later("databases", "Pools of database connections."),
    .later("monitor", "History, alerts and webhooks."),
    .later("store", "Where history is kept."),
    .later("cluster", "Limits shared by several gateways."),
    .later("telemetry", "Export of traces and metrics."),
  ]

  /// One key with its full path: `pools.*.connections.max`, `access.keys[].name`.
  package struct Entry: Sendable {
    package var path: String
    package var field: SchemaField
    /// The key is an alternative to a plain value, or inside a list: there is no single place to override.
    package var isInList: Bool
  }

  /// Every key, parents before their children, in the order of the file.
  package static let entries: [Entry] = flatten(root, prefix: "", isInList: false)

  private static let index: [String: SchemaField] = Dictionary(
    entries.map { ($0.path, $0.field) }, uniquingKeysWith: { first, _ in first })

  /// The field at a path of patterns.
  package static func field(_ path: String) -> SchemaField? { index[path] }

  private static func flatten(_ fields: [SchemaField], prefix: String, isInList: Bool) -> [Entry] {
    fields.flatMap { field in
      let path = prefix + field.name
      return [Entry(path: path, field: field, isInList: isInList)]
        + (field.later ? [] : children(of: field.type, path: path, isInList: isInList))
    }
  }

  private static func children(of type: SchemaType, path: String, isInList: Bool) -> [Entry] {
    switch type {
    case .object(let fields): flatten(fields, prefix: path + ".", isInList: isInList)
    case .map(let element): children(of: element, path: path + ".*", isInList: isInList)
    case .list(let element, _): children(of: element, path: path + "[]", isInList: true)
    case .either(let types): types.flatMap { children(of: $0, path: path, isInList: isInList) }
    default: []
    }
  }
}
