package import NIOCore
package import SluiceDialects
import SluicePolicy
import SluiceRuntime

/// What the gateway counts. Each event loop counts for itself without a lock; a reader asks them all.
package final class GatewayMetrics: Sendable {
  private let loops: LoopLocal<LoopMetrics>
  private let records: LoopLocal<RecordRing>
  private let pools = Guarded<[String]>([""])

  package init(loops: [any EventLoop], recentRequests: Int = 256) {
    self.loops = LoopLocal(loops: loops) { _ in LoopMetrics() }
    records = LoopLocal(loops: loops) { _ in RecordRing(capacity: recentRequests) }
  }

  /// The place of a pool's counters; the same for a pool of that name after a reload. Names are bounded by
  /// configuration, not by clients.
  func slot(ofPool name: String) -> Int {
    pools.withLock { names in
      if let index = names.firstIndex(of: name) { return index }
      names.append(name)
      return names.count - 1
    }
  }

  func update(on loop: LoopID, _ body: (inout LoopMetrics) -> Void) {
    loops.withValue(on: loop, body)
  }

  func record(_ record: consuming RequestRecord, on loop: LoopID) {
    records.give(record, to: loop) { ring, record in ring.append(record) }
  }

  /// Everything counted so far over all loops.
  package func snapshot() async throws -> GatewayMetricsSnapshot {
    GatewayMetricsSnapshot(try await loops.values(), pools: pools.value)
  }

  /// As ``snapshot()``, without a task.
  package func snapshot(on loop: any EventLoop) -> EventLoopFuture<GatewayMetricsSnapshot> {
    let names = pools.value
    return loops.collect(on: loop).map { GatewayMetricsSnapshot($0, pools: names) }
  }

  /// The requests that ended last, newest first, at most `limit`.
  package func recentRequests(limit: Int = 100) async throws -> [RequestRecord] {
    Self.newest(try await records.values(), limit)
  }

  /// As ``recentRequests(limit:)``, without a task.
  package func recentRequests(limit: Int = 100, on loop: any EventLoop) -> EventLoopFuture<[RequestRecord]> {
    records.collect(on: loop).map { Self.newest($0, limit) }
  }

  private static func newest(_ rings: [RecordRing], _ limit: Int) -> [RequestRecord] {
    let all = rings.flatMap(\.all).sorted { $0.began + $0.duration > $1.began + $1.duration }
    return Array(all.prefix(max(0, limit)))
  }
}

/// One event loop's counters.
struct LoopMetrics: Sendable {
  /// Every surface, and none.
  static let surfaces = Surface.allCases.count + 1

  /// By pool slot and surface; grows with the pools that were used.
  var cells: [RequestCounters] = []
  var rejected: [GatewayErrorCode: UInt64] = [:]
  /// Heads that were no HTTP, by the parser's closed set of labels.
  var malformed: [HTTPParseError: UInt64] = [:]
  var connectionsOpened: UInt64 = 0
  var connectionsRefused: UInt64 = 0
  var connectionsOpen = 0
  var streamsOpen = 0
  /// Plain answers cut after their head because the upstream broke.
  var answersCut: UInt64 = 0
  var relayed: UInt64 = 0
  var keepaliveComments: UInt64 = 0

  static func index(slot: Int, surface: Surface?) -> Int {
    slot * surfaces + (surface.map { Int($0.rawValue) + 1 } ?? 0)
  }

  mutating func withCell(slot: Int, surface: Surface?, _ body: (inout RequestCounters) -> Void) {
    let index = Self.index(slot: slot, surface: surface)
    while cells.count <= index { cells.append(RequestCounters()) }
    body(&cells[index])
  }
}

