/// One resource that is open or being opened; it has room for one exchange or several. The generation tells a late
/// event about an earlier holder of the same index from one about this resource.
public struct ResourceID: Hashable, Sendable {
  /// Place in the machine's table; used again by a successor once this one is gone.
  public let index: UInt32
  /// Turn in which the place is used; wraps around.
  public let generation: UInt32

  /// Made by the machine; one put together elsewhere is treated as stale unless it happens to match.
  @inlinable
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

/// One lent slot. Valid until it is released; a second release is recognised by the generation and ignored.
public struct LeaseID: Hashable, Sendable {
  /// Place in the machine's table of leases; used again after the release.
  public let index: UInt32
  /// How often a lease at this place has ended before this one; wraps around.
  public let generation: UInt32

  /// Made by the machine, which ignores the release of a pair that it has not lent.
  @inlinable
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

/// One waiting caller. Ends exactly once: by a grant, a rejection, or a cancellation.
public struct TicketID: Hashable, Sendable {
  /// Place in the queue's table of tickets; used again once the ticket has ended.
  public let index: UInt32
  /// How often a ticket at this place has ended before this one; wraps around.
  public let generation: UInt32

  /// Made by the machine, which ignores a pair that is not waiting.
  @inlinable
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

extension ResourceID: CustomStringConvertible {
  /// Index and generation, as in `resource3.1`.
  public var description: String { "resource\(index).\(generation)" }
}

extension LeaseID: CustomStringConvertible {
  /// Index and generation, as in `lease3.1`.
  public var description: String { "lease\(index).\(generation)" }
}

extension TicketID: CustomStringConvertible {
  /// Index and generation, as in `ticket3.1`.
  public var description: String { "ticket\(index).\(generation)" }
}
