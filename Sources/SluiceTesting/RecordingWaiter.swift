public import SluicePolicy
public import SluiceRuntime

// Sendable although it has bare state: a waiter is called on its own loop, and the test works there too.
/// A waiter that keeps what it was answered until the test takes it. To be used on its loop only.
public final class RecordingWaiter<Resource: PoolableResource>: PoolWaiter, @unchecked Sendable {
  private var lease: Lease<Resource>?
  private let onGrant: ((consuming Lease<Resource>) -> Void)?

  /// How often it was granted a lease.
  public private(set) var grants = 0
  /// Why it was refused, as often as it was.
  public private(set) var rejections: [PoolRejection] = []
  /// The latest grant.
  public private(set) var lastGrant: Grant?

  /// - Parameter onGrant: takes the lease instead of keeping it.
  public init(onGrant: ((consuming Lease<Resource>) -> Void)? = nil) {
    self.onGrant = onGrant
  }

  /// Takes what was granted, if anything was.
  public func take() -> Lease<Resource>? {
    lease.take()
  }

  /// Keeps the lease.
  public func granted(_ lease: consuming Lease<Resource>) {
    grants += 1
    lastGrant = lease.grant
    if let onGrant {
      onGrant(lease)
    } else {
      self.lease = consume lease
    }
  }

  /// Keeps the refusal.
  public func rejected(_ rejection: PoolRejection) {
    rejections.append(rejection)
  }
}
