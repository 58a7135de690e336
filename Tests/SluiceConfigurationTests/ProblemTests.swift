import SluiceConfiguration
import SluiceDialects
import SluicePolicy
import Testing

/// What is wrong with a file is said with its place, and all of it at once.
struct ProblemTests {
  static let providers = Provider.implemented.map(\.rawValue).joined(separator: ", ")

  /// The names of all providers' options, each once.
  static let options = Provider.allCases.flatMap(\.options).map(\.name).reduce(into: [String]()) { names, name in
    if !names.contains(name) { names.append(name) }
  }

  struct Row: Sendable, CustomTestStringConvertible {
    var file: String
    var expected: String
    var testDescription: String { expected }

    init(_ file: String, _ expected: String) {
      self.file = file
      self.expected = expected
    }
  }

  static let hash = String(repeating: "ab", count: 32)

  static let names: [Row] = [
    Row(topFile("sever: {}"), "sluice.yaml:1:1: error: unknown key 'sever'; did you mean 'server'?"),
    Row(
      poolFile("conections: {}"),
      "sluice.yaml:5:5: error: unknown key 'conections' in pools.openai; did you mean 'connections'?"),
    Row(
      poolFile("connections: {maxx: 3}"),
      "sluice.yaml:5:19: error: unknown key 'maxx' in pools.openai.connections; did you mean 'max'?"),
    Row(
      poolFile("idle_timeout: 3s"),
      "sluice.yaml:5:5: error: unknown key 'idle_timeout' in pools.openai; it belongs to pools.*.connections.idle_timeout"
    ),
    Row(
      poolFile("options: {zzz: 1}"),
      "sluice.yaml:5:15: error: unknown key 'zzz' in pools.openai.options; there are: \(options.joined(separator: ", "))"
    ),
    Row(
      poolFile("balance: {strategy: power_of_to}"),
      "sluice.yaml:5:25: error: expected one of round_robin, least_connections, power_of_two, found 'power_of_to'; did you mean 'power_of_two'?"
    ),
    Row(
      topFile("routes: [{model: m, to: opnai}]"),
      "sluice.yaml:1:25: error: there is no pool 'opnai'; did you mean 'openai'?"),
    Row(topFile("routes: [{model: m, to: [{pool: other}]}]"), "sluice.yaml:1:33: error: there is no pool 'other'"),
    Row("pools: {p: {keys: [k]}}", "sluice.yaml:1:12: error: 'provider' is missing in pools.p"),
    Row("server: {}", "sluice.yaml:1:1: error: 'pools' is missing"),
    Row("pools: {}", "sluice.yaml:1:8: error: no pool is configured"),
    Row("pools: {p: }", "sluice.yaml:1:9: error: 'p' is empty"),
    Row(
      "pools: {a/b: {provider: openai}}",
      "sluice.yaml:1:9: error: 'a/b' is not a name: 1 to 64 letters, digits, '.', '_' or '-'"),
    Row(
      "pools: {agent: {provider: openai, keys: [k]}}",
      "sluice.yaml:1:9: error: 'agent' cannot be the name of a pool: models called agent/… are agents"),
    Row("pools: {p: {provider: openai}}", "sluice.yaml:1:12: error: 'keys' is missing: OpenAI needs at least one"),
    Row(
      "pools: {p: {provider: opnai, keys: [k]}}",
      "sluice.yaml:1:23: error: expected one of \(providers), found 'opnai'; did you mean 'openai'?"),
  ]

