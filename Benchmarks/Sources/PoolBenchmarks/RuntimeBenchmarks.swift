import NIOCore
import NIOPosix
import SluicePolicy
import SluiceRuntime

/// The pool as its users meet it: lock, machine, effects, leases, event loops.
enum RuntimeBenchmarks {
  static func run(_ measurements: inout Measurements) throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    defer { try? group.syncShutdownGracefully() }
    let loops = [group.next(), group.next()] as [any EventLoop]
    let pool = try makePool(loops: loops)
    try warm(pool, loops)
    sameLoop(&measurements, pool, loops[0])
    contended(&measurements, pool, loops)
    limits(&measurements, pool, loops[0])
    try hop(&measurements, loops)
    pool.close()
  }

  private static func makePool(loops: [any EventLoop]) throws -> PoolDriver<InstantResource> {
    var settings = PoolSettings(
      name: "bench", origins: [OriginSettings(identity: "o", name: "o")],
      endpoints: (0..<4).map { EndpointSettings(identity: "e\($0)", name: "e\($0)", origin: 0) })
    settings.connections.min = 8
    settings.connections.max = 8
    settings.connections.verifyAfter = .hours(1)
    return try PoolDriver(settings: settings, loops: loops, seed: 1, connector: InstantConnector())
  }

  /// Takes and returns until every loop has connections of its own.
  private static func warm(_ pool: PoolDriver<InstantResource>, _ loops: [any EventLoop]) throws {
    for (index, loop) in loops.enumerated() {
      for _ in 0..<200 {
        try loop.submit { cycle(pool, LoopID(index), Waiter(loop)) }.wait()
      }
    }
  }

  @inline(never)
  private static func cycle(_ pool: PoolDriver<InstantResource>, _ loop: LoopID, _ waiter: Waiter) {
    let now = pool.clock.now()
    let request = AcquireRequest(loop: loop, deadline: now + .seconds(10), arrival: now)
    switch pool.acquire(request, waiter: waiter) {
    case .granted(let lease):
      waiter.endpoint = lease.grant.endpoint
      lease.release(ExchangeReport(result: .success, latency: .milliseconds(1), total: .milliseconds(2)))
    case .queued: waiter.missed += 1
    case .rejected: waiter.missed += 1
    }
  }

  private static func sameLoop(
    _ measurements: inout Measurements, _ pool: PoolDriver<InstantResource>, _ loop: any EventLoop
  ) {
    let waiter = Waiter(loop)
    measurements.measure("runtime: acquire + release, same loop", operations: 200_000) {
      try? loop.submit { for _ in 0..<200_000 { cycle(pool, LoopID(0), waiter) } }.wait()
    }
  }

  private static func contended(
    _ measurements: inout Measurements, _ pool: PoolDriver<InstantResource>, _ loops: [any EventLoop]
  ) {
    let waiters = loops.map(Waiter.init)
    measurements.measure("runtime: acquire + release, two loops at once", operations: 200_000) {
      let futures = loops.indices.map { index in
        loops[index].submit { for _ in 0..<100_000 { cycle(pool, LoopID(index), waiters[index]) } }
      }
      for future in futures { try? future.wait() }
    }
  }

  /// What an answer with headers about limits costs more, besides reading them.
  private static func limits(
    _ measurements: inout Measurements, _ pool: PoolDriver<InstantResource>, _ loop: any EventLoop
  ) {
    let waiter = Waiter(loop)
    try? loop.submit { cycle(pool, LoopID(0), waiter) }.wait()
    guard let endpoint = waiter.endpoint else { return }
    measurements.measure("runtime: limits of an answer noted", operations: 200_000) {
      try? loop.submit {
        for _ in 0..<200_000 {
          let now = pool.clock.now()
          var quota = EndpointQuota(heardAt: now)
          quota.requests = QuotaWindow(limit: 5_000, remaining: 4_999, resetsAt: now + .seconds(1))
          quota.tokens = QuotaWindow(limit: 100_000, remaining: 99_000, resetsAt: now + .seconds(6))
          pool.quotaHeard(endpoint, quota, pause: nil)
        }
      }.wait()
    }
  }

  /// What a relay across loops would add: for comparison.
  private static func hop(_ measurements: inout Measurements, _ loops: [any EventLoop]) throws {
    measurements.measure("for comparison: a hop to another loop and back", operations: 20_000) {
      try? loops[0].submit { () -> EventLoopFuture<Void> in bounce(20_000, loops[0], loops[1]) }.flatMap { $0 }.wait()
    }
  }

  private static func bounce(_ left: Int, _ here: any EventLoop, _ there: any EventLoop) -> EventLoopFuture<Void> {
    let promise = here.makePromise(of: Void.self)
    @Sendable func turn(_ left: Int) {
      guard left > 0 else { return promise.succeed() }
      there.execute { here.execute { turn(left - 1) } }
    }
    turn(left)
    return promise.futureResult
  }
}

/// A resource that is there at once and never breaks.
final class InstantResource: PoolableResource {
  private let events: ResourceEvents

  init(_ events: ResourceEvents) { self.events = events }

  func close(reason: CloseReason) { events.closed(idleFor: nil) }
  func verify(deadline: Instant, _ done: @escaping @Sendable (Bool) -> Void) { done(true) }
}

struct InstantConnector: ResourceConnector {
  func connect(
    _ request: ConnectRequest,
    _ done: @escaping @Sendable (Result<Connected<InstantResource>, PoolConnectError>) -> Void
  ) {
    let resource = InstantResource(request.events)
    request.eventLoop.execute { done(.success(Connected(resource: resource))) }
  }
}

/// Counts what was not granted at once; confined to its event loop, where alone the benchmark and the pool touch it.
final class Waiter: PoolWaiter, @unchecked Sendable {
  let loop: any EventLoop
  var missed = 0
  /// Of the last lease.
  var endpoint: EndpointID?

  init(_ loop: any EventLoop) { self.loop = loop }

  func granted(_ lease: consuming Lease<InstantResource>) { lease.release(.unused) }
  func rejected(_ rejection: PoolRejection) {}
}
