import SluiceConfiguration
import SluicePolicy
import Testing

struct ValueTests {
  @Test(
    arguments: [
      ("30s", 30_000_000_000), ("250ms", 250_000_000), ("5m", 300_000_000_000), ("24h", 86_400_000_000_000),
      ("1h30m", 5_400_000_000_000), ("1.5s", 1_500_000_000), ("0s", 0), ("7d", 604_800_000_000_000), ("3us", 3000),
      ("9ns", 9), ("0.000000001s", 1), ("2 s", 2_000_000_000),
    ] as [(String, Int64)])
  func durations(_ text: String, _ nanoseconds: Int64) throws {
    #expect(try Quantity.duration(text).nanoseconds == nanoseconds)
  }

  @Test(arguments: [
    "", "s", "30", "30 ", "-1s", "1x", "1s1h", "1s1s", "1.s", ".5s", "1e3s", "999999999999999999d", "1,5s", "１s",
    "1.0000000001s", "106752d",
  ])
  func notDurations(_ text: String) {
    #expect(throws: QuantityError.self) { try Quantity.duration(text) }
  }

  @Test func bareSecondsOnlyWhereAllowed() throws {
    #expect(try Quantity.duration("5", bareSeconds: true) == .seconds(5))
    #expect(try Quantity.duration("0.5", bareSeconds: true) == .milliseconds(500))
    #expect(try Quantity.duration("5s", bareSeconds: true) == .seconds(5))
    #expect(throws: QuantityError.self) { try Quantity.duration("1m5", bareSeconds: true) }
  }

  @Test(arguments: [
    ("32MiB", 33_554_432), ("64KiB", 65_536), ("1GiB", 1_073_741_824), ("1kB", 1000), ("5MB", 5_000_000), ("17", 17),
    ("1.5KiB", 1536), ("2B", 2), ("2TiB", 2_199_023_255_552),
  ])
  func sizes(_ text: String, _ bytes: Int) throws {
    #expect(try Quantity.size(text) == bytes)
  }

  @Test(arguments: ["", "MiB", "-1B", "1XB", "1mib", "99999999TiB", "1MiB2"])
  func notSizes(_ text: String) {
    #expect(throws: QuantityError.self) { try Quantity.size(text) }
  }

  @Test(arguments: [("20%", 0.2), ("0%", 0), ("100%", 1), ("12.25%", 0.1225), ("250%", 2.5)])
  func percentages(_ text: String, _ value: Double) throws {
    #expect(try Quantity.percentage(text) == value)
    #expect(try Quantity.percentage(Quantity.text(fraction: value)) == value)
  }

  @Test(arguments: ["20", "%", "0.2", "1.234%", "-1%", "1%%"])
  func notPercentages(_ text: String) {
    #expect(throws: QuantityError.self) { try Quantity.percentage(text) }
  }

  @Test(arguments: [("600", 600), ("200k", 200_000), ("2M", 2_000_000), ("1.5k", 1500), ("0", 0)])
  func counts(_ text: String, _ value: Int) throws {
    #expect(try Quantity.count(text) == value)
  }

  @Test(arguments: ["", "k", "1.5", "1.2345k", "2G", "-5", "9999999999999M"])
  func notCounts(_ text: String) {
    #expect(throws: QuantityError.self) { try Quantity.count(text) }
  }

  @Test(arguments: [0, 1, 999, 1000, 1_500_000, 90_000_000_000, 86_400_000_000_000, 123_456_789_012] as [Int64])
  func durationsReadBack(_ nanoseconds: Int64) throws {
    let interval = Interval(nanoseconds: nanoseconds)
    #expect(try Quantity.duration(Quantity.text(interval)) == interval)
  }

  @Test(arguments: [0, 1, 1000, 1024, 1536, 33_554_432, 1 << 40])
  func sizesReadBack(_ bytes: Int) throws {
    #expect(try Quantity.size(Quantity.text(bytes: bytes)) == bytes)
  }

