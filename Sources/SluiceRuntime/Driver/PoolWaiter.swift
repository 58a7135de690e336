public import SluicePolicy

/// Somebody who asked a pool for a lease on an event loop and may have to wait for it.
///
/// When ``PoolDriver/acquire(_:waiter:)`` answered `.queued`, exactly one of the two functions is called, once, on the
/// event loop named in the request, and never from inside that call of `acquire`. After
/// ``PoolDriver/cancel(_:)`` returned true neither is called.
///
/// A grant may be delivered from inside somebody else's `release` on the same loop.
public protocol PoolWaiter<Resource>: PoolTicketHolder {
  /// What the pool lends.
  associatedtype Resource: PoolableResource

  /// The turn has come. The lease is the waiter's now.
  func granted(_ lease: consuming Lease<Resource>)
}

/// The part of ``PoolWaiter`` that does not depend on the type of resource. Conform to ``PoolWaiter``.
public protocol PoolTicketHolder: AnyObject, Sendable {
  /// Implemented by ``PoolWaiter``: turns a hand-over into a typed lease.
  func receive(_ handover: PoolHandover)

  /// The pool gave up on the ticket.
  func rejected(_ rejection: PoolRejection)
}

/// A granted slot on its way to the one who waited for it.
public struct PoolHandover: Sendable {
  @usableFromInline let core: PoolDriverCore
  @usableFromInline let grant: Grant
  @usableFromInline let resource: any PoolableResource
  @usableFromInline let direct: DirectLease?

  init(core: PoolDriverCore, grant: Grant, resource: any PoolableResource, direct: DirectLease? = nil) {
    self.core = core
    self.grant = grant
    self.resource = resource
    self.direct = direct
  }
}

extension PoolWaiter {
  /// Hands a typed lease to ``granted(_:)``.
  @inlinable
  public func receive(_ handover: PoolHandover) {
    granted(Lease<Resource>(handover))
  }
}

/// The immediate answer to a wish for a lease.
public enum Acquisition<Resource: PoolableResource>: ~Copyable, Sendable {
  /// Here it is.
  case granted(Lease<Resource>)
  /// The waiter will hear of it; the ticket cancels it.
  case queued(TicketID)
  /// No, and why.
  case rejected(PoolRejection)
}
