/// One event loop (or thread) of the host; numbered from 0 without gaps.
public struct LoopID: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt16

  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  @inlinable
  public init(_ value: Int) { self.rawValue = UInt16(clamping: value) }

  @inlinable
  public var index: Int { Int(rawValue) }
}

/// Whose request it is, for fairness in the queue: usually an access key. 0 is everybody without one.
public struct CallerID: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt32

  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let anonymous = CallerID(rawValue: 0)
}

/// One origin (base URL, TLS settings, proxy) of one pool. Names a place in the pool's table and the turn in which
/// that place was used, so that a handle from before a reconfiguration never means its successor.
public struct OriginID: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt16

  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  init(position: Int, turn: UInt8) { self.rawValue = UInt16(turn) << 8 | UInt16(position) }

  /// Place in the pool's table: 0…255, unique among the origins that exist at the same time.
  @inlinable
  public var position: Int { Int(rawValue & 0xFF) }
}

/// One endpoint (origin × credential) of one pool. Same make as `OriginID`.
public struct EndpointID: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt16

  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  init(position: Int, turn: UInt8) { self.rawValue = UInt16(turn) << 8 | UInt16(position) }

  /// Place in the pool's table: 0…255, unique among the endpoints that exist at the same time.
  @inlinable
  public var position: Int { Int(rawValue & 0xFF) }
}

extension LoopID: CustomStringConvertible {
  public var description: String { "loop\(rawValue)" }
}

extension CallerID: CustomStringConvertible {
  public var description: String { "caller\(rawValue)" }
}

extension OriginID: CustomStringConvertible {
  public var description: String { "origin\(position).\(rawValue >> 8)" }
}

extension EndpointID: CustomStringConvertible {
  public var description: String { "endpoint\(position).\(rawValue >> 8)" }
}
