package import NIOCore
package import SluicePolicy
import SluiceRuntime

/// What a pool lends: a connection to an upstream, whichever version of HTTP it speaks. HTTP/1.1 serves one exchange at
/// a time, HTTP/2 as many as the peer's settings allow.
package final class UpstreamConnection: PoolableResource {
  enum Kind: Sendable {
    case http1(HTTPConnection)
    case http2(HTTP2Connection)
  }

  let kind: Kind

  init(_ kind: Kind) {
    self.kind = kind
  }

  package var eventLoop: any EventLoop {
    switch kind {
    case .http1(let connection): connection.eventLoop
    case .http2(let connection): connection.eventLoop
    }
  }

  /// An exchange could start.
  package var isOpen: Bool {
    switch kind {
    case .http1(let connection): connection.isOpen
    case .http2(let connection): connection.isOpen
    }
  }

  /// Exchanges it takes at a time, now.
  package var capacity: Int {
    switch kind {
    case .http1: 1
    case .http2(let connection): connection.capacity
    }
  }

  /// It serves several exchanges, so the end of one of them says nothing about the connection, which reports its own.
  package var isShared: Bool {
    if case .http2 = kind { true } else { false }
  }

  /// The HTTP/1.1 connection, if it is one.
  package var http1: HTTPConnection? {
    if case .http1(let connection) = kind { connection } else { nil }
  }

  /// Our end of the connection; nil once it is gone.
  package var localAddress: SocketAddress? {
    switch kind {
    case .http1(let connection): connection.localAddress
    case .http2(let connection): connection.localAddress
    }
  }

  /// Sends a request. On `eventLoop`, on a lease of the pool; the peer is kept until it heard of the end.
  ///
  /// A connection that has closed meanwhile fails the exchange as `replaySafe`: nothing was sent.
  @discardableResult
  package func start(_ request: UpstreamRequest, peer: any UpstreamPeer) -> any UpstreamExchange {
    switch kind {
    case .http1(let connection):
      connection.start(request, peer: peer)
      return connection
    case .http2(let connection): return connection.start(request, peer: peer)
    }
  }

  /// The report as it concerns the connection: an exchange that failed or was cancelled closes its HTTP/1.1 connection,
  /// but only its stream of an HTTP/2 one.
  package func settled(_ report: ExchangeReport) -> ExchangeReport {
    guard isShared, report.fate != .reusable else { return report }
    var report = report
    report.fate = .reusable
    return report
  }

  package func close(reason: CloseReason) {
    switch kind {
    case .http1(let connection): connection.close(reason: reason)
    case .http2(let connection): connection.close(reason: reason)
    }
  }

  package func verify(deadline: Instant, _ done: @escaping @Sendable (Bool) -> Void) {
    switch kind {
    case .http1(let connection): connection.verifyPath(deadline: deadline, done)
    case .http2(let connection): connection.verifyPath(deadline: deadline, done)
    }
  }

  /// Makes the peer's kernel answer: a packet travels in each direction. Only one that was heard of in the last moments
  /// is believed without: the kernel sends a probe no sooner than after a second of quiet.
  func feelPath(deadline: Instant, _ done: @escaping @Sendable (Bool) -> Void) {
    switch kind {
    case .http1(let connection): connection.verifyPath(deadline: deadline, trusting: .milliseconds(1_500), done)
    case .http2(let connection): connection.verifyPath(deadline: deadline, trusting: .milliseconds(1_500), done)
    }
  }
}

/// An exchange under way, for the side that started it. On the connection's event loop.
package protocol UpstreamExchange: AnyObject {
  /// The exchange is not wanted any more. The peer hears nothing further.
  func cancel()
  /// Withholds reading while the peer cannot take more.
  func setReading(_ on: Bool)
}
