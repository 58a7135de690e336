import SluiceConfiguration
import SluiceDialects
import SluicePolicy
import Testing

/// What stands below `options:` of a pool.
@Suite struct ProviderOptionTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var provider: Provider
    var option: ProviderOption
    var testDescription: String { "\(provider.rawValue).\(option.name)" }

    /// A value of the option's kind, as in a file.
    var sample: String {
      switch option.kind {
      case .text: "x-1"
      case .secret: "hidden"
      case .flag: "true"
      case .integer(let range): "\(range.lowerBound)"
      case .choice(let names): names[0]
      case .textMap: "{a: b}"
      case .textList: "[a]"
      }
    }

    func file(_ options: String) -> String {
      """
      pools:
        p:
          provider: \(provider.rawValue)
          base_url: "\(provider == .mistral ? "https://api.eu.mistral.ai" : "http://h/x")"
          \(isCredential ? "" : "keys: [k]")
          options: {\(options)}
      """
    }

    /// Takes the place of keys.
    var isCredential: Bool { provider == .bedrock && option.name != "region" }

    /// What has to stand beside it.
    var companions: String {
      let parts = ["access_key_id": "A", "secret_access_key": "hidden"]
      guard isCredential, option.name != "profile" else { return "" }
      return parts.filter { $0.key != option.name }.map { ", \($0.key): \($0.value)" }.joined()
    }
  }

  static let rows = Provider.implemented.flatMap { provider in
    provider.options.map { Row(provider: provider, option: $0) }
  }

  @Test("every option of every provider is read, and shown without its secret", arguments: rows)
  func optionIsReadAndShown(_ row: Row) throws {
    var world = World()
    world.environment["HOME"] = "/h"
    world.files["/h/.aws/credentials"] = "[x-1]\naws_access_key_id = A\naws_secret_access_key = hidden\n"
    let configuration = try world.configuration(row.file("\(row.option.name): \(row.sample)\(row.companions)"))
    let records = configuration.records.filter { $0.pattern == "pools.*.options.\(row.option.name)" }
    #expect(records.count == 1)
    #expect(!"\(configuration.redacted)".contains("hidden"))
    let plain = try World().configuration(row.file(""))
    #expect(configuration != plain || !row.option.standard.isEmpty)
  }

  @Test(arguments: Provider.implemented)
  func unknownOptionsAreNamed(_ provider: Provider) throws {
    let row = Row(provider: provider, option: ProviderOption("x", .text, ""))
    #expect(World().problems(row.file("zzz: 1")).count == 1)
  }

  @Test func residencyForbidsOtherPlaces() {
    func problems(_ url: String) -> [String] {
      World().problems(
        """
        pools:
          p: {provider: mistral, base_url: "\(url)", keys: [k], options: {residency: eu}}
        """)
    }
    #expect(problems("https://api.eu.mistral.ai").isEmpty)
    #expect(problems("https://api.us.mistral.ai").count == 1)
  }

  @Test func optionsOfAnotherProviderAreRefused() throws {
    let row = try #require(Self.rows.first { $0.provider != .openai })
    var other = row
    other.provider = .openai
    let problems = World().problems(other.file("\(row.option.name): \(row.sample)"))
    #expect(problems.contains { $0.contains("is no option of openai") })
  }
}
