#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import NIOCore
import NIOPosix

/// The files of unix sockets.
enum UnixSocket {
  /// A socket that is bound and does not listen yet: nobody can connect before its file has its mode. (The process's
  /// file mask would do as well, but it is everybody's.)
  static func make(_ path: String, _ mode: UInt16) throws -> NIOBSDSocket.Handle {
    let address = try SocketAddress(unixDomainSocketPath: path)
    #if canImport(Glibc)
    let kind = Int32(SOCK_STREAM.rawValue)
    #else
    let kind = SOCK_STREAM
    #endif
    let handle = socket(AF_UNIX, kind, 0)
    guard handle >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
    _ = fcntl(handle, F_SETFD, FD_CLOEXEC)
    guard address.withSockAddr({ bind(handle, $0, socklen_t($1)) }) == 0 else {
      throw failure("bind", closing: handle)
    }
    guard chmod(path, mode_t(mode)) == 0 else {
      let problem = failure("chmod", closing: handle)
      remove(path)
      throw problem
    }
    return handle
  }

  /// NIO makes sockets that others have bound listen with a backlog of its own.
  static func setBacklog(_ backlog: Int, of handle: NIOBSDSocket.Handle) {
    _ = listen(handle, Int32(clamping: backlog))
  }

  private static func failure(_ what: String, closing handle: NIOBSDSocket.Handle) -> IOError {
    let problem = IOError(errnoCode: errno, reason: what)
    close(handle)
    return problem
  }

  /// Removes what a gateway has left behind; never anything but a socket.
  static func remove(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
    unlink(path)
  }

  static func answers(_ path: String, _ group: any EventLoopGroup) async -> Bool {
    guard let channel = try? await ClientBootstrap(group: group).connect(unixDomainSocketPath: path).get() else {
      return false
    }
    try? await channel.close().get()
    return true
  }
}
