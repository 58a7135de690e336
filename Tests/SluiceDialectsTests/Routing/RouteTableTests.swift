import SluiceDialects
import SluicePolicy
import Testing

@Suite("Routes")
struct RouteTableTests {
  static let pools = [
    RoutePool(name: "openai", dialect: .openai, models: ["gpt-4o", "gpt-4o-mini", "shared"]),
    RoutePool(
      name: "second", dialect: .openai, models: ["shared", "only-second"], allowed: ["shared", "only-*", "gpt-*"]),
    RoutePool(name: "claude", dialect: .anthropic, models: ["claude-sonnet-5-5"]),
  ]

  static let routes = [
    RouteDefinition(
      model: "gpt-4o", targets: [RouteTarget(pool: "second", upstreamModel: "gpt-x"), RouteTarget(pool: "openai")]),
    RouteDefinition(model: "gpt-*", targets: [RouteTarget(pool: "openai")]),
    RouteDefinition(model: "*-mini", targets: [RouteTarget(pool: "second")]),
    RouteDefinition(
      model: "any", targets: [RouteTarget(pool: "claude"), RouteTarget(pool: "openai", upstreamModel: "gpt-4o")]),
  ]

  static func table(_ routes: [RouteDefinition] = routes, _ pools: [RoutePool] = pools) throws -> RouteTable {
    try RouteTable(routes: routes, pools: pools)
  }

  static func targets(_ resolution: RouteResolution) -> [String]? {
    guard case .plan(let plan) = resolution else { return nil }
    return plan.targets.map { target in target.upstreamModel.map { "\(target.pool)=\($0)" } ?? target.pool }
  }

  @Test(
    "names to pools",
    arguments: [
      ("gpt-4o", Surface.openai, ["second=gpt-x", "openai"]),
      ("gpt-4o-mini", .openai, ["openai"]),
      ("o-mini", .openai, nil),
      ("only-mini", .openai, ["second"]),
      ("second/gpt-new", .openai, ["second=gpt-new"]),
      ("openai/meta/llama", .openai, ["openai=meta/llama"]),
      ("shared", .openai, ["openai", "second"]),
      ("only-second", .openai, ["second"]),
      ("claude-sonnet-5-5", .anthropic, ["claude"]),
      ("claude-brand-new", .anthropic, ["claude"]),
      ("any", .openai, ["claude", "openai=gpt-4o"]),
      ("any", .anthropic, ["claude", "openai=gpt-4o"]),
      ("claude-sonnet-5-5", .openai, ["claude"]),
      ("fine-tune", .openai, nil),
      ("openai/", .openai, nil),
    ] as [(String, Surface, [String]?)])
  func resolve(_ model: String, _ surface: Surface, _ expected: [String]?) throws {
    #expect(Self.targets(try Self.table().resolve(model: model, for: surface.chat)) == expected)
  }

