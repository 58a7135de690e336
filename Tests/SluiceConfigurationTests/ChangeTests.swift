import SluiceConfiguration
import SluiceDialects
import SluicePolicy
import Testing

/// What a reload reports, and what is shown of a configuration.
struct ChangeTests {
  private func diff(_ old: String, _ new: String, _ world: World = World()) throws -> ConfigurationDiff {
    ConfigurationDiff(from: try world.configuration(old), to: try world.configuration(new))
  }

  @Test func equalFilesHaveNoChanges() throws {
    #expect(
      try diff(SchemaTests.complete, SchemaTests.complete, World(files: ["c.pem": "x", "k.pem": "x", "m.json": "{}"]))
        .isEmpty)
  }

  @Test(arguments: [
    ("connections: {max: 7}", "pools.openai.connections.max: changed 50 → 7 (live)"),
    (
      "connections: {connect_timeout: 1s}",
      "pools.openai.connections.connect_timeout: changed 5s → 1s (next connection)"
    ),
    ("retry: {budget: 5%}", "pools.openai.retry.budget: changed 20% → 5% (live)"),
    ("models: [a, b]", "pools.openai.models: added [a, b] (live)"),
    ("timeouts: {first_byte: 1s}", "pools.openai.timeouts.first_byte: added 1s (live)"),
    ("tls_verify: false", "pools.openai.tls_verify: changed true → false (next connection)"),
    ("proxy: http://u:pw@h", "pools.openai.proxy: added [redacted] (next connection)"),
  ])
  func changesOfPools(_ line: String, _ summary: String) throws {
    #expect(try diff(poolFile(), poolFile(line)).summary == [summary])
  }

  @Test func changesOfTheServer() throws {
    let changes = try diff(
      topFile("server: {threads: 2, admin_token: a}"),
      topFile("server: {listen: \"127.0.0.1:1\", threads: auto, admin_token: b, drain_timeout: 1s}"))
    #expect(
      changes.summary == [
        "server.listen: changed [127.0.0.1:8080] → [127.0.0.1:1] (restart)",
        "server.admin_token: changed [redacted] → [redacted] (live)",
        "server.threads: changed 2 → auto (restart)", "server.drain_timeout: changed 30s → 1s (live)",
      ])
    #expect(changes.needsRestart)
  }

  @Test func removedValuesComeLast() throws {
    #expect(
      try diff(poolFile("models: [a]"), poolFile("fallback: direct")).summary == [
        "pools.openai.fallback: changed none → direct (live)", "pools.openai.models: removed [a] (live)",
      ])
  }

  private func keys(_ keys: String) -> String { "pools: {p: {provider: openai, keys: [\(keys)]}}" }

  /// Endpoints are known by URL and key, so another order is no change.
  @Test func orderOfKeysIsNoChange() throws {
    let changes = try diff(
      keys("{name: a, key: x}, {name: b, key: y}"), keys("{name: b, key: y}, {name: a, key: x}"))
    #expect(changes.isEmpty)
  }

  @Test func anotherKeyInTheSamePlaceIsAnotherEndpoint() throws {
    let changes = try diff(keys("{name: a, key: x}"), keys("{name: a, key: z}"))
    #expect(changes.summary == ["pools.p.endpoints[a]: added (live)", "pools.p.endpoints[a]: removed (live)"])
  }

  @Test func renamedOrReweightedKeysStayTheSameEndpoint() throws {
    let changes = try diff(keys("{name: a, key: x}"), keys("{name: b, key: x, weight: 4}"))
    #expect(
      changes.summary == [
        "pools.p.endpoints[b].name: changed a → b (live)", "pools.p.endpoints[b].weight: changed 1 → 4 (live)",
      ])
  }

  @Test func wholePoolsAndRoutes() throws {
    let two = keys("x").replacing("}}", with: "}, q: {provider: openai, keys: [y]}}") + "\nroutes: [{model: m, to: q}]"
    #expect(
      try diff(keys("x"), two).summary == ["pools.q: added (live)", "routes[1]: added (live)"])
    #expect(
      try diff(two, keys("x")).summary == ["pools.q: removed (live)", "routes[1]: removed (live)"])
  }

  @Test func accessKeys() throws {
    let hash = String(repeating: "ab", count: 32)
    let open = poolFile()
    let closed = topFile("access: {keys: [{name: a, sha256: \(hash)}]}")
    #expect(try diff(open, closed).summary == ["access.keys[a]: added (live)"])
    let other = topFile("access: {keys: [{name: a, sha256: \(hash.replacing("a", with: "b")), class: low}]}")
    #expect(
      try diff(closed, other).summary == [
        "access.keys[a].sha256: changed [redacted] → [redacted] (live)",
        "access.keys[a].class: changed normal → low (live)",
      ])
  }

  // MARK: - Redaction

  @Test func redactedShowsEverythingButSecrets() throws {
    let file = SchemaTests.complete.replacing("http://h:1", with: "http://user:sk-password@h:1")
      .replacing("admin_token: t", with: "admin_token: sk-token").replacing("keys: [k,", with: "keys: [\"${KEY}\",")
    let text = try World(files: ["c.pem": "x", "k.pem": "x", "m.json": "{}"]).configuration(file).redacted.rendered()
    #expect(!text.contains("sk-"))
    #expect(!text.contains(String(repeating: "0", count: 64)))
    #expect(text.contains("\"admin_token\": \"[redacted]\""))
    #expect(text.contains("\"key\": \"[redacted]\""))
    #expect(text.contains("\"max_head\": \"8KiB\""))
    #expect(text.contains("\"url\": \"http://h/v1\""))
  }

  @Test func redactedHasOneEntryPerEndpointAndRoute() throws {
    let json = try World(files: ["c.pem": "x", "k.pem": "x", "m.json": "{}"]).configuration(SchemaTests.complete)
      .redacted
    guard case .array(let endpoints)? = json["pools"]?["one"]?["endpoints"] else {
      Issue.record("no endpoints")
      return
    }
    #expect(endpoints.count == 2)
    #expect(endpoints.map { $0["name"] } == [.string("key1"), .string("n")])
    #expect(endpoints.last?["role"] == .string("backup"))
  }

  @Test func diffsDoNotShowSecrets() throws {
    var world = World()
    world.environment["KEY2"] = "sk-other"
    let changes = try diff(poolFile(), poolFile().replacing("${KEY}", with: "${KEY2}"), world)
    #expect(!changes.isEmpty)
    #expect(!(changes.summary.joined() + changes.json.rendered()).contains("sk-"))
  }

  // MARK: - Conversions

  @Test func routesAndKeysBecomeWhatTheDialectsTake() throws {
    let configuration = try World(files: ["c.pem": "x", "k.pem": "x", "m.json": "{}"]).configuration(
      SchemaTests.complete)
    let definition = try #require(configuration.routes.first?.definition)
    #expect(definition.model == "m")
    #expect(definition.strategy == .weighted)
    #expect(
      definition.targets == [RouteTarget(pool: "one"), RouteTarget(pool: "two", upstreamModel: "x", weight: 2)])
    let credential = try #require(configuration.pools[0].endpoints[1].credential)
    #expect(credential.secret == "k2")
    #expect(credential.kind == .bearer)
    #expect(credential.organization == "o")
    let anthropic = try World().configuration("pools: {p: {provider: anthropic, keys: [x], models: [a]}}").pools[0]
    #expect(anthropic.endpoints[0].credential?.kind == .key)
    let pool = anthropic.routePool(.anthropic)
    #expect(pool.dialect == .anthropic)
    #expect(pool.allows("a") && !pool.allows("b"))
  }

  @Test func theHeartbeatChangesLive() throws {
    let world = World()
    let plain = try world.configuration(poolFile())
    #expect(plain.pools[0].heartbeat.pace == .auto)
    #expect(try world.configuration(poolFile("heartbeat: {interval: auto}")).pools[0].heartbeat.pace == .auto)
    #expect(
      try diff(poolFile(), poolFile("heartbeat: {interval: 2m}")).summary == [
        "pools.openai.heartbeat.interval: changed auto → 2m (live)"
      ])
    #expect(try diff(poolFile(), poolFile("heartbeat: {interval: auto}")).isEmpty)
  }

  @Test(arguments: ["never", "500ms", "25h", "0s"]) func noOtherPaceIsTaken(_ interval: String) {
    let problems = World().problems(poolFile("heartbeat: {interval: \(interval)}"))
    #expect(problems.count == 1 && problems.allSatisfy { $0.contains("error: ") })
  }

  // MARK: - Settings of the pool

  @Test func poolsBecomeSettings() throws {
    let file = """
      pools:
        p:
          provider: openai
          keys: [{name: a, key: sk-x, weight: 3}, {name: b, key: sk-y, role: backup}]
          endpoints: [{url: "http://one/v1", region: r}, {url: "http://two/v1", region: s}]
          balance: {strategy: least_connections}
          connections: {min: 1, max: 4, pool_max: 9, idle_timeout: 1m}
          health: {unhealthy_after: 7}
          heartbeat: {interval: off}
          fallback: direct
      """
    let settings = try World().configuration(file).pools[0].settings.validated()
    #expect(settings.name == "p")
    #expect(settings.origins.map(\.name) == ["http://one/v1", "http://two/v1"])
    #expect(settings.endpoints.map(\.name) == ["r.a", "r.b", "s.a", "s.b"])
    #expect(settings.endpoints.map(\.origin) == [0, 0, 1, 1])
    #expect(settings.endpoints.map(\.weight) == [3, 1, 3, 1])
    #expect(settings.endpoints.map(\.role) == [.primary, .backup, .primary, .backup])
    #expect(Set(settings.endpoints.map(\.identity)).count == 4)
    #expect(settings.balance.strategy == .leastConnections)
    #expect(settings.connections.min == 1)
    #expect(settings.connections.max == 4)
    #expect(settings.connections.poolMax == 9)
    #expect(settings.connections.idleTimeout == .minutes(1))
    #expect(settings.health.unhealthyAfter == 7)
    #expect(settings.heartbeat.pace == .off)
    #expect(settings.fallbackDirect)
    #expect(settings.endpoints.allSatisfy { !$0.identity.contains("sk-") })
  }

  /// A connection through another proxy or with other trust is not the same connection.
  @Test(arguments: ["proxy: http://h:1", "tls_verify: false", "tls_ca: c.pem", "base_url: http://h/v1"])
  func transportIsPartOfTheOrigin(_ line: String) throws {
    let world = World(files: ["c.pem": "x"])
    let plain = try world.configuration(poolFile()).pools[0].settings
    let other = try world.configuration(poolFile(line)).pools[0].settings
    #expect(plain.origins[0].identity != other.origins[0].identity)
    #expect(plain.endpoints[0].identity != other.endpoints[0].identity)
  }

  @Test(arguments: Profile.allCases)
  func everyProfileGivesValidSettings(_ profile: Profile) throws {
    let pool = try World().configuration(topFile("profile: \(profile.rawValue)")).pools[0]
    #expect(pool.settings.problems() == [])
  }
}