  static let types: [Row] = [
    Row(poolFile("connections: {max: many}"), "sluice.yaml:5:24: error: expected a whole number, found 'many'"),
    Row(
      poolFile("connections: {max: \"5\"}"),
      "sluice.yaml:5:24: error: expected a whole number, found text: remove the quotes"),
    Row(poolFile("connections: {max: 0}"), "sluice.yaml:5:24: error: '0' is out of range: 1 to 100000"),
    Row(
      poolFile("connections: {max: 99999999999999999999}"),
      "sluice.yaml:5:24: error: expected a whole number, found '99999999999999999999'"),
    Row(
      poolFile("connections: {idle_timeout: 30}"),
      "sluice.yaml:5:33: error: '30': a duration needs a unit: write for example 30s, 5m or 250ms (ns, us, ms, s, m, h, d)"
    ),
    Row(poolFile("connections: {idle_timeout: 1ms}"), "sluice.yaml:5:33: error: '1ms' is out of range: 100ms to 24h"),
    Row(poolFile("connections: [1]"), "sluice.yaml:5:18: error: expected a mapping, found a list"),
    Row(poolFile("connections: 5"), "sluice.yaml:5:18: error: expected a mapping, found a single value"),
    Row(poolFile("models: gpt"), "sluice.yaml:5:13: error: expected a list, found a single value"),
    Row(poolFile("models: []"), "sluice.yaml:5:13: error: the list is empty"),
    Row(poolFile("models: [~]"), "sluice.yaml:5:14: error: the entry is empty"),
    Row(poolFile("tls_verify: yes"), "sluice.yaml:5:17: error: expected true or false, found 'yes'"),
    Row(
      poolFile("retry: {budget: 0.2}"),
      "sluice.yaml:5:21: error: '0.2': a percentage is a number followed by %, as in 20%"),
    Row(poolFile("retry: {budget: 120%}"), "sluice.yaml:5:21: error: '120%' is out of range: 0% to 100%"),
    Row(
      poolFile("base_url: example.com"),
      "sluice.yaml:5:15: error: expected an absolute http or https URL, found 'example.com'"),
    Row(
      poolFile("base_url: https://me:pw@example.com/v1"),
      "sluice.yaml:5:15: error: a base URL has no user or password: use keys"),
    Row(
      poolFile("base_url: https://example.com/v1?x=1"), "sluice.yaml:5:15: error: a base URL has no query or fragment"),
    Row(
      poolFile("proxy: https://u:p@h"),
      "sluice.yaml:5:12: error: expected the URL of an HTTP proxy: http://HOST:PORT or http://USER:PASSWORD@HOST:PORT"),
    Row(poolFile("tls_ca: nowhere.pem"), "sluice.yaml:5:13: error: the file nowhere.pem does not exist"),
    Row(
      topFile("server: {threads: some}"),
      "sluice.yaml:1:19: error: expected one of auto or a whole number, found 'some'"),
    Row(topFile("server: {listen: here}"), "sluice.yaml:1:18: error: expected HOST:PORT or unix:/path, found 'here'"),
    Row(topFile("server: {max_head: 1KiB}"), "sluice.yaml:1:20: error: '1KiB' is out of range: 4KiB to 64KiB"),
    Row(topFile("server: {max_head: 65KiB}"), "sluice.yaml:1:20: error: '65KiB' is out of range: 4KiB to 64KiB"),
    Row(
      topFile("server: {hosts: [\"gate.example:80\"]}"),
      "sluice.yaml:1:18: error: expected a host name or address without port, found 'gate.example:80'"),
    Row(topFile("admission: {capacity: 2M}"), "sluice.yaml:1:23: error: '2M' is out of range: 0 to 1000000"),
    Row(topFile("admission: {timeout: 25h}"), "sluice.yaml:1:22: error: '25h' is out of range: 1ms to 24h"),
    Row(
      poolFile("balance: {strategy: round_robin, affinity: user}"),
      "sluice.yaml:5:48: error: affinity counts only with 'strategy: power_of_two'"),
    Row(
      topFile("server: {tls: {certificate: c.pem}}"), "sluice.yaml:1:15: error: 'private_key' is missing in server.tls"),
    Row(topFile("version: 2"), "sluice.yaml:1:10: error: '2' is out of range: 1 to 1"),
    Row(
      topFile("access: {keys: [{name: a, sha256: abc}]}"),
      "sluice.yaml:1:35: error: expected a SHA-256 as 64 hexadecimal digits"),
    Row(topFile("access: {keys: []}"), "sluice.yaml:1:16: error: the list is empty"),
    Row("- pools", "sluice.yaml:1:1: error: expected a mapping, found a list"),
  ]

