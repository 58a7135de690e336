import NIOCore
import SluiceAdmin
import SluiceGateway
import SluicePolicy
import SluiceRuntime

/// Stands between the server, which needs an admin handler to be made, and the routes, which need the server's host.
final class AdminSeam: AdminHandler {
  let routes = Guarded<AdminRoutes?>(nil)

  func match(method: String, path: String) -> AdminMatch {
    routes.value?.match(method: method, path: path) ?? .unknown
  }

  func handle(_ request: AdminRequest, on loop: any EventLoop) -> EventLoopFuture<AdminResponse> {
    guard let routes = routes.value else { return loop.makeSucceededFuture(.text("starting", status: 503)) }
    return routes.handle(request, on: loop)
  }
}

/// The host as administration sees it. Holds it weakly: the server, and with it the routes, belong to the host.
struct HostSource: AdminSource {
  private struct Reference: @unchecked Sendable {
    // Written once, before the value is shared; reading a weak reference is safe from any thread.
    weak var host: GatewayHost?
  }

  private let reference: Reference
  let version: String
  let startedAt: Instant
  let metrics: GatewayMetrics

  init(_ host: GatewayHost) {
    reference = Reference(host: host)
    version = host.version
    startedAt = host.startedAt
    metrics = host.metrics
  }

  var now: Instant { SystemClock().now() }
  var isDraining: Bool { reference.host?.server.isDraining ?? true }

  func pools() -> [AdminPool] { reference.host?.pools ?? [] }

  func perform(_ operation: EndpointOperation, pool: String, endpoint: String) -> Bool {
    reference.host?.perform(operation, pool: pool, endpoint: endpoint) ?? false
  }

  func configuration() -> ConfigurationStatus {
    reference.host?.configurationStatus ?? ConfigurationStatus(generation: 0, path: nil, text: "", lastReload: nil)
  }

  func reload(on loop: any EventLoop) -> EventLoopFuture<ReloadReport> {
    let promise = loop.makePromise(of: ReloadReport.self)
    if let host = reference.host {
      host.requestReload(answering: promise)
    } else {
      promise.succeed(ReloadReport(applied: false, generation: 0, problems: ["the gateway is stopping"]))
    }
    return promise.futureResult
  }
}
