import SluiceConfiguration
import Testing

/// Starting without a file.
struct DiscoveryTests {
  private func pools(_ environment: [String: String], answers: Set<String> = []) async -> [DiscoveredPool] {
    await Discovery.pools(environment: environment) { answers.contains($0.baseURL) }
  }

  private func configuration(
    _ environment: [String: String], answers: Set<String> = []
  ) async throws -> LoadedConfiguration {
    var world = World()
    world.environment = environment
    return try await Discovery.configuration(options: world.options) { answers.contains($0.baseURL) }.get()
  }

  @Test func keysOfTheSDKsBecomePools() async throws {
    let loaded = try await configuration([
      "OPENAI_API_KEY": "sk-o", "OPENAI_BASE_URL": "https://proxy.example/v1", "OPENAI_ORG_ID": "org",
      "OPENAI_PROJECT_ID": "proj", "ANTHROPIC_API_KEY": "sk-a", "ANTHROPIC_AUTH_TOKEN": "sk-t",
      "ANTHROPIC_BASE_URL": "https://other.example",
    ])
    #expect(loaded.warnings.isEmpty)
    let pools = loaded.configuration.pools
    #expect(pools.map(\.name) == ["openai", "anthropic"])
    let (openai, anthropic) = (pools[0].endpoints[0], pools[1].endpoints[0])
    #expect(openai.url.description == "https://proxy.example/v1")
    #expect(openai.organization == "org")
    #expect(openai.project == "proj")
    #expect(openai.key?.reveal() == "sk-o")
    #expect(anthropic.url.description == "https://other.example")
    // As in the SDK, the API key wins.
    #expect(anthropic.key?.reveal() == "sk-a")
    #expect(anthropic.authentication == .apiKey)
  }

  @Test func tokenOfAnthropicIsABearer() async throws {
    let pool = try await configuration(["ANTHROPIC_AUTH_TOKEN": "sk-t"]).configuration.pools[0]
    #expect(pool.endpoints[0].key?.reveal() == "sk-t")
    #expect(pool.endpoints[0].authentication == .bearer)
    #expect(pool.endpoints[0].url.description == "https://api.anthropic.com")
  }

  @Test func emptyVariablesDoNotCount() async {
    #expect(await pools(["OPENAI_API_KEY": "", "ANTHROPIC_API_KEY": ""]).isEmpty)
    #expect(await pools(["OPENAI_API_KEY": "k", "OPENAI_BASE_URL": ""]).first?.baseURL == nil)
  }

  @Test(arguments: [
    ("http://127.0.0.1:11434/v1", "ollama"), ("http://127.0.0.1:8080/v1", "llamacpp"),
    ("http://127.0.0.1:8000/v1", "vllm"),
  ])
  func serversOnThisMachineThatAnswer(_ url: String, _ name: String) async throws {
    let loaded = try await configuration([:], answers: [url])
    #expect(loaded.configuration.pools.map(\.name) == [name])
    #expect(loaded.configuration.pools[0].endpoints.map(\.url.description) == [url])
    #expect(loaded.configuration.pools[0].endpoints[0].key == nil)
    #expect(loaded.warnings.isEmpty)
  }

  @Test(arguments: [
    ("box:1234", "http://box:1234/v1"), ("box", "http://box:11434/v1"), ("https://box", "https://box/v1"),
    ("0.0.0.0", "http://127.0.0.1:11434/v1"), ("", "http://127.0.0.1:11434/v1"),
    ("not a host", "http://127.0.0.1:11434/v1"),
    ("[::1]", "http://[::1]:11434/v1"), ("http://box:1/p", "http://box:1/p/v1"),
  ])
  func ollamaWhereItsVariableSays(_ host: String, _ url: String) {
    #expect(Discovery.localServers(environment: ["OLLAMA_HOST": host]).first?.baseURL == url)
  }

  @Test func nothingFoundSaysWhatToDo() async {
    do {
      _ = try await configuration([:])
      Issue.record("there is nothing to find")
    } catch let problems as ConfigurationProblems {
      #expect(problems.description.contains("sluice init"))
      #expect(problems.description.contains("ANTHROPIC_API_KEY"))
    } catch {
      Issue.record(error)
    }
  }

  // MARK: - Starter

  @Test func starterLoadsAsItIs() async {
    var world = World()
    world.environment = ["OPENAI_API_KEY": "sk-o", "ANTHROPIC_AUTH_TOKEN": "sk-a", "OPENAI_ORG_ID": "org"]
    let found = await Discovery.pools(environment: world.environment) { $0.name == "ollama" }
    #expect(found.count == 3)
    let text = Starter.render(found)
    #expect(world.problems(text) == [])
    #expect(!text.contains("sk-"))
    #expect(text.contains("\"${OPENAI_API_KEY}\""))
  }

  @Test func starterWithoutAnythingNeedsOnlyTheKey() {
    let text = Starter.render([])
    var world = World()
    world.environment = ["OPENAI_API_KEY": "sk-o"]
    #expect(world.problems(text) == [])
    world.environment = [:]
    #expect(world.problems(text).count == 1)
    #expect(world.problems(text).first?.contains("OPENAI_API_KEY is not set") == true)
  }

  /// What the comments of the starter suggest is valid as well.
  @Test func commentsOfTheStarterAreValid() async {
    var world = World()
    world.environment = ["OPENAI_API_KEY": "a", "SECOND_KEY": "b", "SPARE_KEY": "c"]
    let text = Starter.render(await Discovery.pools(environment: world.environment) { _ in false })
    let hash = String(repeating: "ab", count: 32)
    var isSettings = false
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let bare = line.drop { $0 == " " }
      guard bare.hasPrefix("# ") else {
        isSettings = isSettings || !bare.isEmpty
        return String(line)
      }
      let body = bare.dropFirst(2)
      let isCode = body.hasPrefix("-") || body.hasPrefix(" ") || body.prefix(24).contains(":")
      guard isSettings, isCode, !body.contains("is set") else { return String(line) }
      return String(line.prefix(line.count - bare.count) + body)
    }
    let uncommented = lines.joined(separator: "\n").replacing("<sha256 of the key>", with: hash)
    #expect(uncommented.contains("\naccess:"))
    #expect(uncommented.contains("\nroutes:"))
    #expect(world.problems(uncommented) == [], "\(uncommented)")
  }

  // MARK: - Search

  @Test func searchOrder() {
    func source(_ option: String?, _ variable: String?, _ exists: Bool) -> ConfigurationSource {
      let files = FileAccess { path, _ in exists && path == "./sluice.yaml" ? .success([]) : .failure(.missing) }
      return ConfigurationSearch.source(
        option: option, environment: variable.map { ["SLUICE_CONFIG": $0] } ?? [:], files: files)
    }
    #expect(source("a", "b", true) == .file("a"))
    #expect(source(nil, "b", true) == .file("b"))
    #expect(source(nil, nil, true) == .file("./sluice.yaml"))
    #expect(source(nil, "", false) == .discovery)
    let locked = FileAccess { _, _ in .failure(FileProblem("may not be read")) }
    #expect(ConfigurationSearch.source(option: nil, environment: [:], files: locked) == .file("./sluice.yaml"))
  }
}