  @Test func unknownNamesGetTheNearest() throws {
    let resolution = try Self.table().resolve(model: "gtp4o", for: .chat)
    guard case .unknown(let suggestions) = resolution else { return #expect(Bool(false), "\(resolution)") }
    #expect(suggestions.first == "gpt-4o")
    #expect(suggestions.count <= 3)
  }

  @Test func otherSurfacesAndClosedPoolsAreNamed() throws {
    let table = try Self.table()
    #expect(table.resolve(model: "claude-sonnet-5-5", for: .embeddings) == .otherSurface(pools: ["claude"]))
    #expect(table.resolve(model: "claude/x", for: .embeddings) == .otherSurface(pools: ["claude"]))
    #expect(Self.targets(table.resolve(model: "any", for: .embeddings)) == ["openai=gpt-4o"])
    #expect(table.resolve(model: "second/davinci", for: .chat) == .notAllowed(pools: ["second"]))
  }

  @Test func theOnlyPoolOfASurfaceTakesUnknownModels() throws {
    let table = try Self.table([], [RoutePool(name: "only", dialect: .openai)])
    #expect(Self.targets(table.resolve(model: "anything", for: .chat)) == ["only"])
    #expect(Self.targets(table.resolve(model: "anything", for: .messages)) == ["only"])
    let claude = try Self.table([], [RoutePool(name: "only", dialect: .anthropic)])
    #expect(Self.targets(claude.resolve(model: "anything", for: .embeddings)) == nil)
  }

  @Test(
    "what cannot be a route",
    arguments: [
      RouteDefinition(model: "a", targets: []), RouteDefinition(model: "", targets: [RouteTarget(pool: "openai")]),
      RouteDefinition(model: "a", targets: [RouteTarget(pool: "opanai")]),
      RouteDefinition(model: "a", targets: [RouteTarget(pool: "openai", weight: 0)], strategy: .weighted),
    ])
  func problem(_ route: RouteDefinition) {
    #expect(throws: RouteProblem.self) { try Self.table([route]) }
  }

  @Test func problemsNameTheNearestPoolAndDuplicates() throws {
    let typo = RouteDefinition(model: "a", targets: [RouteTarget(pool: "opanai")])
    let problem = #expect(throws: RouteProblem.self) { try Self.table([typo]) }
    #expect(problem?.description.contains("did you mean 'openai'") ?? false)
    let twice = [Self.routes[0], Self.routes[0]]
    #expect(throws: RouteProblem.self) { try Self.table(twice) }
  }

  @Test func weightsAreKept() {
    let plan = RoutePlan(
      targets: [
        RouteTarget(pool: "a", weight: 3), RouteTarget(pool: "b", weight: 1), RouteTarget(pool: "never", weight: 0),
      ], strategy: .weighted)
    var random = SplitMix64(seed: 7)
    var first: [String: Int] = [:]
    for _ in 0..<8000 {
      let order = plan.ordered(random: random.next())
      #expect(Set(order.map(\.pool)).count == 3)
      first[order[0].pool, default: 0] += 1
    }
    #expect((5800...6200).contains(first["a"] ?? 0))
    #expect(first["never"] == nil)
    #expect(plan.ordered(random: 0)[0].pool == "a")
    #expect(plan.ordered(random: .max).map(\.pool) == ["b", "a", "never"])
  }

  @Test func modelsOfASurface() throws {
    let all = ["any", "claude-sonnet-5-5", "gpt-4o", "gpt-4o-mini", "only-second", "shared"]
    #expect(try Self.table().models(surface: .openai) == all)
    #expect(try Self.table().models(surface: .anthropic) == all)
  }

  @Test(
    "globs",
    arguments: [
      ("*", "", true), ("*", "x", true), ("a*", "a", true), ("a*", "ba", false), ("*a", "ba", true),
      ("a*b*c", "aXbYc", true),
      ("a*b*c", "aXcYb", false), ("a**", "a", true), ("abc", "abc", true), ("abc", "abcd", false), ("*ab", "aab", true),
      ("", "", true), ("", "a", false), ("*-mini*", "gpt-4o-mini-2026", true),
    ])
  func glob(_ pattern: String, _ name: String, _ expected: Bool) {
    #expect(GlobPattern(pattern).matches(name) == expected)
  }

  @Test func globsAgreeWithANaiveMatcher() {
    func naive(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
      guard let first = pattern.first else { return name.isEmpty }
      if first == 0x2A {
        return (name.startIndex...name.endIndex).contains { naive(pattern.dropFirst(), name[$0...]) }
      }
      return name.first == first && naive(pattern.dropFirst(), name.dropFirst())
    }
    var random = SplitMix64(seed: 3)
    func word(_ letters: [UInt8], _ longest: UInt64) -> [UInt8] {
      (0..<random.next() % longest).map { _ in letters[Int(random.next() % UInt64(letters.count))] }
    }
    for _ in 0..<5000 {
      let pattern = word([0x61, 0x62, 0x2A], 7)
      let name = word([0x61, 0x62], 9)
      let found = GlobPattern(String(decoding: pattern, as: UTF8.self)).matches(String(decoding: name, as: UTF8.self))
      #expect(found == naive(pattern[...], name[...]), "\(pattern) \(name)")
    }
  }

  @Test(
    "edit distance",
    arguments: [
      ("", "abc", 3), ("abc", "", 3), ("gpt", "gtp", 1), ("kitten", "sitting", 3), ("a", "a", 0), ("ab", "ba", 1),
    ])
  func distance(_ left: String, _ right: String, _ expected: Int) {
    #expect(NearestNames.distance(Array(left.utf8), Array(right.utf8)) == expected)
  }
}