  static let contradictions: [Row] = [
    Row(poolFile("connections: {min: 9, max: 8}"), "sluice.yaml:5:24: error: min (9) is larger than max (8)"),
    Row(poolFile("connections: {max: 8, pool_max: 7}"), "sluice.yaml:5:24: error: max (8) is larger than pool_max (7)"),
    Row(
      poolFile("connections: {idle_timeout: 2h, max_age: 1h}"),
      "sluice.yaml:5:33: error: idle_timeout (2h) is longer than max_age (1h)"),
    Row(
      poolFile("tls_ca: c.pem", "tls_verify: false"),
      "sluice.yaml:5:13: error: tls_ca has no effect with 'tls_verify: false'"),
    Row(
      poolFile("base_url: \"http://h/v1\"", "endpoints: [{url: \"http://i/v1\"}]"),
      "sluice.yaml:5:15: error: base_url and endpoints exclude each other"),
    Row(
      "pools: {p: {provider: openai, connections: {min: 2, max: 2, pool_max: 3}, keys: [k], endpoints: [{url: \"http://a/v1\"}, {url: \"http://b/v1\"}]}}",
      "sluice.yaml:1:50: error: min (2) for each of 2 base URLs is more than pool_max (3)"),
    Row(
      "pools: {p: {provider: openai, keys: [{name: a, key: x}, {name: a, key: y}]}}",
      "sluice.yaml:1:64: error: two endpoints are called 'a'"),
    Row("pools: {p: {provider: openai, keys: [x, x]}}", "sluice.yaml:1:41: error: the same URL and key as 'key1'"),
    Row(
      "pools: {p: {provider: openai, keys: [{key: x, auth: api_key}]}}",
      "sluice.yaml:1:53: error: openai takes keys as bearer tokens only"),
    Row(
      "pools: {p: {provider: anthropic, organization: o, keys: [x]}}",
      "sluice.yaml:1:48: error: 'organization' is only for provider openai"),
    Row(
      "pools: {p: {provider: anthropic, keys: [{key: x, project: o}]}}",
      "sluice.yaml:1:59: error: 'project' is only for provider openai"),
    Row(
      topFile("server: {max_buffered: 1MiB}"),
      "sluice.yaml:1:24: error: max_buffered (1MiB) is smaller than max_request_body (32MiB)"),
    Row(
      topFile("server: {listen: [\"127.0.0.1:1\", \"127.0.0.1:1\"]}"),
      "sluice.yaml:1:34: error: '127.0.0.1:1' is listed twice"),
    Row(
      topFile("routes: [{model: m, to: openai}, {model: m, to: openai}]"),
      "sluice.yaml:1:42: error: there is a route for 'm' already: this one is never used"),
    Row(
      topFile("routes: [{model: m, to: [{pool: openai, weight: 2}]}]"),
      "sluice.yaml:1:49: error: a weight counts only with 'strategy: weighted'"),
    Row(
      topFile("access: {keys: [{name: a, sha256: \(hash)}, {name: b, sha256: \(hash)}]}"),
      "sluice.yaml:1:120: error: the same key as 'a'"),
    Row(
      topFile("access: {keys: [{name: a, sha256: \(hash)}, {name: a, sha256: \(hash.replacing("a", with: "c"))}]}"),
      "sluice.yaml:1:109: error: two access keys are called 'a'"),
  ]

  static let doubtful: [Row] = [
    Row(
      "pools: {p: {provider: anthropic, base_url: \"http://h/v1\"}}",
      "sluice.yaml:1:44: warning: the base URL of anthropic is written without /v1"),
    Row(
      "pools: {p: {provider: openai, base_url: \"http://h\"}}",
      "sluice.yaml:1:41: warning: the base URL of openai usually ends in /v1"),
  ]

  @Test(arguments: names + types + contradictions + doubtful)
  func problemIsReportedAtItsPlace(_ row: Row) {
    #expect(World(files: ["c.pem": "x"]).problems(row.file) == [row.expected])
  }

  /// Keys of later versions are refused wherever they stand, never read and forgotten.
  @Test(arguments: ConfigurationSchema.entries.filter(\.field.later).map(\.path))
  func laterKeysAreRefused(_ path: String) throws {
    let name = try #require(path.split(separator: ".").last)
    let file: String
    switch path.split(separator: ".").dropLast().joined(separator: ".") {
    case "": file = topFile("\(name): {enabled: false}")
    case "admission": file = topFile("admission: {\(name): {}}")
    case "server": file = topFile("server: {\(name): 4}")
    case "pools.*": file = poolFile("\(name): {a: 1}")
    case "pools.*.keys[]": file = "pools: {p: {provider: openai, keys: [{key: k, \(name): {}}]}}"
    case "pools.*.endpoints[].keys[]":
      file = "pools: {p: {provider: openai, endpoints: [{url: \"http://h/v1\", keys: [{key: k, \(name): {}}]}]}}"
    case "access.keys[]": file = topFile("access: {keys: [{name: a, sha256: \(ProblemTests.hash), \(name): {}}]}")
    case "routes[]": file = topFile("routes: [{model: m, to: openai, \(name): false}]")
    default: file = ""
    }
    let problems = World().problems(file)
    #expect(problems.count == 1)
    #expect(problems.first?.contains("is not supported in this version") == true, "\(problems)")
    #expect(problems.first?.hasPrefix("sluice.yaml:") == true)
  }

  @Test(arguments: [
    ("balance: {strategy: random}", "'random'"), ("balance: {affinity: module_pair}", "'module_pair'"),
  ])
  func laterValuesAreRefused(_ line: String, _ shown: String) {
    let problems = World().problems(poolFile(line))
    #expect(problems.count == 1)
    #expect(problems.first?.contains("\(shown) is not supported in this version") == true, "\(problems)")
  }

  @Test(arguments: Provider.allCases.filter { !$0.isImplemented }.map(\.rawValue))
  func laterProvidersAreRefused(_ name: String) {
    let problems = World().problems("pools: {p: {provider: \(name), keys: [k]}}")
    let usable = Provider.implemented.map(\.rawValue).joined(separator: ", ")
    #expect(problems == ["sluice.yaml:1:23: error: '\(name)' is not supported in this version: use \(usable)"])
  }

