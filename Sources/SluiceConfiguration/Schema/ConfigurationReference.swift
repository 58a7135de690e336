internal import SluicePolicy

/// `docs/configuration.md`, from the schema.
package enum ConfigurationReference {
  package static func document() -> String {
    var text = introduction
    text += "\n## Keys\n\n"
    text += "`*` stands for a name of your choice, `[]` for each entry of a list.\n"
    for section in sections {
      text += heading(section.path)
      for entry in section.entries { text += row(entry) }
    }
    text += profiles()
    text += later()
    return text
  }

  /// The keys by what they belong to, in the order of the file.
  private static var sections: [(path: String, entries: [ConfigurationSchema.Entry])] {
    var sections: [(path: String, entries: [ConfigurationSchema.Entry])] = []
    for entry in ConfigurationSchema.entries where !entry.field.later && !isSection(entry.field) {
      let parent = parent(of: entry.path)
      if let index = sections.firstIndex(where: { $0.path == parent }) {
        sections[index].entries.append(entry)
      } else {
        sections.append((parent, [entry]))
      }
    }
    return sections
  }

  private static func isSection(_ field: SchemaField) -> Bool {
    switch field.type {
    case .object, .map: true
    default: false
    }
  }

  private static func parent(of path: String) -> String {
    path.lastIndex(of: ".").map { String(path[..<$0]) } ?? ""
  }

  private static func heading(_ path: String) -> String {
    let name = path.isEmpty ? "Top level" : "`\(path)`"
    let section =
      path.hasSuffix("[]") ? String(path.dropLast(2)) : path.hasSuffix(".*") ? String(path.dropLast(2)) : path
    let words = ConfigurationSchema.field(section).map { "\n\($0.documentation)\n" } ?? ""
    return """

      ### \(name)
      \(words)
      | key | type | default | range | a change applies | meaning |
      |---|---|---|---|---|---|

      """
  }

  private static func row(_ entry: ConfigurationSchema.Entry) -> String {
    let field = entry.field
    let fallback = field.isRequired ? "required" : field.fallback.map { "`\($0)`" } ?? "–"
    let cells = [
      "`\(entry.path)`", typeName(field.type), fallback, range(field.type) ?? "–", field.change.rawValue,
      field.documentation,
    ]
    return "| " + cells.map { $0.replacingBars() }.joined(separator: " | ") + " |\n"
  }

  private static func typeName(_ type: SchemaType) -> String {
    switch type {
    case .text(.label), .text(.token): "text"
    case .text(.name): "name"
    case .text(.url): "URL"
    case .text(.proxy): "proxy URL"
    case .text(.path), .text(.catalogue): "path"
    case .text(.sha256): "SHA-256"
    case .text(.pattern): "model pattern"
    case .text(.listen): "address"
    case .text(.host): "host"
    case .secret: "secret"
    case .boolean: "boolean"
    case .integer: "integer"
    case .count: "count"
    case .duration: "duration"
    case .size: "size"
    case .percentage: "percentage"
    case .choice: "word"
    case .object, .map: "mapping"
    case .list(let element, _): "list of " + typeName(element)
    case .either(let types): types.map(typeName).joined(separator: " or ")
    }
  }

  private static func range(_ type: SchemaType) -> String? {
    switch type {
    case .integer(let range): "\(range.lowerBound) – \(range.upperBound)"
    case .count(let range): "\(range.lowerBound) – \(range.upperBound)"
    case .duration(let range): "\(Quantity.text(range.lowerBound)) – \(Quantity.text(range.upperBound))"
    case .size(let range): "\(Quantity.text(bytes: range.lowerBound)) – \(Quantity.text(bytes: range.upperBound))"
    case .percentage(let range):
      "\(Quantity.text(fraction: range.lowerBound)) – \(Quantity.text(fraction: range.upperBound))"
    case .choice(let choices): choices.filter { !$0.later }.map { "`\($0.name)`" }.joined(separator: ", ")
    case .list(_, let count): "\(count.lowerBound) – \(count.upperBound) entries"
    case .either(let types):
      types.compactMap(range).isEmpty ? nil : types.compactMap(range).joined(separator: ", or ")
    default: nil
    }
  }

  private static func profiles() -> String {
    var text = "\n## Profiles\n\nDefaults that differ from those above (`production`):\n\n"
    let others = Profile.allCases.filter { $0 != .production }
    text += "| key | " + others.map(\.rawValue).joined(separator: " | ") + " |\n"
    text += "|---|" + others.map { _ in "---|" }.joined() + "\n"
    for entry in ConfigurationSchema.entries where !entry.field.profiles.isEmpty {
      let cells = others.map { profile in entry.field.fallback(in: profile).map { "`\($0)`" } ?? "–" }
      text += "| `\(entry.path)` | " + cells.joined(separator: " | ") + " |\n"
    }
    return text
  }

  private static func later() -> String {
    let names = ConfigurationSchema.entries.filter(\.field.later).map { entry in
      "- `\(entry.path)`: \(entry.field.documentation)\n"
    }
    return """

      ## Not in this version

      These keys are known and refused, so that nothing is silently ignored:

      \(names.joined())
      """
  }

  private static let introduction = """
    # Configuration

    <!-- Generated from the schema in Sources/SluiceConfiguration; `make docs` writes it. -->

    Sluice reads one YAML file: the one given with `--config`, else `$SLUICE_CONFIG`, else `./sluice.yaml`. Without a file it
    looks for the environment variables of the providers' own SDKs and for model servers on this machine. `sluice init`
    writes what it finds as a file to start from, `sluice check` shows every problem of a file with its line and column,
    and `docs/sluice.schema.json` lets editors complete keys.

    ## Values

    | type | written as |
    |---|---|
    | duration | numbers with `ns`, `us`, `ms`, `s`, `m`, `h`, `d`: `30s`, `250ms`, `1h30m`; never without a unit |
    | size | `64KiB`, `32MiB`, `1GiB` (powers of 1024), `kB`, `MB`, `GB` (powers of 1000), or bytes as a number alone |
    | count | `600`, `200k`, `2M` |
    | percentage | `20%` |
    | name | 1 to 64 letters, digits, `.`, `_`, `-`, the first one a letter or digit |
    | secret | visible ASCII; shown nowhere, not in logs, errors, metrics or `/api/config` |

    `${VAR}` is the value of an environment variable, `${VAR:-default}` has a default for when it is not set or empty, and
    `${file:PATH}` is the content of a file (at most 64 KiB, without the line break at its end; relative to the
    configuration file). `$${` stands for `${` itself. A variable that is not set is an error. A value that turns out
    empty counts as not given. Inside `{…}` and `[…]` put variables in quotes: `{key: "${VAR}"}`.

    ## Environment

    `SLUICE_` and the path of a key in capitals overrides it: `SLUICE_SERVER_LISTEN`,
    `SLUICE_POOLS_OPENAI_CONNECTIONS_MAX`. A variable that could mean two keys is an error, one that means none a warning;
    lists cannot be overridden, and a variable set to nothing does nothing.

    Variables with a meaning of their own: `SLUICE_CONFIG` (the file), `SLUICE_LOG_LEVEL` and `SLUICE_LOG_FORMAT` (of the
    servers, where no option says it), `SLUICE_URL`, `SLUICE_API_KEY` and `SLUICE_ADMIN_TOKEN` (for commands that talk to a
    running gateway).

    Three short names set the defaults for all pools (seconds, or a duration): `SLUICE_POOL_HEALTH_INTERVAL`,
    `SLUICE_POOL_RECONNECT_DELAY`, `SLUICE_POOL_CONNECTION_TIMEOUT`.

    ## Reload

    When the file changes, or on SIGHUP, it is read, checked, compared and applied as one step. A file with problems changes
    nothing. Each change is reported as applied *live*, on the *next connection*, or as waiting for a *restart*. Endpoints are
    recognised by their URL and key, not by their place in a list; removed ones finish what they have begun.

    """
}

extension String {
  /// Bars would end a cell of a table.
  fileprivate func replacingBars() -> String {
    split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
  }
}
