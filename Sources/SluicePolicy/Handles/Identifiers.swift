/// One event loop (or thread) of the host; numbered from 0 without gaps.
public struct LoopID: RawRepresentable, Hashable, Sendable {
  /// Number of the loop, from 0.
  public let rawValue: UInt16

  /// Takes any number; a machine with fewer loops takes it modulo their number.
  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Clamps to 0…65535.
  @inlinable
  public init(_ value: Int) { self.rawValue = UInt16(clamping: value) }

  /// The number as an index into an array with one element per loop.
  @inlinable
  public var index: Int { Int(rawValue) }
}

/// Whose request it is, for fairness in the queue: usually an access key. 0 is everybody without one.
public struct CallerID: RawRepresentable, Hashable, Sendable {
  /// 0 is `anonymous`; the others have the meaning that the host gives them.
  public let rawValue: UInt32

  /// Takes any number; callers with the same one share a turn in the queue.
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Everybody without a key of their own; together they count as one caller.
  public static let anonymous = CallerID(rawValue: 0)
}

/// One origin (base URL, TLS settings, proxy) of one pool. Names a place in the pool's table and the turn in which
/// that place was used, so that a handle from before a reconfiguration never means its successor.
public struct OriginID: RawRepresentable, Hashable, Sendable {
  /// Turn of the place in the upper 8 bits, position in the lower 8.
  public let rawValue: UInt16

  /// From a number that a handle had before; the machine makes new ones.
  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  init(position: Int, turn: UInt8) { self.rawValue = UInt16(turn) << 8 | UInt16(position) }

  /// Place in the pool's table: 0…255, unique among the origins that exist at the same time.
  @inlinable
  public var position: Int { Int(rawValue & 0xFF) }
}

/// One endpoint (origin × credential) of one pool. Same make as `OriginID`.
public struct EndpointID: RawRepresentable, Hashable, Sendable {
  /// Turn of the place in the upper 8 bits, position in the lower 8.
  public let rawValue: UInt16

  /// From a number that a handle had before; the machine makes new ones.
  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  init(position: Int, turn: UInt8) { self.rawValue = UInt16(turn) << 8 | UInt16(position) }

  /// Place in the pool's table: 0…255, unique among the endpoints that exist at the same time.
  @inlinable
  public var position: Int { Int(rawValue & 0xFF) }
}

extension LoopID: CustomStringConvertible {
  /// The number, as in `loop0`.
  public var description: String { "loop\(rawValue)" }
}

extension CallerID: CustomStringConvertible {
  /// The number, as in `caller7`; `caller0` is anonymous.
  public var description: String { "caller\(rawValue)" }
}

extension OriginID: CustomStringConvertible {
  /// Position and turn, as in `origin3.1`.
  public var description: String { "origin\(position).\(rawValue >> 8)" }
}

extension EndpointID: CustomStringConvertible {
  /// Position and turn, as in `endpoint3.1`.
  public var description: String { "endpoint\(position).\(rawValue >> 8)" }
}