  // MARK: - Secrets

  @Test func secretsCannotBePrinted() {
    let secret = Secret("sk-very-secret")
    var dumped = ""
    dump(secret, to: &dumped)
    dump([secret], to: &dumped)
    for text in [
      "\(secret)", String(reflecting: secret), String(describing: [secret]), "\(Optional(secret) as Any)", dumped,
    ] {
      #expect(!text.contains("sk-"))
      #expect(text.contains("redacted"))
    }
  }

  @Test func fingerprintsTellSecretsApart() {
    #expect(Secret("a").fingerprint == Secret("a").fingerprint)
    #expect(Secret("a").fingerprint != Secret("b").fingerprint)
    #expect(Secret("a").fingerprint.count == 32)
    #expect(!Secret("sk-abc").fingerprint.contains("sk"))
  }

  // MARK: - Variables

  private func resolve(_ text: String) throws -> String {
    let files = FileAccess { path, limit in
      switch path {
      case "/etc/dir/secret": .success(Array("from-file\n".utf8))
      case "/abs": .success(Array("absolute\r\n".utf8))
      case "/etc/dir/bin": .success([0xFF])
      case "/etc/dir/big": .failure(FileProblem("is larger than \(limit)"))
      default: .failure(.missing)
      }
    }
    return try Interpolator(
      environment: ["A": "1", "EMPTY": "", "NESTED": "${A}"], files: files, directory: "/etc/dir"
    )
    .resolve(text)
  }

  @Test(arguments: [
    ("${A}", "1"), ("x${A}y${A}", "x1y1"), ("${B:-d}", "d"), ("${B:-}", ""), ("${EMPTY}", ""), ("${EMPTY:-d}", "d"),
    ("${A:-d}", "1"), ("$${A}", "${A}"), ("$A", "$A"), ("$", "$"), ("a$$b", "a$$b"), ("${NESTED}", "${A}"),
    ("${file:secret}", "from-file"), ("${file:/abs}", "absolute"), ("${B:-a:-b}", "a:-b"), ("é${A}", "é1"),
  ])
  func variables(_ text: String, _ value: String) throws {
    #expect(try resolve(text) == value)
  }

