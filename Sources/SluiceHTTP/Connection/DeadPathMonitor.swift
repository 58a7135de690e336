package import NIOCore

/// Finds connections of one event loop whose peer vanished without a word: a NAT entry that lapsed, a pulled cable, a
/// host that lost power. TCP itself would notice after minutes.
///
/// One timer per loop looks at those connections that have been in an exchange for a second or more: bytes we sent are
/// unacknowledged, were repeated, and for a second nothing was heard of the peer. A slow upload is none of that, since
/// acknowledgements keep coming, and an upstream that thinks for a minute has acknowledged the request long ago; once
/// that was seen, the exchange is not looked at again. So a connection costs one system call per exchange that lasts,
/// and nothing per request.
///
/// States: resting → ticking (an exchange starts) → resting (a tick finds no connection in an exchange).
/// Invariant: `connections[i].monitorIndex == i`. Confined to its event loop, which `@unchecked Sendable` relies on.
package final class DeadPathMonitor: @unchecked Sendable {
  /// Two ticks after the one during which an exchange began make at least a second, three at most one and a half.
  static let period = TimeAmount.milliseconds(500)
  static let ticksBeforeDoubt: UInt64 = 3
  /// Nothing heard for this long, by the kernel's clock.
  static let silenceMilliseconds: UInt32 = 1_000

  private let eventLoop: any EventLoop
  private var connections: [any SocketPath] = []
  /// Half seconds in which somebody was awaited.
  package private(set) var tick: UInt64 = 0
  private var isTicking = false

  package init(eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  func add(_ connection: any SocketPath) {
    connection.monitorIndex = connections.count
    connections.append(connection)
  }

  func remove(_ connection: any SocketPath) {
    let index = connection.monitorIndex
    guard index >= 0 else { return }
    connection.monitorIndex = -1
    let last = connections.removeLast()
    guard last !== connection else { return }
    connections[index] = last
    last.monitorIndex = index
  }

  /// The tick to compare with later.
  func exchangeStarted() -> UInt64 {
    if !isTicking {
      isTicking = true
      schedule()
    }
    return tick
  }

  private func schedule() {
    eventLoop.assumeIsolated().scheduleTask(in: Self.period) { self.ticked() }
  }

  private func ticked() {
    tick &+= 1
    var isAwaited = false
    var dead: [any SocketPath] = []
    for connection in connections where connection.isInExchange {
      isAwaited = true
      guard tick &- connection.startedTick >= Self.ticksBeforeDoubt else { continue }
      if connection.isPathDead() { dead.append(connection) }
    }
    isTicking = isAwaited
    if isAwaited { schedule() }
    for connection in dead { connection.pathDied() }
  }
}
