import NIOCore
import NIOPosix
import NIOSSL
package import SluicePolicy
package import SluiceRuntime

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Why a connection could not be opened, in words for the one who has to repair it.
package struct ConnectFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The label is the raw value, fit for a metric.
  package enum Kind: String, Hashable, Sendable {
    case unknownOrigin = "unknown_origin"
    case dns
    case refused
    case unreachable
    case reset
    case timeout
    case socketPath = "socket_path"
    case permission
    case tlsCertificate = "tls_certificate"
    case tlsHandshake = "tls_handshake"
    case proxyRefused = "proxy_refused"
    case proxyProtocol = "proxy_protocol"
    case http2
    case descriptors
    case other
  }

  /// What was being done when it failed or the deadline passed.
  package enum Step: String, Hashable, Sendable {
    case connecting = "resolving and connecting"
    case proxy = "waiting for the proxy"
    case tls = "the TLS handshake"
    case settings = "waiting for the HTTP/2 settings"
  }

  package let kind: Kind
  package let description: String

  package init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }

  package var failureClass: FailureClass {
    switch kind {
    case .timeout: .timeout
    case .proxyProtocol, .http2: .protocolError
    default: .network
    }
  }

  package var poolError: PoolConnectError {
    PoolConnectError(failureClass, label: kind.rawValue, cause: self)
  }
}

extension ConnectFailure {
  static func timeout(_ origin: HTTPOrigin, during step: Step) -> ConnectFailure {
    ConnectFailure(.timeout, "\(origin.identity): no connection before the deadline, during \(step.rawValue)")
  }

  /// HTTP/2 was wanted and did not come about.
  static func http2(_ reason: UpstreamFailure.Reason, origin: HTTPOrigin) -> ConnectFailure {
    switch reason {
    case .refused: ConnectFailure(.http2, "\(origin.identity): takes no HTTP/2 streams now (GOAWAY)")
    case .http2(let fault):
      ConnectFailure(.http2, "\(origin.identity): does not speak proper HTTP/2 (\(fault.rawValue))")
    default: ConnectFailure(.http2, "\(origin.identity): closed the connection before its HTTP/2 settings")
    }
  }

  static func noHTTP2(_ origin: HTTPOrigin) -> ConnectFailure {
    ConnectFailure(.http2, "\(origin.identity): does not offer HTTP/2 in TLS, and protocol: http2 allows nothing else")
  }

  /// What resolving or connecting threw.
  init(_ error: any Error, connecting origin: HTTPOrigin) {
    let target = origin.proxy.map { "proxy \($0.host):\($0.port)" } ?? origin.identity
    switch error {
    case let failure as ConnectFailure: self = failure
    case let error as NIOConnectionError: self.init(error, target)
    case let error as IOError: self.init(error, target)
    case is SocketAddressError: self.init(.dns, "\(target): the name does not resolve")
    case let error as ChannelError:
      if case .connectTimeout = error {
        self = .timeout(origin, during: .connecting)
      } else {
        self.init(.other, "\(target): \(error)")
      }
    default: self.init(.other, "\(target): \(error)")
    }
  }

  /// Several addresses may have failed in several ways; the first attempt's way is the one to tell.
  private init(_ error: NIOConnectionError, _ target: String) {
    if let first = error.connectionErrors.first {
      if let io = first.error as? IOError {
        self.init(io, target)
      } else {
        self.init(.other, "\(target): \(first.error)")
      }
    } else if error.dnsAError != nil || error.dnsAAAAError != nil {
      self.init(.dns, "\(target): the name does not resolve")
    } else {
      self.init(.timeout, "\(target): no address answered before the deadline")
    }
  }

  private init(_ error: IOError, _ target: String) {
    switch error.errnoCode {
    case ECONNREFUSED: self.init(.refused, "\(target): connection refused; nothing listens there")
    case ENOENT: self.init(.socketPath, "\(target): there is no such socket")
    case EACCES, EPERM: self.init(.permission, "\(target): not permitted")
    case EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL:
      self.init(.unreachable, "\(target): no route to it")
    case ETIMEDOUT: self.init(.timeout, "\(target): no answer")
    case ECONNRESET, EPIPE, ECONNABORTED: self.init(.reset, "\(target): closed the connection at once")
    case EMFILE, ENFILE: self.init(.descriptors, "\(target): no file descriptor left in this process")
    default: self.init(.other, "\(target): \(error)")
    }
  }

  /// What ended the TLS handshake; nil: the channel closed without a word.
  static func tls(_ error: (any Error)?, origin: HTTPOrigin) -> ConnectFailure {
    let name = origin.tls?.serverName ?? origin.host
    let text = error.map { "\($0)" } ?? ""
    if text.contains("CERTIFICATE_VERIFY_FAILED") || error is NIOSSLExtraError
      || (error as? NIOSSLError) == .unableToValidateCertificate
    {
      return ConnectFailure(
        .tlsCertificate,
        "\(origin.identity): its certificate is not trusted for \(name) (tls_ca names another authority): \(text)")
    }
    if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
      return ConnectFailure(.tlsHandshake, "\(origin.identity): it does not speak TLS; is it an http:// address?")
    }
    if error == nil || error is ChannelError || error is IOError || (error as? NIOSSLError) == .uncleanShutdown {
      return ConnectFailure(.tlsHandshake, "\(origin.identity): closed the connection during the TLS handshake")
    }
    return ConnectFailure(.tlsHandshake, "\(origin.identity): the TLS handshake failed: \(text)")
  }
}
