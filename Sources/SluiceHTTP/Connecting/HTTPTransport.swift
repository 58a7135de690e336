package import Logging
package import NIOCore
import NIOSSL
import SluiceDialects
import SluiceRuntime

/// What all upstream connections of a process share: options, TLS contexts and one dead path monitor per event loop.
package final class HTTPTransport: Sendable {
  package let logger: Logger
  package let loops: [any EventLoop]
  private let monitors: [DeadPathMonitor]
  private let currentOptions: Guarded<HTTPConnectionOptions>
  /// A context holds the parsed authorities (hundreds of kilobytes), so equal settings share one.
  private let contexts = Guarded<[ContextKey: NIOSSLContext]>([:])

  private struct ContextKey: Hashable {
    let tls: TLSOptions
    let offersHTTP2: Bool

    init(_ tls: TLSOptions, _ version: HTTPVersionChoice) {
      self.tls = tls.shared
      offersHTTP2 = version != .http1
    }
  }

  package init(
    loops: [any EventLoop], options: HTTPConnectionOptions = HTTPConnectionOptions(),
    logger: Logger = Logger(label: "sluice.http")
  ) {
    self.loops = loops
    currentOptions = Guarded(options)
    self.logger = logger
    monitors = loops.map { DeadPathMonitor(eventLoop: $0) }
  }

  package var options: HTTPConnectionOptions { currentOptions.value }

  /// Every connection opened from now on has these; those that are open keep theirs.
  package func use(_ options: HTTPConnectionOptions) { currentOptions.replace(with: options) }

  /// A loop that is not one of ours gets a monitor that its connection alone uses.
  func monitor(for eventLoop: any EventLoop) -> DeadPathMonitor {
    for index in loops.indices where loops[index] === eventLoop { return monitors[index] }
    return DeadPathMonitor(eventLoop: eventLoop)
  }

  /// Reads authorities from disk when the settings are new, or when their file shall be read `again`: not for an event
  /// loop.
  func prepare(_ origin: HTTPOrigin, again: Bool = false) throws(HTTPOriginError) {
    guard let tls = origin.tls else { return }
    let key = ContextKey(tls, origin.version)
    let isKnown = contexts.withLock { $0[key] } != nil
    guard !isKnown || again && tls.authorityFile != nil else { return }
    if !tls.verify, !isKnown {
      logger.warning("certificates are not verified", metadata: ["origin": "\(origin.identity)"])
    }
    let context: NIOSSLContext
    do {
      context = try NIOSSLContext(configuration: Self.configuration(tls, key.offersHTTP2))
    } catch {
      throw HTTPOriginError(origin.identity, .authorities(tls.problem(error)))
    }
    contexts.withLock { $0[key] = context }
  }

  /// Forgets what only other origins needed.
  func keepContexts(of origins: [HTTPOrigin]) {
    let needed = Set(origins.compactMap { origin in origin.tls.map { ContextKey($0, origin.version) } })
    contexts.withLock { $0 = $0.filter { needed.contains($0.key) } }
  }

  /// How many TLS settings it keeps a context for.
  package var contextCount: Int { contexts.withLock { $0.count } }

  func context(_ tls: TLSOptions, _ version: HTTPVersionChoice) -> NIOSSLContext? {
    let key = ContextKey(tls, version)
    return contexts.withLock { $0[key] }
  }

  private static func configuration(_ tls: TLSOptions, _ offersHTTP2: Bool) throws -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = offersHTTP2 ? ["h2", "http/1.1"] : ["http/1.1"]
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
