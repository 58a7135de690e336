public import SluicePolicy

/// Brings the running pools to what a configuration wants, all or nothing.
///
/// First everything that can fail: all settings are checked, then new pools are made. Only then anything that runs is
/// touched: changed pools take their new settings, the directory is replaced in one step, removed pools drain. Whoever
/// hands pools on to others does this in two steps, ``begin(_:)`` and ``Reconciliation/retire()``, and tells them of the
/// new pools in between: so nobody is left with a pool that takes nothing new.
///
/// Not to be called from two threads at once: the directory's owner calls it from one place.
public struct ConfigurationReconciler<Resource: PoolableResource>: Sendable {
  /// Makes a pool; the settings are known to be consistent.
  public typealias MakePool = @Sendable (PoolSettings) throws -> PoolDriver<Resource>

  private let directory: PoolDirectory<Resource>
  private let drainLimit: Interval
  private let makePool: MakePool

  /// - Parameters:
  ///   - directory: the running pools.
  ///   - drainLimit: how long the leases of a removed pool may take.
  ///   - makePool: makes a new pool.
  public init(
    directory: PoolDirectory<Resource>, drainLimit: Interval = .seconds(30), makePool: @escaping MakePool
  ) {
    self.directory = directory
    self.drainLimit = drainLimit
    self.makePool = makePool
  }

  /// Brings the directory to the wanted pools.
  ///
  /// - Parameter wanted: one for each pool; names must differ.
  /// - Returns: what was done.
  /// - Throws: ``ReconciliationError``; then nothing was changed.
  @discardableResult
  public func apply(_ wanted: [PoolSettings]) throws(ReconciliationError) -> ReconciliationReport {
    let reconciliation = try begin(wanted)
    reconciliation.retire()
    return reconciliation.report
  }

  /// As ``apply(_:)``, except that removed pools go on as before until ``Reconciliation/retire()``.
  ///
  /// - Parameter wanted: one for each pool; names must differ.
  /// - Returns: what was done and what is left to do.
  /// - Throws: ``ReconciliationError``; then nothing was changed.
  public func begin(_ wanted: [PoolSettings]) throws(ReconciliationError) -> Reconciliation<Resource> {
    let settings = try validate(wanted)
    let running = directory.current.pools
    try checkRunning(running, settings)
    var pools: [String: PoolDriver<Resource>] = [:]
    var report = ReconciliationReport()
    for settings in settings where running[settings.name] == nil {
      pools[settings.name] = try make(settings)
      report.added.append(settings.name)
    }
    for settings in settings {
      guard let pool = running[settings.name] else { continue }
      pools[settings.name] = pool
      if pool.settings == settings {
        report.unchanged.append(settings.name)
      } else {
        pool.core.reconfigure(settings)
        report.changed.append(settings.name)
      }
    }
    let removed = running.values.filter { pools[$0.name] == nil }.sorted { $0.name < $1.name }
    report.removed = removed.map(\.name)
    report.generation = directory.replace(with: pools, retiring: removed).generation
    return Reconciliation(report: report, removed: removed, drainLimit: drainLimit)
  }

  private func validate(_ wanted: [PoolSettings]) throws(ReconciliationError) -> [PoolSettings] {
    var problems: [ReconciliationError.Problem] = []
    var names: Set<String> = []
    var valid: [PoolSettings] = []
    for settings in wanted {
      if !names.insert(settings.name).inserted {
        problems.append(ReconciliationError.Problem(pool: settings.name, message: "there are two pools of this name"))
      }
      do {
        valid.append(try settings.validated())
      } catch {
        problems.append(ReconciliationError.Problem(pool: settings.name, message: "\(error)"))
      }
    }
    if !problems.isEmpty { throw ReconciliationError(problems: problems) }
    return valid
  }

  private func checkRunning(
    _ running: [String: PoolDriver<Resource>], _ wanted: [PoolSettings]
  ) throws(ReconciliationError) {
    let refusing = wanted.filter { settings in
      running[settings.name].map { $0.settings != settings && !$0.core.accepts(settings) } ?? false
    }
    if refusing.isEmpty { return }
    throw ReconciliationError(
      problems: refusing.map { settings in
        ReconciliationError.Problem(
          pool: settings.name, message: "is closed, or too many of its endpoints are still draining")
      })
  }

  private func make(_ settings: PoolSettings) throws(ReconciliationError) -> PoolDriver<Resource> {
    do {
      return try makePool(settings)
    } catch {
      // Pools made before this one close as they are let go of.
      throw ReconciliationError(problems: [ReconciliationError.Problem(pool: settings.name, message: "\(error)")])
    }
  }
}

/// A reconciliation whose removed pools still take requests.
public struct Reconciliation<Resource: PoolableResource>: Sendable {
  /// What was done.
  public let report: ReconciliationReport
  let removed: [PoolDriver<Resource>]
  let drainLimit: Interval

  /// The removed pools drain from now on. Doing it twice is harmless.
  public func retire() {
    for pool in removed { pool.beginDrain(within: drainLimit) }
  }
}

/// What a reconciliation did, by pool name.
public struct ReconciliationReport: Hashable, Sendable {
  /// New pools.
  public var added: [String] = []
  /// Pools with new settings.
  public var changed: [String] = []
  /// Pools that stayed as they were.
  public var unchanged: [String] = []
  /// Pools that drain now.
  public var removed: [String] = []
  /// The directory's generation afterwards.
  public var generation: UInt64 = 0
}

/// Why a reconciliation was refused as a whole. Never empty.
public struct ReconciliationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One thing that is wrong.
  public struct Problem: Hashable, Sendable {
    /// The pool's name.
    public var pool: String
    /// What is wrong with it.
    public var message: String
  }

  /// Everything that is wrong.
  public var problems: [Problem]

  /// One line for logs.
  public var description: String { problems.map { "pool \($0.pool): \($0.message)" }.joined(separator: "; ") }
}
