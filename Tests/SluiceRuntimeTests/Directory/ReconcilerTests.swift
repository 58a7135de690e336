import NIOCore
import NIOEmbedded
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

@Suite struct ReconcilerTests {
  private let loop = EmbeddedEventLoop()
  private let directory = PoolDirectory<ScriptedResource>()
  private let connector = ScriptedConnector()

  private struct CannotMake: Error {}

  private func reconciler(failingFor name: String? = nil) -> ConfigurationReconciler<ScriptedResource> {
    let clock = VirtualClock(following: loop)
    let (loop, connector) = (loop, connector)
    return ConfigurationReconciler(directory: directory, drainLimit: .seconds(10)) { settings in
      if settings.name == name { throw CannotMake() }
      return try PoolDriver(settings: settings, loops: [loop], clock: clock, seed: 1, connector: connector)
    }
  }

  @Test func poolsAreAddedChangedKeptAndRemoved() throws {
    let reconciler = reconciler()
    let first = try reconciler.apply([.test(name: "a"), .test(name: "b"), .test(name: "c")])
    #expect(first.added == ["a", "b", "c"])
    let before = directory.current
    let second = try reconciler.apply([.test(name: "a"), .test(name: "b", max: 5), .test(name: "d")])
    #expect(second.unchanged == ["a"])
    #expect(second.changed == ["b"])
    #expect(second.added == ["d"])
    #expect(second.removed == ["c"])
    #expect(second.generation == first.generation + 1)
    let after = directory.current
    #expect(after.pools.keys.sorted() == ["a", "b", "d"])
    #expect(after["a"] === before["a"], "running pools are kept, with all they know")
    #expect(after["b"] === before["b"])
    #expect(after["b"]?.settings.connections.max == 5)
    #expect(before.pools.keys.sorted() == ["a", "b", "c"], "a snapshot that somebody holds does not change")
  }

  @Test func aRemovedPoolFinishesItsLeases() throws {
    let reconciler = reconciler()
    try reconciler.apply([.test(name: "a")])
    let waiter = RecordingWaiter<ScriptedResource>()
    do {
      let pool = try #require(directory.current["a"])
      let now = pool.clock.now()
      let request = AcquireRequest(loop: LoopID(rawValue: 0), deadline: now + .seconds(1), arrival: now)
      switch pool.acquire(request, waiter: waiter) {
      case .queued: loop.run()
      case .granted: Issue.record("nothing is open yet")
      case .rejected: Issue.record("nothing is open yet")
      }
    }
    try reconciler.apply([])
    #expect(directory.current["a"] == nil)
    #expect(directory.managedPools().map(\.name) == ["a"], "it is still there for whoever has to wait for it")
    #expect(connector.openCount == 1)
    waiter.take()?.release(.success)
    #expect(connector.openCount == 0)
    #expect(directory.managedPools().isEmpty)
  }

  @Test func aRemovedPoolTakesRequestsUntilItIsRetired() throws {
    let reconciler = reconciler()
    try reconciler.apply([.test(name: "a", min: 1)])
    let pool = try #require(directory.current["a"])
    let reconciliation = try reconciler.begin([])
    #expect(reconciliation.report.removed == ["a"])
    #expect(directory.current["a"] == nil)
    #expect(outcome(pool) == "granted")
    reconciliation.retire()
    #expect(outcome(pool) == "draining")
    reconciliation.retire()
  }

  private func outcome(_ pool: PoolDriver<ScriptedResource>) -> String {
    let now = pool.clock.now()
    let request = AcquireRequest(loop: LoopID(rawValue: 0), deadline: now + .seconds(1), arrival: now)
    switch pool.acquire(request, waiter: RecordingWaiter<ScriptedResource>()) {
    case .granted(let lease):
      lease.release(.success)
      return "granted"
    case .queued: return "queued"
    case .rejected(let rejection): return rejection.reason.label
    }
  }

  @Test func aRemovedPoolIsNotWaitedForForever() throws {
    let reconciler = reconciler()
    try reconciler.apply([.test(name: "a", min: 1)])
    let pool = try #require(directory.current["a"])
    let now = pool.clock.now()
    let request = AcquireRequest(loop: LoopID(rawValue: 0), deadline: now + .seconds(1), arrival: now)
    let waiter = RecordingWaiter<ScriptedResource>()
    guard case .granted(let lease) = pool.acquire(request, waiter: waiter) else {
      Issue.record("one is open")
      return
    }
    try reconciler.apply([])
    loop.advanceTime(by: .seconds(10))
    #expect(lease.resource.closeReasons == [.shutdown])
    lease.release(.success)
  }

  @Test func oneBadPoolStopsEverything() throws {
    let reconciler = reconciler()
    try reconciler.apply([.test(name: "a"), .test(name: "b")])
    let before = directory.current
    var bad = PoolSettings.test(name: "c")
    bad.connections.max = 0
    let error = #expect(throws: ReconciliationError.self) {
      try reconciler.apply([.test(name: "a", max: 7), bad, .test(name: "a")])
    }
    #expect(error?.problems.map(\.pool) == ["c", "a"])
    #expect(directory.current.generation == before.generation)
    #expect(directory.current["a"]?.settings.connections.max == 1)
    #expect(directory.current["b"]?.snapshot().state == .open)
  }

  @Test func aPoolThatCannotBeMadeStopsEverything() throws {
    try reconciler().apply([.test(name: "a")])
    let error = #expect(throws: ReconciliationError.self) {
      try reconciler(failingFor: "z").apply([.test(name: "a", max: 7), .test(name: "m", min: 1), .test(name: "z")])
    }
    #expect(error?.problems.map(\.pool) == ["z"])
    #expect(directory.current.pools.keys.sorted() == ["a"])
    #expect(directory.current["a"]?.settings.connections.max == 1)
    #expect(connector.openCount == 0, "what the new pool had opened is closed again")
  }

  @Test func aPoolThatRefusesItsSettingsStopsEverything() throws {
    let reconciler = reconciler()
    try reconciler.apply([.test(name: "a"), .test(name: "b")])
    directory.current["b"]?.close()
    let error = #expect(throws: ReconciliationError.self) {
      try reconciler.apply([.test(name: "a", max: 7), .test(name: "b", max: 7)])
    }
    #expect(error?.problems.map(\.pool) == ["b"])
    #expect(directory.current["a"]?.settings.connections.max == 1)
  }
}
