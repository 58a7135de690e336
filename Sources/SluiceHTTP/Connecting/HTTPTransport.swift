package import Logging
package import NIOCore
import NIOSSL
import SluiceDialects
import SluiceRuntime

/// What all upstream connections of a process share: options, TLS contexts and one dead path monitor per event loop.
package final class HTTPTransport: Sendable {
  package let options: HTTPConnectionOptions
  package let logger: Logger
  package let loops: [any EventLoop]
  private let monitors: [DeadPathMonitor]
  /// A context holds the parsed authorities (hundreds of kilobytes), so equal settings share one.
  private let contexts = Guarded<[TLSOptions: NIOSSLContext]>([:])

  package init(
    loops: [any EventLoop], options: HTTPConnectionOptions = HTTPConnectionOptions(),
    logger: Logger = Logger(label: "sluice.http")
  ) {
    self.loops = loops
    self.options = options
    self.logger = logger
    monitors = loops.map { DeadPathMonitor(eventLoop: $0) }
  }

  /// A loop that is not one of ours gets a monitor that its connection alone uses.
  func monitor(for eventLoop: any EventLoop) -> DeadPathMonitor {
    for index in loops.indices where loops[index] === eventLoop { return monitors[index] }
    return DeadPathMonitor(eventLoop: eventLoop)
  }

  /// Reads authorities from disk when the settings are new: not for an event loop.
  func prepare(_ origin: HTTPOrigin) throws(HTTPOriginError) {
    guard let tls = origin.tls, contexts.withLock({ $0[tls.shared] }) == nil else { return }
    if !tls.verify {
      logger.warning("certificates are not verified", metadata: ["origin": "\(origin.identity)"])
    }
    let context: NIOSSLContext
    do {
      context = try NIOSSLContext(configuration: Self.configuration(tls))
    } catch {
      throw HTTPOriginError(origin.identity, .authorities(tls.problem(error)))
    }
    contexts.withLock { $0[tls.shared] = context }
  }

  func context(_ tls: TLSOptions) -> NIOSSLContext? {
    contexts.withLock { $0[tls.shared] }
  }

  private static func configuration(_ tls: TLSOptions) throws -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = ["http/1.1"]
    configuration.certificateVerification = tls.verify ? .fullVerification : .none
    // Nobody waits for the closing message of a peer that may be gone.
    configuration.shutdownTimeout = .seconds(1)
    if let pem = tls.authorityPEM {
      configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)))
    } else if let file = tls.authorityFile {
      configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
    }
    return configuration
  }
}

extension TLSOptions {
  /// The part that a context depends on.
  fileprivate var shared: TLSOptions {
    var shared = self
    shared.serverName = nil
    return shared
  }

  fileprivate func problem(_ error: any Error) -> String {
    authorityFile.map { "\($0) is not a readable PEM file with certificates (\(error))" } ?? "\(error)"
  }
}
