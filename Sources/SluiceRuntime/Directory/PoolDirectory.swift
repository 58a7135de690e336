public import SluicePolicy

/// A pool whatever its type of resource, as services and reports see it.
public protocol ManagedPool: AnyObject, Sendable {
  /// The pool's name.
  var name: String { get }
  /// Everything worth knowing at this moment.
  func snapshot() -> PoolSnapshot
  /// What the driver counts beside the machine.
  var counters: DriverCounters { get }
  /// Takes nothing new, lets leases finish for at most `limit`, closes everything.
  func drain(within limit: Interval) async -> DrainResult
  /// Starts a drain without waiting for it.
  func beginDrain(within limit: Interval)
}

extension PoolDriver: ManagedPool {}

/// The pools of a program by name.
///
/// Readers get an immutable snapshot that is replaced whole, so one look sees either all of a reconfiguration or
/// nothing of it. Whoever needs a pool per request keeps a snapshot of its own and is told of a new one; looking here
/// takes a lock.
public final class PoolDirectory<Resource: PoolableResource>: Sendable {
  /// The pools at one moment.
  public struct Snapshot: Sendable {
    /// Counts the replacements from 0.
    public let generation: UInt64
    /// The pools by name.
    public let pools: [String: PoolDriver<Resource>]

    /// The pool of that name.
    public subscript(name: String) -> PoolDriver<Resource>? { pools[name] }
  }

  private struct State: Sendable {
    var current: Snapshot
    /// Removed pools that still finish what they lent. Held here, since a pool that is let go of closes at once.
    var retiring: [PoolDriver<Resource>] = []
  }

  private let state = Lock(State(current: Snapshot(generation: 0, pools: [:])))

  /// A directory without pools.
  public init() {}

  /// The pools at this moment.
  public var current: Snapshot { state.withLock { $0.current } }

  /// Every pool that is not finished: those in the directory and those that were removed and still drain.
  public func managedPools() -> [any ManagedPool] {
    let (current, retiring) = state.withLock { ($0.current.pools.values, $0.retiring) }
    return current.sorted { $0.name < $1.name } + retiring.filter { !$0.isFinished }
  }

  /// Puts other pools in place of the present ones; the removed ones go on until they are drained.
  func replace(with pools: [String: PoolDriver<Resource>], retiring removed: [PoolDriver<Resource>]) -> Snapshot {
    let finished = Set(state.withLock { $0.retiring }.filter(\.isFinished).map { ObjectIdentifier($0) })
    let (snapshot, dropped) = state.withLock { state -> (Snapshot, [PoolDriver<Resource>]) in
      let snapshot = Snapshot(generation: state.current.generation + 1, pools: pools)
      state.current = snapshot
      let dropped = state.retiring.filter { finished.contains(ObjectIdentifier($0)) }
      state.retiring.removeAll { finished.contains(ObjectIdentifier($0)) }
      state.retiring += removed
      return (snapshot, dropped)
    }
    // The last reference to a finished pool goes here, outside of the lock.
    _ = dropped
    return snapshot
  }
}