  @Test(arguments: [
    ("${B}", 0, "the environment variable B is not set"), ("ab${B}", 2, "the environment variable B is not set"),
    ("x${A", 1, "'${' without its '}'"), ("${}", 0, "write ${NAME}"), ("${1A}", 0, "write ${NAME}"),
    ("${A-x}", 0, "write ${NAME}"), ("${A:-${B}}", 0, "inside another"), ("${file:}", 0, "write ${file:PATH}"),
    ("${file:none}", 0, "the file none does not exist"), ("${file:bin}", 0, "not UTF-8"),
    ("${file:big}", 0, "is larger than 65536"),
    ("${A B}", 0, "write ${NAME}"),
  ])
  func brokenVariables(_ text: String, _ offset: Int, _ message: String) {
    #expect {
      try resolve(text)
    } throws: { error in
      guard let failure = error as? Interpolator.Failure else { return false }
      return failure.offset == offset && failure.message.contains(message)
    }
  }

  @Test func unsetVariableIsAnErrorWhereItStands() {
    let file = "pools:\n  p:\n    provider: openai\n    keys:\n      - \"${MISSING}\"\n    organization: org-${NOPE}\n"
    let problems = World().problems(file)
    #expect(problems.count == 2)
    #expect(problems.first?.hasPrefix("sluice.yaml:5:10: error: the environment variable MISSING is not set") == true)
    #expect(problems.last?.hasPrefix("sluice.yaml:6:23: error: the environment variable NOPE is not set") == true)
  }

  /// Only what is used is resolved.
  @Test func variablesInCommentsAreNotResolved() {
    #expect(World().problems("# ${MISSING}\n" + poolFile()) == [])
  }

  @Test func resolvedValuesAreTypedByWhatIsExpected() throws {
    var world = World()
    world.environment["N"] = "7"
    world.environment["OFF"] = "false"
    world.environment["EMPTY"] = ""
    let file = poolFile("connections: {max: \"${N}\"}", "tls_verify: \"${OFF}\"", "project: \"${EMPTY}\"")
    let pool = try world.configuration(file).pools[0]
    #expect(pool.connections.max == 7)
    #expect(!pool.transport.verify)
    #expect(pool.endpoints[0].project == nil)
  }

  @Test func emptyKeysAreReported() {
    var world = World()
    world.environment["KEY"] = ""
    #expect(
      world.problems(poolFile()) == ["sluice.yaml:4:12: error: the entry is empty: its variable is set to nothing"])
  }

  @Test func secretsNeverShowInProblems() {
    var world = World()
    world.environment = ["KEY": "sk-top secret", "URL": "sk-as-url", "SLUICE_SERVER_ADMIN_TOKEN": "sk-two words"]
    let file = poolFile("base_url: \"${URL}\"", "connections: {max: \"${URL}\"}", "balance: {strategy: \"${URL}\"}")
    let problems = world.problems(file)
    #expect(problems.count == 5)
    for problem in problems { #expect(!problem.contains("sk-"), "\(problem)") }
  }

  // MARK: - Addresses

  @Test(arguments: [
    ("127.0.0.1:80", "127.0.0.1:80"), ("[::1]:80", "[::1]:80"), ("host:0", "host:0"), (":80", "0.0.0.0:80"),
    ("*:80", "0.0.0.0:80"), ("unix:/a/b", "unix:/a/b"), ("unix:./s", "unix:./s"),
  ])
  func listenAddresses(_ text: String, _ canonical: String) {
    #expect(ListenAddress(text)?.description == canonical)
  }

  @Test(arguments: [
    "", "80", "host", "host:", "host:x", "host:65536", "host:-1", "::1:80", "[::1]", "[x]:1", "a b:1", "unix:",
    "unix:x", "h:1:2",
  ])
  func notListenAddresses(_ text: String) {
    #expect(ListenAddress(text) == nil)
  }

  @Test(arguments: [
    ("https://API.openai.com/v1/", "https://api.openai.com/v1"), ("http://h:80", "http://h"),
    ("http://h:81/a//", "http://h:81/a"),
    ("https://[::1]:8443/v1", "https://[::1]:8443/v1"), ("https://h:443", "https://h"),
  ])
  func baseURLs(_ text: String, _ canonical: String) {
    #expect(BaseURL(text)?.description == canonical)
  }

  @Test(arguments: [
    "", "h", "ftp://h", "http://", "http:///p", "http://u@h", "http://h?q", "http://h#f", "http://h:0",
    "http://h:99999",
    "http://h:x", "http://a b", "http://h\n", "http://[::1", "http://[::1]x", "http://é", "http://h\\a",
  ])
  func notBaseURLs(_ text: String) {
    #expect(BaseURL(text) == nil)
  }

  @Test(arguments: [
    ("conections", "connections"), ("max_agee", "max_age"), ("Min", "min"), ("mni", "min"), ("tiemouts", "timeouts"),
  ])
  func suggestions(_ word: String, _ nearest: String) {
    #expect(Suggestion.nearest(to: word, in: ["connections", "max_age", "min", "max", "timeouts"]) == nearest)
  }

  @Test func farNamesAreNotSuggested() {
    #expect(Suggestion.nearest(to: "temperature", in: ["connections", "min"]) == nil)
    #expect(Suggestion.nearest(to: "", in: ["a"]) == nil)
    #expect(
      Suggestion.nearest(to: String(repeating: "x", count: 1000), in: [String(repeating: "x", count: 999)]) == nil)
  }
}