/// Counters of the requests of one pool and surface.
package struct RequestCounters: Sendable {
  /// Finished requests by hundreds of their status; 0 counts those that the client left (499).
  package var byStatusClass = InlineArray<6, UInt64>(repeating: 0)
  package var duration = FixedHistogram()
  package var firstToken = FixedHistogram()
  /// The whole time minus the upstream's share, until the head was sent.
  package var overhead = FixedHistogram()
  package var phases = InlineArray<6, FixedHistogram>(repeating: FixedHistogram())
  package var bytesIn: UInt64 = 0
  package var bytesOut: UInt64 = 0
  package var inputTokens: UInt64 = 0
  package var outputTokens: UInt64 = 0
  package var cachedTokens: UInt64 = 0
  package var reasoningTokens: UInt64 = 0
  /// Part of the input and output tokens that no provider counted.
  package var estimatedInputTokens: UInt64 = 0
  package var estimatedOutputTokens: UInt64 = 0
  /// Nano-dollars, by the catalogue's prices.
  package var cost: UInt64 = 0
  package var retries: UInt64 = 0
  package var replays: UInt64 = 0
  package var walks: UInt64 = 0
  package var spills: UInt64 = 0
  package var budgetRefusals: UInt64 = 0
  package var cancelled: UInt64 = 0
  package var streams: UInt64 = 0
  package var streamsBroken: UInt64 = 0
  package var refusals: UInt64 = 0
  package var contentFiltered: UInt64 = 0

  package init() {}

  package var requests: UInt64 {
    (0..<6).reduce(0) { $0 &+ byStatusClass[$1] }
  }

  mutating func merge(_ other: RequestCounters) {
    for index in 0..<6 {
      byStatusClass[index] &+= other.byStatusClass[index]
      phases[index].merge(other.phases[index])
    }
    duration.merge(other.duration)
    firstToken.merge(other.firstToken)
    overhead.merge(other.overhead)
    for path in Self.sums { self[keyPath: path] &+= other[keyPath: path] }
  }

  private static var sums: [WritableKeyPath<RequestCounters, UInt64>] {
    [
      \.bytesIn, \.bytesOut, \.cost, \.inputTokens, \.outputTokens, \.cachedTokens, \.reasoningTokens,
      \.estimatedInputTokens, \.estimatedOutputTokens, \.retries, \.replays,
      \.walks, \.spills, \.budgetRefusals, \.cancelled, \.streams, \.streamsBroken, \.refusals, \.contentFiltered,
    ]
  }
}

/// The gateway's counters at one moment, over all loops.
package struct GatewayMetricsSnapshot: Sendable {
  package struct Entry: Sendable {
    /// Empty for requests that were answered without a pool.
    package var pool: String
    package var surface: Surface?
    package var counters: RequestCounters
  }

  package var entries: [Entry] = []
  package var rejected: [GatewayErrorCode: UInt64] = [:]
  package var malformed: [HTTPParseError: UInt64] = [:]
  package var connectionsOpened: UInt64 = 0
  package var connectionsRefused: UInt64 = 0
  package var connectionsOpen = 0
  package var streamsOpen = 0
  package var answersCut: UInt64 = 0
  package var relayed: UInt64 = 0
  package var keepaliveComments: UInt64 = 0

  init(_ loops: [LoopMetrics], pools: [String]) {
    var cells: [Int: RequestCounters] = [:]
    for loop in loops {
      for (index, cell) in loop.cells.enumerated() where cell.requests > 0 {
        cells[index, default: RequestCounters()].merge(cell)
      }
      rejected.merge(loop.rejected) { $0 &+ $1 }
      malformed.merge(loop.malformed) { $0 &+ $1 }
      connectionsOpened &+= loop.connectionsOpened
      connectionsRefused &+= loop.connectionsRefused
      connectionsOpen += loop.connectionsOpen
      streamsOpen += loop.streamsOpen
      answersCut &+= loop.answersCut
      relayed &+= loop.relayed
      keepaliveComments &+= loop.keepaliveComments
    }
    entries = cells.sorted { $0.key < $1.key }.map { index, counters in
      let slot = index / LoopMetrics.surfaces
      let surface = index % LoopMetrics.surfaces
      return Entry(
        pool: slot < pools.count ? pools[slot] : "",
        surface: surface == 0 ? nil : Surface(rawValue: UInt8(surface - 1)),
        counters: counters)
    }
  }

  /// All requests together.
  package var total: RequestCounters {
    entries.reduce(into: RequestCounters()) { $0.merge($1.counters) }
  }
}
