public import SluicePolicy

/// The right to use one slot of a resource, for one exchange.
///
/// A lease cannot be copied and ends once, by ``release(_:)`` or ``destroy(_:)``: giving it back twice does not
/// compile. A lease that is dropped goes back by itself; since nobody said in what state the resource is, that resource
/// is closed, and the leak is counted in ``DriverCounters/leakedLeases``.
///
/// May be given back on any thread. On the event loop of the request it costs no hop and no allocation.
public struct Lease<Resource: PoolableResource>: ~Copyable, Sendable {
  /// What was lent. Use it on its own event loop if it is bound to one; see ``Grant/loop``.
  public let resource: Resource
  /// Which slot of which endpoint, and how long it took.
  public let grant: Grant
  @usableFromInline let core: PoolDriverCore
  @usableFromInline let direct: DirectLease?
  // `discard self` is not available to a type with reference fields, so the deinitialiser asks this flag.
  @usableFromInline var armed = true

  @inlinable
  init(core: PoolDriverCore, grant: Grant, resource: Resource) {
    self.resource = resource
    self.grant = grant
    self.core = core
    self.direct = nil
  }

  @inlinable
  package init(_ handover: PoolHandover) {
    // The core is only ever given connectors that make `Resource`; see `PoolDriver.init`.
    resource = unsafeDowncast(handover.resource, to: Resource.self)
    grant = handover.grant
    core = handover.core
    direct = handover.direct
  }

  @inlinable
  deinit {
    if armed { core.leaseForgotten(grant, direct: direct) }
  }

  /// True for a one-off connection opened beside the pool; see ``LeaseOptions/fallback``.
  public var isDirect: Bool {
    direct != nil
  }

  /// Gives the slot back.
  ///
  /// - Parameter report: how the exchange went, and whether the resource can be used again.
  @inlinable
  public consuming func release(_ report: ExchangeReport) {
    armed = false
    core.release(grant, report, direct: direct)
  }

  /// Gives the slot back with a resource that must not be used again.
  ///
  /// - Parameter report: how the exchange went; if it calls the resource reusable, the resource is closed as broken.
  @inlinable
  public consuming func destroy(_ report: ExchangeReport) {
    armed = false
    core.release(grant, report.closing(.broken), direct: direct)
  }
}

extension ExchangeReport {
  /// The same report, with a resource that is not reused.
  @usableFromInline
  func closing(_ reason: CloseReason) -> ExchangeReport {
    guard case .reusable = fate else { return self }
    var report = self
    report.fate = .close(reason)
    return report
  }
}
