import Foundation
import SluiceConfiguration
import SluicePolicy
import Testing

/// The schema, the decoder, the model, the reference and the JSON Schema say the same.
struct SchemaTests {
  /// Sets every supported key at least once.
  static let complete = """
    version: 1
    catalogue: m.json
    profile: production
    server:
      listen: ["127.0.0.1:1"]
      tls: {certificate: c.pem, private_key: k.pem}
      admin_token: t
      threads: 2
      max_request_body: 1MiB
      max_buffered: 2MiB
      max_head: 8KiB
      max_connections: 5
      hosts: [a.example]
      head_timeout: 1s
      body_timeout: 1s
      min_body_rate: 1KiB
      idle_timeout: 1s
      drain_timeout: 1s
      keepalive_comment: 1s
    access:
      keys: [{name: a, sha256: \(String(repeating: "0", count: 64)), class: low, models: [m]}]
    admission: {capacity: 5, timeout: 1s}
    pools:
      one: &pool
        provider: openai
        base_url: http://h/v1
        organization: o
        project: p
        keys: [k, {name: n, key: k2, organization: o, project: p, auth: bearer, weight: 2, role: backup}]
        balance: {strategy: round_robin, affinity: none}
        connections: {min: 1, max: 2, pool_max: 3, keep_warm: 1s, reconnect_delay: 1s, idle_timeout: 1s, max_age: 1s,
                      keepalive: 1s, connect_timeout: 1s, protocol: http1}
        timeouts: {first_byte: 1s, first_token: 1s, between_bytes: 1s, total: 1s}
        retry: {attempts: 2, budget: 1%}
        health: {interval: 1s, timeout: 1s, unhealthy_after: 1, healthy_after: 1}
        heartbeat: {interval: 1s}
        proxy: http://h:1
        tls_verify: true
        tls_ca: c.pem
        fallback: direct
        models: [m]
        options: {}
      two:
        provider: openai
        endpoints:
          - {url: http://h/v1, region: r,
             keys: [{name: n, key: k2, organization: o, project: p, auth: bearer, weight: 2, role: backup}]}
    routes:
      - {model: m, to: [one, {pool: two, model: x, weight: 2}], strategy: weighted}
    """

  /// A pool has the options of its own provider only, so no file holds them all.
  private static func isOption(_ path: String) -> Bool { path.hasPrefix("pools.*.options.") }

  private static var supported: [ConfigurationSchema.Entry] { ConfigurationSchema.entries.filter { !$0.field.later } }

  @Test func decoderReadsExactlyTheKeysOfTheSchema() throws {
    let world = World(files: ["c.pem": "x", "k.pem": "x", "m.json": "{}"])
    #expect(world.problems(SchemaTests.complete) == [])
    var problems = ProblemList()
    let document = try #require(DocumentParser.parse(SchemaTests.complete, file: "f", problems: &problems))
    let options = world.options
    var validator = SchemaValidator(
      interpolator: Interpolator(environment: [:], files: options.files, directory: ""), files: options.files,
      directory: "", problems: problems)
    let object = validator.object(document, fields: ConfigurationSchema.root)
    let context = DecodingContext(profile: .production)
    let root = ObjectReader(object, prefix: "", at: document.position, context: context)
    var decoder = ConfigurationDecoder(options: .init(), problems: validator.problems)
    _ = decoder.decode(root)
    #expect(!decoder.problems.hasErrors)
    let known = Set(SchemaTests.supported.map(\.path).filter { !SchemaTests.isOption($0) })
    #expect(known.subtracting(context.keysRead).sorted() == [], "in the schema, but never read")
    #expect(context.keysRead.subtracting(known).sorted() == [], "read, but not in the schema")
  }

  @Test func defaultsFitTheirTypes() {
    for entry in SchemaTests.supported {
      for profile in Profile.allCases {
        guard entry.field.fallback(in: profile) != nil else { continue }
        let context = DecodingContext(profile: profile)
        #expect(context.hasUsableFallback(entry.path), "\(entry.path) in \(profile)")
      }
      #expect(entry.field.isRequired ? entry.field.fallback == nil : true, "\(entry.path)")
      #expect(!entry.field.documentation.isEmpty)
    }
  }

  @Test func pathsAreUnique() {
    let paths = ConfigurationSchema.entries.map(\.path)
    #expect(Set(paths).count == paths.count)
  }

  /// Every value of the file can be seen in `/api/config` and in the diff.
  @Test func everyKeyIsRecorded() throws {
    let configuration = try World(files: ["c.pem": "x", "k.pem": "x", "m.json": "{}"]).configuration(
      SchemaTests.complete)
    let recorded = Set(configuration.records.map(\.pattern))
    // Resolved into the endpoints, or with a single value in this version.
    let elsewhere: Set<String> = [
      "pools.*.base_url", "pools.*.organization", "pools.*.project",
      "pools.*.connections.protocol",
    ]
    for entry in SchemaTests.supported {
      switch entry.field.type {
      case .object, .map: continue
      default: break
      }
      let path = entry.path.replacing(".endpoints[].keys[]", with: ".endpoints[]").replacing(
        ".keys[].", with: ".endpoints[].")
      if elsewhere.contains(path) || path.hasPrefix("routes[].to[]") || SchemaTests.isOption(path) { continue }
      let isList = recorded.contains { $0.hasPrefix(path + "[]") } || path.hasSuffix(".keys")
      #expect(
        recorded.contains(entry.path) || recorded.contains(path) || isList || path == "routes", "\(entry.path)")
    }
  }

  // MARK: - Generated files

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test(arguments: [
    ("docs/configuration.md", ConfigurationReference.document()), ("docs/sluice.schema.json", JSONSchema.document()),
  ])
  func generatedFilesAreUpToDate(_ path: String, _ text: String) throws {
    let url = SchemaTests.root.appending(path: path)
    if ProcessInfo.processInfo.environment["SLUICE_REGENERATE"] != nil {
      try text.write(to: url, atomically: true, encoding: .utf8)
    }
    let written = try String(contentsOf: url, encoding: .utf8)
    #expect(written == text, "\(path) is out of date: make docs")
  }

  @Test func referenceNamesEveryKey() {
    let text = ConfigurationReference.document()
    for entry in ConfigurationSchema.entries {
      switch entry.field.type {
      case .object,
        .map where !entry.field.later:
        continue
      default: #expect(text.contains("`\(entry.path)`"), "\(entry.path)")
      }
    }
  }

  @Test func schemaIsJSON() throws {
    let data = Data(JSONSchema.document().utf8)
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let properties = try #require(object["properties"] as? [String: Any])
    #expect(Set(properties.keys) == Set(ConfigurationSchema.root.map(\.name)))
    #expect(object["additionalProperties"] as? Bool == false)
    #expect(object["required"] as? [String] == ["pools"])
  }

  @Test func jsonTextEscapes() throws {
    let value = JSONText.object(["a\"b": .string("x\\\n\t\u{1}é"), "n": .null, "l": .array([]), "absent": nil])
    let object = try JSONSerialization.jsonObject(with: Data(value.rendered().utf8)) as? [String: Any]
    #expect(object?["a\"b"] as? String == "x\\\n\t\u{1}é")
    #expect(object?.count == 3)
  }
}
