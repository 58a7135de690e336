import SluiceConfiguration
import SluiceDialects
import SluicePolicy
import Testing

/// Every key of the file reaches the place in the model that it is for: each row sets one key to a value that is not its
/// default and would fail if the key were dropped, mistyped or stored elsewhere.
struct OptionTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var key: String
    var file: String
    var check: @Sendable (SluiceConfiguration) -> Bool
    var testDescription: String { key }

    init(_ key: String, _ file: String, _ check: @escaping @Sendable (SluiceConfiguration) -> Bool) {
      self.key = key
      self.file = file
      self.check = check
    }
  }

  private static func server(_ key: String, _ value: String, _ check: @escaping @Sendable (ServerConfiguration) -> Bool)
    -> Row
  {
    Row("server.\(key)", topFile("server: {\(key): \(value)}")) { check($0.server) }
  }

  private static func pool(
    _ key: String, _ line: String, _ check: @escaping @Sendable (PoolConfiguration) -> Bool
  ) -> Row {
    Row("pools.*.\(key)", poolFile(line)) { $0.pool(named: "openai").map(check) ?? false }
  }

  static let serverRows: [Row] = [
    Row("version", topFile("version: 1")) { $0.version == 1 },
    Row("profile", topFile("profile: testing")) { $0.profile == .testing },
    server("listen", "\"127.0.0.1:9\"") { $0.listen == [.tcp(host: "127.0.0.1", port: 9)] },
    server("listen", "[\"[::1]:0\", \"unix:/run/s\"]") {
      $0.listen == [.tcp(host: "::1", port: 0), .unix(path: "/run/s")]
    },
    server("tls", "{certificate: c.pem, private_key: k.pem}") { server in
      server.tls == ServerConfiguration.TLS(certificate: "c.pem", privateKey: "k.pem")
    },
    server("admin_token", "\"${KEY}\"") { $0.adminToken?.reveal() == "sk-secret-1" },
    server("threads", "3") { $0.threads == 3 },
    server("threads", "auto") { $0.threads == nil },
    server("max_request_body", "1MiB") { $0.maxRequestBody == 1_048_576 },
    server("max_buffered", "64MB") { $0.maxBuffered == 64_000_000 },
    server("max_head", "8KiB") { $0.maxHead == 8192 },
    server("max_connections", "2k") { $0.maxConnections == 2000 },
    server("hosts", "[Gate.Example, \"10.0.0.1\", \"fd00::1\"]") {
      $0.hosts == ["gate.example", "10.0.0.1", "fd00::1"]
    },
    Row("admission.capacity", topFile("admission: {capacity: 2k}")) {
      $0.admission.capacity == 2_000 && $0.admission.timeout == .seconds(60)
    },
    Row("admission.timeout", topFile("admission: {timeout: 5s}")) {
      $0.admission.timeout == .seconds(5) && $0.admission.capacity == 1_000
    },
    server("head_timeout", "7s") { $0.headTimeout == .seconds(7) },
    server("body_timeout", "8s") { $0.bodyTimeout == .seconds(8) },
    server("min_body_rate", "2KiB") { $0.minBodyRate == 2_048 },
    server("idle_timeout", "9s") { $0.idleTimeout == .seconds(9) },
    server("drain_timeout", "1m30s") { $0.drainTimeout == .seconds(90) },
    server("keepalive_comment", "0s") { $0.keepaliveComment == .zero },
    Row("access.keys", topFile("access: {keys: [{name: a, sha256: \(hash), class: high, models: [\"gpt-*\"]}]}")) {
      $0.access?.keys.map(\.name) == ["a"] && $0.access?.keys.first?.priority == .high
        && $0.access?.keys.first?.models == ["gpt-*"]
        && $0.access?.keys.first?.sha256 == [UInt8](repeating: 0xAB, count: 32)
    },
    Row("routes", topFile("routes: [{model: \"gpt-*\", to: openai}]")) {
      $0.routes == [RouteConfiguration(model: "gpt-*", targets: [.init(pool: "openai")])]
    },
    Row(
      "routes weighted", topFile("routes: [{model: m, to: [{pool: openai, model: x, weight: 3}], strategy: weighted}]")
    ) {
      let target = RouteConfiguration.Target(pool: "openai", model: "x", weight: 3)
      return $0.routes == [RouteConfiguration(model: "m", targets: [target], strategy: .weighted)]
    },
  ]

  static let hash = String(repeating: "ab", count: 32)

  static let poolRows: [Row] = [
    Row("provider", "pools: {a: {provider: anthropic, keys: [\"${KEY}\"]}}") { $0.pools.first?.provider == .anthropic },
    pool("base_url", "base_url: HTTP://Example.com:80/v1/") {
      $0.endpoints.first?.url.description == "http://example.com/v1"
    },
    pool("organization", "organization: org") { $0.endpoints.first?.organization == "org" },
    pool("project", "project: pro") { $0.endpoints.first?.project == "pro" },
    pool("balance.strategy", "balance: {strategy: round_robin}") { $0.strategy == .roundRobin },
    pool("balance.affinity", "balance: {affinity: prompt_prefix}") { $0.affinity == .promptPrefix },
    pool("balance.affinity", "balance: {affinity: user}") { $0.affinity == .user },
    pool("balance", "balance: {}") { $0.affinity == .header },
    pool("connections.min", "connections: {min: 4}") { $0.connections.min == 4 },
    pool("connections.max", "connections: {max: 7}") { $0.connections.max == 7 },
    pool("connections.pool_max", "connections: {pool_max: 70}") { $0.connections.poolMax == 70 },
    pool("connections.keep_warm", "connections: {keep_warm: 0s}") { $0.connections.keepWarm == .zero },
    pool("connections.reconnect_delay", "connections: {reconnect_delay: 20ms}") {
      $0.connections.reconnectDelay == .milliseconds(20)
    },
    pool("connections.idle_timeout", "connections: {idle_timeout: 1m}") { $0.connections.idleTimeout == .minutes(1) },
    pool("connections.max_age", "connections: {max_age: 2h}") { $0.connections.maxAge == .hours(2) },
    pool("connections.keepalive", "connections: {keepalive: 11s}") { $0.transport.keepalive == .seconds(11) },
    pool("connections.protocol", "connections: {protocol: http2}") { $0.transport.version == .http2 },
    pool("connections.connect_timeout", "connections: {connect_timeout: 1.5s}") {
      $0.connections.connectTimeout == .milliseconds(1500)
    },
    pool("timeouts.first_byte", "timeouts: {first_byte: 60s}") { $0.timeouts.firstByte == .seconds(60) },
    pool("timeouts.first_token", "timeouts: {first_token: 61s}") { $0.timeouts.firstToken == .seconds(61) },
    pool("timeouts.between_bytes", "timeouts: {between_bytes: 62s}") { $0.timeouts.betweenBytes == .seconds(62) },
    pool("timeouts.total", "timeouts: {total: 63s}") { $0.timeouts.total == .seconds(63) },
    pool("retry.attempts", "retry: {attempts: 1}") { $0.retry.attempts == 1 },
    pool("retry.budget", "retry: {budget: 12.5%}") { $0.retry.budget == 0.125 },
    pool("health.interval", "health: {interval: 1s}") { $0.health.interval == .seconds(1) },
    pool("health.timeout", "health: {timeout: 2s}") { $0.health.timeout == .seconds(2) },
    pool("health.unhealthy_after", "health: {unhealthy_after: 5}") { $0.health.unhealthyAfter == 5 },
    pool("health.healthy_after", "health: {healthy_after: 6}") { $0.health.healthyAfter == 6 },
    pool("heartbeat.interval", "heartbeat: {interval: 90s}") { $0.heartbeat.pace == .every(.seconds(90)) },
    pool("proxy", "proxy: http://u:p@proxy:3128") { $0.transport.proxy?.reveal() == "http://u:p@proxy:3128" },
    pool("tls_verify", "tls_verify: false") { !$0.transport.verify },
    pool("tls_ca", "tls_ca: c.pem") { $0.transport.authorities == "c.pem" },
    pool("fallback", "fallback: direct") { $0.fallbackDirect },
    pool("models", "models: [a, \"b-*\"]") { $0.models == ["a", "b-*"] },
    pool("options", "options: {}") { _ in true },
  ]

  @Test(arguments: serverRows + poolRows)
  func keyReachesTheModel(_ row: Row) throws {
    let configuration = try World(files: ["c.pem": "x", "k.pem": "x", "m.json": "{}"]).configuration(row.file)
    #expect(row.check(configuration))
  }

  @Test func keysBecomeEndpoints() throws {
    let pool = try World().configuration(
      """
      pools:
        p:
          provider: anthropic
          keys:
            - "${KEY}"
            - {name: second, key: "${KEY2}", weight: 2, role: backup, auth: bearer}
      """
    ).pools[0]
    #expect(pool.endpoints.map(\.name) == ["key1", "second"])
    #expect(pool.endpoints.map { $0.key?.reveal() } == ["sk-secret-1", "sk-secret-2"])
    #expect(pool.endpoints.map(\.authentication) == [.apiKey, .bearer])
    #expect(pool.endpoints.map(\.weight) == [1, 2])
    #expect(pool.endpoints.map(\.role) == [.primary, .backup])
    #expect(pool.endpoints.map(\.url.description) == ["https://api.anthropic.com", "https://api.anthropic.com"])
  }

  @Test func scopesOfKeysWinOverThoseOfThePool() throws {
    let pool = try World().configuration(
      poolFile("organization: o", "project: p").replacing(
        "[\"${KEY}\"]", with: "[{key: \"${KEY}\", organization: o2}, {key: \"${KEY2}\", project: p2}]")
    ).pools[0]
    #expect(pool.endpoints.map(\.organization) == ["o2", "o"])
    #expect(pool.endpoints.map(\.project) == ["p", "p2"])
  }

  @Test func severalURLsMultiplyWithKeys() throws {
    let pool = try World().configuration(
      """
      pools:
        p:
          provider: openai
          keys: ["${KEY}", "${KEY2}"]
          endpoints:
            - {url: "https://eu.example/v1", region: eu}
            - {url: "https://us.example/v1", keys: [{name: own, key: k}]}
      """
    ).pools[0]
    #expect(pool.endpoints.map(\.name) == ["eu.key1", "eu.key2", "url2.own"])
    #expect(pool.endpoints.map(\.region) == ["eu", "eu", nil])
    #expect(pool.endpoints.map(\.url.host) == ["eu.example", "eu.example", "us.example"])
  }

  @Test func ownServerNeedsNoKey() throws {
    let pool = try World().configuration("pools: {p: {provider: openai, base_url: \"http://127.0.0.1:1/v1\"}}").pools[0]
    #expect(pool.endpoints.map(\.name) == ["default"])
    #expect(pool.endpoints[0].key == nil)
  }

  /// A bound that is not written follows the one that is.
  @Test func boundsNotWrittenGiveWay() throws {
    let small = try World().configuration(poolFile("connections: {pool_max: 20}")).pools[0]
    #expect(small.connections.max == 20)
    let large = try World().configuration(poolFile("connections: {max: 300}")).pools[0]
    #expect(large.connections.poolMax == 300)
  }

  /// The defaults of the schema and those of the model for code are the same.
  @Test func defaultsOfFileAndCodeAgree() throws {
    let loaded = try World().configuration(poolFile())
    let endpoint = EndpointConfiguration(
      name: "key1", url: try #require(BaseURL("https://api.openai.com/v1")), key: Secret("sk-secret-1"))
    var built = SluiceConfiguration()
    built.pools = [PoolConfiguration(name: "openai", provider: .openai, endpoints: [endpoint])]
    #expect(loaded == built)
  }

  @Test(arguments: Profile.allCases)
  func profilesSetTheirDefaults(_ profile: Profile) throws {
    let text = topFile("profile: \(profile.rawValue)")
    let records = try World().configuration(text).records
    for entry in ConfigurationSchema.entries where !entry.field.profiles.isEmpty {
      let record = try #require(records.first { $0.pattern == entry.path })
      let expected = try #require(entry.field.fallback(in: profile))
      #expect(canonical(expected, entry.field.type) == canonical(record.value), "\(entry.path)")
    }
  }

  @Test func writtenValuesWinOverTheProfile() throws {
    let file = poolFile("connections: {max: 11}", before: "profile: testing\n")
    #expect(try World().configuration(file).pools[0].connections.max == 11)
  }

  private func canonical(_ text: String, _ type: SchemaType) -> String {
    switch type {
    case .duration: (try? Quantity.text(Quantity.duration(text))) ?? text
    case .size: (try? Quantity.text(bytes: Quantity.size(text))) ?? text
    default: text
    }
  }

  private func canonical(_ value: JSONText) -> String {
    switch value {
    case .string(let text): text
    case .integer(let number): "\(number)"
    default: value.rendered()
    }
  }
}
