import Logging
import NIOCore
import SluiceConfiguration
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// Asks whether a model server answers at its usual place, within half a second.
struct LocalServerFinder: Sendable {
  static let patience = Interval.milliseconds(500)

  let loop: any EventLoop
  let logger: Logger

  func answers(_ server: LocalServer) async -> Bool {
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
      probe.probe(EndpointID(rawValue: 0), identity: origin.identity, deadline: clock.now() + Self.patience) { answer in
        if case .success = answer { result.succeed(true) } else { result.succeed(false) }
      }
    }
    return (try? await result.futureResult.get()) ?? false
  }
}
