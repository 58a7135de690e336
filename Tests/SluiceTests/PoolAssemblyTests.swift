import Logging
import NIOCore
import NIOPosix
import Sluice
import SluiceConfiguration
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

/// What a reload leaves behind of the configuration before: what may still be needed, and nothing else. No pool here
/// opens a connection.
@Suite(.timeLimit(.minutes(1))) struct PoolAssemblyTests {
  private let assembly = PoolAssembly(
    loops: [MultiThreadedEventLoopGroup.singleton.next()],
    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })

  private func blueprints(_ pools: String..., admission: String = "{}") throws -> [PoolBlueprint] {
    let text = "admission: \(admission)\npools:\n" + pools.map { "  \($0)\n" }.joined()
    let loaded = try SluiceConfigurationFile.load(text: text, name: "test", options: LoadOptions(environment: [:]))
      .get()
    let configuration = loaded.configuration
    return try configuration.pools.map { try PoolBlueprint($0, admission: configuration.admission) }
  }

  private func pool(_ name: String, port: Int, key: String = "k", _ more: String = "") -> String {
    "\(name): {provider: openai, base_url: \"http://127.0.0.1:\(port)/v1\", keys: [\(key)]\(more)}"
  }

  @Test func keepaliveOfTheNextConnectionFollowsTheConfiguration() throws {
    let first = try assembly.apply(
      try blueprints(pool("a", port: 1, ", connections: {keepalive: 11s}")), drainLimit: .zero)
    #expect(first[0].connectionOptions.keepAliveIdle == .seconds(11))
    let second = try assembly.apply(
      try blueprints(pool("a", port: 1, ", connections: {keepalive: 12s}")), drainLimit: .zero)
    #expect(second[0].driver === first[0].driver)
    #expect(second[0].connectionOptions.keepAliveIdle == .seconds(12))
    let off = try assembly.apply(
      try blueprints(pool("a", port: 1, ", connections: {keepalive: 0s}")), drainLimit: .zero)
    #expect(off[0].connectionOptions.keepAliveIdle > .hours(1))
  }

  @Test func aRefusedConfigurationChangesNoOptions() throws {
    let first = try assembly.apply(
      try blueprints(pool("a", port: 1, ", connections: {keepalive: 11s}")), drainLimit: .zero)
    let same = try blueprints(pool("a", port: 2, ", connections: {keepalive: 12s}"))
    #expect(throws: ReconciliationError.self) { try assembly.apply(same + same, drainLimit: .zero) }
    #expect(first[0].connectionOptions.keepAliveIdle == .seconds(11))
    #expect(assembly.knownPlaces == (1, 1), "what was made known for it is forgotten")
  }

  @Test func nothingPilesUpOverManyReloads() throws {
    for port in 1...50 {
      _ = try assembly.apply(
        try blueprints(pool("a", port: port, key: "k\(port)"), pool("p\(port)", port: port)), drainLimit: .zero)
      let known = assembly.knownPlaces
      #expect(known.origins <= 4 && known.targets <= 4, "\(port): \(known)")
    }
    // What the configuration before needed is there for one reload more.
    let last = try blueprints(pool("a", port: 1))
    _ = try assembly.apply(last, drainLimit: .zero)
    #expect(assembly.knownPlaces == (3, 3))
    _ = try assembly.apply(last, drainLimit: .zero)
    #expect(assembly.knownPlaces == (1, 1))
  }

  @Test func admissionBoundsTheQueuesOfAllPools() throws {
    let pools = try assembly.apply(
      try blueprints(pool("a", port: 1), pool("b", port: 2), admission: "{capacity: 7}"), drainLimit: .zero)
    #expect(pools.map(\.driver.settings.queue.capacity) == [7, 7])
    let later = try assembly.apply(
      try blueprints(pool("a", port: 1), pool("b", port: 2), admission: "{capacity: 9}"), drainLimit: .zero)
    #expect(later.map(\.driver.settings.queue.capacity) == [9, 9])
  }

  @Test func removedPoolsTakeRequestsUntilTheyAreRetired() throws {
    _ = try assembly.apply(try blueprints(pool("a", port: 1), pool("b", port: 2)), drainLimit: .seconds(1))
    let removed = try #require(assembly.directory.current["b"])
    let transition = try assembly.begin(try blueprints(pool("a", port: 1)), drainLimit: .seconds(1))
    #expect(transition.pools.map(\.blueprint.settings.name) == ["a"])
    #expect(removed.snapshot().state == .open)
    transition.retire()
    #expect(removed.snapshot().state != .open)
  }
}
