import Logging
import NIOCore
import NIOEmbedded
import SluicePolicy
import SluiceRuntime
import SluiceTesting

/// A pool on one embedded event loop in virtual time, with a scripted connector. For tests that stay on one thread.
final class Bench {
  let loop: EmbeddedEventLoop
  let clock: VirtualClock
  let connector: ScriptedConnector
  let observer: RecordingObserver
  let pool: PoolDriver<ScriptedResource>

  init(
    _ settings: PoolSettings = .test(), script: [ScriptedConnector.Step] = [],
    otherwise: ScriptedConnector.Step = .succeed(), probe: (any ResourceProbe)? = nil,
    observer: RecordingObserver = RecordingObserver()
  ) throws {
    loop = EmbeddedEventLoop()
    clock = VirtualClock(following: loop)
    connector = ScriptedConnector(script: script, otherwise: otherwise)
    self.observer = observer
    pool = try PoolDriver(
      settings: settings, loops: [loop], clock: clock, seed: 1, connector: connector,
      probe: probe, observers: [observer])
  }

  deinit {
    pool.close()
    loop.run()
  }

  func request(within limit: Interval = .seconds(10), freshOnly: Bool = false) -> AcquireRequest {
    let now = clock.now()
    return AcquireRequest(
      loop: LoopID(rawValue: 0), deadline: now + limit, arrival: now, freshOnly: freshOnly)
  }

  func advance(by interval: Interval) {
    loop.advanceTime(by: .nanoseconds(interval.nanoseconds))
  }

  /// A lease, waited for if need be; nil if there is none in time.
  func lease(within limit: Interval = .seconds(10)) -> Lease<ScriptedResource>? {
    let waiter = RecordingWaiter<ScriptedResource>()
    switch pool.acquire(request(within: limit), waiter: waiter) {
    case .granted(let lease):
      return lease
    case .queued:
      loop.run()
      return waiter.take()
    case .rejected:
      return nil
    }
  }

  /// A lease that has to be there; `#require` cannot be asked for something that cannot be copied.
  func mustLease() throws -> Lease<ScriptedResource> {
    guard let lease = lease() else { throw NoLease() }
    return lease
  }

  /// Puts a wish into the queue; fails the test's expectation by nil when it was not queued.
  func wait(_ waiter: RecordingWaiter<ScriptedResource>, within limit: Interval = .seconds(10)) -> TicketID? {
    switch pool.acquire(request(within: limit), waiter: waiter) {
    case .queued(let ticket): ticket
    case .granted: nil
    case .rejected: nil
    }
  }
}

struct NoLease: Error {}

extension RecordingWaiter {
  func mustTake() throws -> Lease<Resource> {
    guard let lease = take() else { throw NoLease() }
    return lease
  }
}

extension PoolSettings {
  /// One endpoint at one origin, few connections, nothing that happens by itself within a minute.
  static func test(
    name: String = "test", max: Int = 1, min: Int = 0, queue: Int = 100, origin: String = "origin"
  ) -> PoolSettings {
    var settings = PoolSettings(
      name: name, origins: [OriginSettings(identity: origin, name: origin)],
      endpoints: [EndpointSettings(identity: "\(origin)/key", name: "key", origin: 0)])
    settings.connections.max = max
    settings.connections.poolMax = max
    settings.connections.min = min
    settings.connections.verifyAfter = .minutes(1)
    settings.queue.capacity = queue
    settings.queue.reserved = ClassShares(critical: 0, high: 0, normal: 0, low: 0)
    return settings
  }

  /// The same for pools on real loops, where a connect may take a while on a busy machine.
  static func unhurried(max: Int = 1, min: Int = 0, queue: Int = 100) -> PoolSettings {
    var settings = test(max: max, min: min, queue: queue)
    settings.connections.connectTimeout = .hours(1)
    settings.connections.verifyAfter = .hours(1)
    return settings
  }
}

extension ExchangeReport {
  static let success = ExchangeReport(result: .success)
}