  /// `cluster: null` says that there is none.
  @Test func nothingIsNotRefused() {
    #expect(World().problems(topFile("cluster: null", "cache: ~", "server:")) == [])
  }

  /// What is no address must not shift the places of those that are.
  @Test func addressesAreReportedAtTheirOwnPlaces() {
    let problems = World().problems(
      topFile("server: {listen: [here, \"127.0.0.1:1\", \"127.0.0.1:1\", \"0.0.0.0:2\"]}"))
    #expect(problems.count == 3)
    #expect(problems[0].hasPrefix("sluice.yaml:1:19: error: expected HOST:PORT"))
    #expect(problems[1] == "sluice.yaml:1:40: error: '127.0.0.1:1' is listed twice")
    #expect(problems[2].hasPrefix("sluice.yaml:1:55: error: listening on 0.0.0.0:2"))
  }

  @Test func errorsComeBeforeWarningsAndNothingTwice() {
    func place(_ line: Int) -> SourcePosition { SourcePosition(file: "f", line: line, column: 1) }
    var list = ProblemList()
    for line in 1...ProblemList.capacity + 5 { list.warning(at: place(line), "w") }
    for _ in 0..<9 { list.warning(at: place(1), "w") }
    #expect(list.suppressed == 5)
    #expect(list.sorted.last?.description == "f:100:1: warning: and 5 more problems")
    for line in 1...ProblemList.capacity { list.error(at: place(1000 + line), "e") }
    #expect(list.sorted.filter { $0.severity == .error }.count == ProblemList.capacity)
    #expect(list.sorted.last?.description == "f:1100:1: warning: and 105 more problems")
    list.error(at: place(2000), "e")
    #expect(list.sorted.last?.description == "f:1100:1: error: and 106 more problems")
  }

  @Test func mistakesAreBounded() {
    let lines = (0..<500).map { "zz\($0): 1\n" }.joined()
    let problems = World().problems(lines + poolFile())
    #expect(problems.count == ProblemList.capacity + 1)
    #expect(problems.last?.hasSuffix("and 400 more problems") == true)
  }

  @Test(arguments: [
    ("\"0.0.0.0:80\"", true), ("\"[::]:80\"", true), ("\":80\"", true), ("\"*:80\"", true),
    ("\"example.com:80\"", true),
    ("\"10.0.0.1:80\"", true), ("\"127.0.0.1:80\"", false), ("\"127.1.2.3:80\"", false), ("\"localhost:80\"", false),
    ("\"[::1]:80\"", false), ("\"unix:/run/s\"", false), ("\"127.0.0.1.evil.com:80\"", true),
  ])
  func listeningWiderNeedsProtection(_ address: String, _ isRefused: Bool) {
    let open = topFile("server: {listen: \(address)}")
    #expect(World().problems(open).count == (isRefused ? 1 : 0))
    if isRefused {
      let problem = World().problems(open).first ?? ""
      #expect(problem.hasPrefix("sluice.yaml:1:18: error: listening on "))
      #expect(problem.contains("access keys (access.keys) and an admin token (server.admin_token)"))
    }
    var insecure = World()
    insecure.insecure = true
    #expect(insecure.problems(open) == [])
    let access = "access: {keys: [{name: a, sha256: \(ProblemTests.hash)}]}"
    #expect(World().problems(topFile("server: {listen: \(address), admin_token: t}", access)) == [])
    let keysOnly = World().problems(topFile("server: {listen: \(address)}", access))
    #expect(keysOnly.count == (isRefused ? 1 : 0))
    #expect(keysOnly.first.map { $0.contains("access keys") } != true)
    #expect(World().problems(topFile("server: {listen: \(address), admin_token: t}")).count == (isRefused ? 1 : 0))
  }

  @Test func addressesOfTheCommandLineReplaceTheFile() throws {
    var world = World(listen: ["127.0.0.1:1", "127.0.0.1:2"])
    #expect(
      try world.configuration(topFile("server: {listen: \"127.0.0.1:9\", max_head: 8KiB}")).server.listen.count == 2)
    #expect(try world.configuration(poolFile()).server.listen.first == .tcp(host: "127.0.0.1", port: 1))
    world.listen = ["0.0.0.0:1"]
    #expect(world.problems(poolFile()).first?.hasPrefix("--listen: error: listening on 0.0.0.0:1 needs") == true)
    #expect(
      world.problems(topFile("server: 5")).first == "sluice.yaml:1:9: error: expected a mapping, found a single value")
  }

  @Test func adminTokenFromNothingIsNone() {
    let file = topFile("server: {listen: \"0.0.0.0:1\", admin_token: \"${NONE:-}\"}")
    #expect(World().problems(file).first?.contains("an admin token") == true)
  }
}
