import SluiceConfiguration
import SluicePolicy
import Testing

/// `SLUICE_…` variables.
struct OverrideTests {
  private func world(_ variables: [String: String]) -> World {
    var world = World()
    world.environment.merge(variables) { _, new in new }
    return world
  }

  private let file = topFile("server: {max_head: 8KiB}", "profile: testing")

  @Test func scalarsAreOverridden() throws {
    let configuration = try world([
      "SLUICE_SERVER_LISTEN": "127.0.0.1:99", "SLUICE_SERVER_MAX_HEAD": "16KiB",
      "SLUICE_POOLS_OPENAI_CONNECTIONS_MAX": "3",
      "SLUICE_POOLS_OPENAI_BALANCE_STRATEGY": "round_robin", "SLUICE_PROFILE": "demo",
      "SLUICE_POOLS_OPENAI_TLS_VERIFY": "false", "SLUICE_SERVER_ADMIN_TOKEN": "t",
    ]).configuration(file)
    #expect(configuration.server.listen == [.tcp(host: "127.0.0.1", port: 99)])
    #expect(configuration.server.maxHead == 16_384)
    #expect(configuration.server.adminToken?.reveal() == "t")
    #expect(configuration.pools[0].connections.max == 3)
    #expect(configuration.pools[0].strategy == .roundRobin)
    #expect(!configuration.pools[0].transport.verify)
    #expect(configuration.profile == .demo)
    #expect(configuration.server.drainTimeout == .seconds(5))
  }

  @Test func namesWithOtherCharactersBecomeUnderscores() throws {
    let text = "pools: {my-pool.a: {provider: openai, keys: [\"${KEY}\"]}}"
    let world = world(["SLUICE_POOLS_MY_POOL_A_RETRY_ATTEMPTS": "9"])
    #expect(try world.configuration(text).pools[0].retry.attempts == 9)
  }

  @Test func wrongValuesAreReportedAtTheVariable() {
    let problems = world(["SLUICE_SERVER_MAX_HEAD": "big"]).problems(file)
    #expect(problems.count == 1)
    #expect(problems.first?.hasPrefix("$SLUICE_SERVER_MAX_HEAD: error: 'big': write a number") == true)
  }

  @Test func variablesInOverridesAreTakenAsTheyAre() throws {
    let token = try world(["SLUICE_SERVER_ADMIN_TOKEN": "a${KEY}"]).configuration(file).server.adminToken
    #expect(token?.reveal() == "a${KEY}")
  }

  @Test func ambiguousVariablesAreErrors() {
    let pool = "{provider: openai, keys: [\"${KEY}\"]}"
    let problems = world(["SLUICE_POOLS_A_B_RETRY_ATTEMPTS": "9"]).problems("pools: {a-b: \(pool), a_b: \(pool)}")
    #expect(
      problems == [
        "$SLUICE_POOLS_A_B_RETRY_ATTEMPTS: error: may mean pools.a-b.retry.attempts or pools.a_b.retry.attempts"
      ])
  }

  @Test func unknownVariablesAreWarnings() {
    #expect(
      world(["SLUICE_SERVER_MAX_HED": "1"]).problems(file) == [
        "$SLUICE_SERVER_MAX_HED: warning: is not the name of a setting; did you mean 'SLUICE_SERVER_MAX_HEAD'?"
      ])
    #expect(
      world(["SLUICE_POOLS_OTHER_RETRY_ATTEMPTS": "1"]).problems(file).first?.contains("warning") == true)
  }

  @Test func variablesWithAnotherMeaningAreLeftAlone() {
    let variables = [
      "SLUICE_CONFIG": "x", "SLUICE_URL": "y", "SLUICE_ADMIN_TOKEN": "z", "SLUICE_API_KEY": "a", "SLUICE_MY_KEY": "k",
      "OTHER": "o",
    ]
    let text = "pools: {p: {provider: openai, keys: [\"${SLUICE_MY_KEY}\"]}}"
    #expect(world(variables).problems(text) == [])
  }

  @Test(arguments: [
    "SLUICE_POOLS_OPENAI_KEYS", "SLUICE_ROUTES", "SLUICE_ROUTES_0_MODEL", "SLUICE_ACCESS_KEYS",
    "SLUICE_POOLS_OPENAI_MODELS",
    "SLUICE_POOLS_OPENAI_KEYS_1",
  ])
  func listsCannotBeOverridden(_ name: String) {
    let problems = world([name: "1"]).problems(file)
    #expect(problems.count == 1)
    #expect(problems.first?.hasPrefix("$\(name): error: ") == true)
    #expect(problems.first?.contains("is a list, which cannot be overridden") == true)
  }

  @Test(arguments: ["SLUICE_CACHE", "SLUICE_CACHE_ENABLED", "SLUICE_POOLS_OPENAI_LIMITS_REQUESTS_PER_MINUTE"])
  func laterKeysAreRefused(_ name: String) {
    let problems = world([name: "1"]).problems(file)
    #expect(problems.count == 1)
    #expect(problems.first?.contains("is not supported in this version") == true)
  }

  @Test func emptyVariablesDoNothing() throws {
    let world = world(["SLUICE_SERVER_MAX_HEAD": "", "SLUICE_POOL_HEALTH_INTERVAL": ""])
    #expect(try world.configuration(file).server.maxHead == 8192)
    #expect(try world.configuration(file).pools[0].health.interval == .seconds(1))
  }

  @Test func shortNamesAreDefaultsOfAllPools() throws {
    let world = world([
      "SLUICE_POOL_HEALTH_INTERVAL": "7", "SLUICE_POOL_RECONNECT_DELAY": "0.5", "SLUICE_POOL_CONNECTION_TIMEOUT": "3s",
    ])
    let text = """
      pools:
        a: {provider: openai, keys: ["${KEY}"]}
        b: {provider: openai, keys: ["${KEY}"], health: {interval: 1m}}
      """
    let pools = try world.configuration(text).pools
    #expect(pools.map(\.health.interval) == [.seconds(7), .minutes(1)])
    #expect(pools.map(\.connections.reconnectDelay) == [.milliseconds(500), .milliseconds(500)])
    #expect(pools.map(\.connections.connectTimeout) == [.seconds(3), .seconds(3)])
  }

  @Test func shortNamesAreChecked() {
    #expect(
      world(["SLUICE_POOL_HEALTH_INTERVAL": "often"]).problems(file).first?
        .hasPrefix("$SLUICE_POOL_HEALTH_INTERVAL: error: 'often'") == true)
    #expect(
      world(["SLUICE_POOL_HEALTH_INTERVAL": "0"]).problems(file) == [
        "$SLUICE_POOL_HEALTH_INTERVAL: error: '0' is out of range: 10ms to 24h"
      ])
  }

  @Test func overridesDoNotRepairWhatIsNoMapping() {
    let problems = world(["SLUICE_SERVER_MAX_HEAD": "16KiB"]).problems(topFile("server: 5"))
    #expect(problems.contains { $0.hasPrefix("$SLUICE_SERVER_MAX_HEAD: error: 'server.max_head' cannot be set") })
  }

  /// Overriding half a section shows that the other half is missing.
  @Test func overridesMakeSectionsThatAreThenChecked() {
    let problems = world(["SLUICE_SERVER_TLS_CERTIFICATE": "c.pem"]).problems(poolFile())
    #expect(problems.contains { $0.contains("'private_key' is missing in server.tls") })
  }
}
