import NIOCore
import SluiceRuntime

/// What finding out whether a peer is still there needs to know of a connection, whatever it speaks. Confined to its
/// event loop.
protocol SocketPath: AnyObject, Sendable {
  var eventLoop: any EventLoop { get }
  var options: HTTPConnectionOptions { get }
  var clock: any MonotonicClock { get }
  var isTLS: Bool { get }
  /// Nil where there is no socket, or none any more.
  var descriptor: CInt? { get }
  /// An exchange could start.
  var isOpen: Bool { get }
  /// The channel has not closed.
  var isActive: Bool { get }
  /// Somebody waits for the peer.
  var isInExchange: Bool { get }
  /// Bytes may come although nobody has asked for any.
  var peerSpeaksUnasked: Bool { get }
  /// Whatever was to be sent has left this process.
  var isSent: Bool { get }

  /// Place in the dead path monitor; -1 for none.
  var monitorIndex: Int { get set }
  /// The monitor's tick from which silence counts.
  var startedTick: UInt64 { get }
  /// Everything sent was acknowledged.
  var isPathProven: Bool { get set }
  /// Asked once per tick, of connections in an exchange that began (or heard something) a second ago.
  func isPathDead() -> Bool
  func pathDied()
}
