import SluiceConfiguration
import Testing

/// AWS credentials that no key stands for.
struct AWSOptionTests {
  private func file(_ lines: String...) -> String {
    "pools:\n  b:\n    provider: bedrock\n" + lines.map { "    \($0)\n" }.joined()
  }

  private func world(_ files: [String: String] = [:], _ environment: [String: String] = [:]) -> World {
    var world = World()
    world.environment = environment.merging(["HOME": "/h"]) { mine, _ in mine }
    world.files = files
    return world
  }

  private static let key = "aws_access_key_id = AKIDFILE\naws_secret_access_key = topsecret\n"

  @Test func aPoolNeedsNoKeys() throws {
    let pool = try world().configuration(file("options: {region: eu-west-1}")).pools[0]
    #expect(pool.endpoints.map(\.name) == ["default"])
    #expect(pool.endpoints[0].key == nil)
    #expect(pool.endpoints[0].url.description == "https://bedrock-runtime.eu-west-1.amazonaws.com")
  }

  @Test(arguments: [
    ("options: {access_key_id: A}", "'secret_access_key' is missing beside 'access_key_id'"),
    ("options: {secret_access_key: A}", "'access_key_id' is missing beside 'secret_access_key'"),
    ("options: {session_token: A}", "'access_key_id' is missing beside 'session_token'"),
    (
      "options: {profile: p, access_key_id: A, secret_access_key: s}",
      "'profile' and 'access_key_id' exclude each other"
    ),
    ("options: {profile: p}", "neither /h/.aws/credentials nor /h/.aws/config has a profile 'p'"),
  ])
  func optionsThatDoNotGoTogether(_ options: String, _ problem: String) {
    let problems = world().problems(file(options))
    #expect(problems.contains { $0.hasPrefix("sluice.yaml:4:") && $0.contains(problem) }, "\(problems)")
  }

  @Test func keysAndAProfileExcludeEachOther() {
    let problems = world().problems(file("keys: [k]", "options: {profile: p}"))
    #expect(problems == ["sluice.yaml:5:24: error: 'profile' and 'keys' exclude each other"])
  }

  @Test func whatIsNotSupportedShowsAtItsOwnFileAndLine() {
    let config = "[default]\nregion = x\n[profile w]\nsso_session = s\n"
    let problems = world(["/h/.aws/config": config]).problems(file("options: {profile: w}"))
    #expect(problems.count == 1)
    #expect(problems.first?.hasPrefix("/h/.aws/config:4:1: error: profile 'w' uses 'sso_session'") == true)
    // A profile that nobody asked for and that has nothing is no problem: others may have something.
    #expect(world(["/h/.aws/config": config]).problems(file("options: {}")).isEmpty)
    let asked = world(["/h/.aws/config": config], ["AWS_PROFILE": "w"])
    #expect(asked.problems(file("options: {}")).first?.hasPrefix("/h/.aws/config:4:1:") == true)
    // Nobody looks there.
    let environment = ["AWS_PROFILE": "w", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"]
    #expect(world(["/h/.aws/config": config], environment).problems(file("options: {}")).isEmpty)
  }

  @Test func rolesThatWouldHaveToBeAssumedAreRefused() {
    let problems = world([:], ["AWS_WEB_IDENTITY_TOKEN_FILE": "/t"]).problems(file("options: {}"))
    #expect(problems.count == 1 && problems[0].contains("AWS_WEB_IDENTITY_TOKEN_FILE"))
  }

  @Test func optionsKeepTheirSecrets() throws {
    let text = file("options: {access_key_id: AKIDOPT, secret_access_key: topsecret, session_token: toptoken}")
    let configuration = try world().configuration(text)
    var shown = "\(configuration.redacted) \(configuration)"
    dump(configuration, to: &shown)
    #expect(!shown.contains("topsecret") && !shown.contains("toptoken"))
  }

  // MARK: Discovery

  private func discovered(_ world: World) async -> [DiscoveredPool] {
    await Discovery.pools(environment: world.environment, files: world.options.files) { _ in false }
  }

  @Test func aProfileIsFoundWithItsRegion() async throws {
    let world = world(
      ["/h/.aws/credentials": "[w]\n\(Self.key)", "/h/.aws/config": "[profile w]\nregion = eu-west-3\n"],
      ["AWS_PROFILE": "w"])
    let pools = await discovered(world)
    #expect(pools.map(\.name) == ["bedrock"])
    #expect(pools.first?.options == ["region": "eu-west-3"] && pools.first?.key == nil)
    let text = Starter.render(pools)
    #expect(!text.contains("topsecret") && !text.contains("AKIDFILE"))
    #expect(world.problems(text).isEmpty)
  }

  @Test func aRegionThatIsNoneIsNotWritten() async {
    let world = world(["/h/.aws/credentials": "[default]\n\(Self.key)region = x\"y: z\n"])
    #expect(await discovered(world).first?.options == [:])
  }

  @Test(arguments: [
    (["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"], true),
    (["AWS_BEARER_TOKEN_BEDROCK": "t", "AWS_REGION": "x"], true),
    (["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"], true), ([:], false),
    (["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://elsewhere.example/"], false),
  ])
  func whatMakesAPool(_ environment: [String: String], _ makes: Bool) async {
    #expect(await discovered(world([:], environment)).isEmpty == !makes)
  }
}
