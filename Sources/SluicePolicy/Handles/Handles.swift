/// One resource that is open or being opened; it has room for one exchange or several. The generation tells a late
/// event about an earlier holder of the same index from one about this resource.
public struct ResourceID: Hashable, Sendable {
  public let index: UInt32
  public let generation: UInt32

  @inlinable
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

/// One lent slot. Valid until it is released; a second release is recognised by the generation and ignored.
public struct LeaseID: Hashable, Sendable {
  public let index: UInt32
  public let generation: UInt32

  @inlinable
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

/// One waiting caller. Ends exactly once: by a grant, a rejection, or a cancellation.
public struct TicketID: Hashable, Sendable {
  public let index: UInt32
  public let generation: UInt32

  @inlinable
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

extension ResourceID: CustomStringConvertible {
  public var description: String { "resource\(index).\(generation)" }
}

extension LeaseID: CustomStringConvertible {
  public var description: String { "lease\(index).\(generation)" }
}

extension TicketID: CustomStringConvertible {
  public var description: String { "ticket\(index).\(generation)" }
}
