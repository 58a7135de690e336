package import Logging
package import NIOCore
package import SluiceConfiguration
import SluiceDialects
import SluiceHTTP
package import SluicePolicy
import SluiceRuntime

/// Asks whether a model server answers at its usual place, within half a second.
package struct LocalServerFinder: Sendable {
  private let loop: any EventLoop
  private let logger: Logger
  private let patience: Interval

  package init(loop: any EventLoop, logger: Logger, patience: Interval = .milliseconds(500)) {
    self.loop = loop
    self.logger = logger
    self.patience = patience
  }

  package func answers(_ server: LocalServer) async -> Bool {
    guard let origin = try? HTTPOrigin(url: server.baseURL),
      let connector = try? HTTPConnector(transport: HTTPTransport(loops: [loop], logger: logger), origins: [origin])
    else { return false }
    var head: [UInt8] = []
    ProviderDialect.openai.appendProbe(
      host: origin.hostHeader, basePath: ProviderDialect.normalizedBasePath(origin.basePath), credential: .none,
      to: &head)
    let request = ByteBuffer(bytes: head)
    let target = HTTPProbeTarget(origin: origin) {
      request
    } verdict: { status, body in
      let isIt = server.mark.isEmpty || String(buffer: body).contains(server.mark)
      return status == 200 && isIt ? nil : .protocolError
    }
    let clock = SystemClock()
    let probe = HTTPProbe(connector: connector, clock: clock) { _ in target }
    let result = loop.makePromise(of: Bool.self)
    loop.execute {
      probe.probe(EndpointID(rawValue: 0), identity: origin.identity, deadline: clock.now() + patience) { answer in
        if case .success = answer { result.succeed(true) } else { result.succeed(false) }
      }
    }
    return (try? await result.futureResult.get()) ?? false
  }
}
