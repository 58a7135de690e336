import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension UpstreamFailure.Reason {
  /// Why a connection ended that we did not close; `error` is the first that its channel reported.
  static func broken(by error: (any Error)?, isTLS: Bool) -> UpstreamFailure.Reason {
    guard let error else { return .closed }
    if (error as? NIOSSLError) == .uncleanShutdown { return .truncated }
    guard let io = error as? IOError else { return isTLS ? .tls : .closed }
    switch io.errnoCode {
    case ECONNRESET, EPIPE, ECONNABORTED: return .reset
    // The kernel gave up repeating what we sent (TCP_USER_TIMEOUT, keep-alive): the path, not a clock of ours.
    case ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN: return .deadPath
    default: return .socket(io.errnoCode)
    }
  }
}
