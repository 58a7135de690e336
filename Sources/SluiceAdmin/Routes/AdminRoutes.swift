package import NIOCore
package import SluiceGateway

/// The administration side's paths. Exact routes only: `/api/…` also holds paths of client surfaces.
///
/// | path | methods |
/// |---|---|
/// | `/health` `/ready` `/metrics` `/dashboard` | GET |
/// | `/api/overview` `/api/pools` `/api/pools/{p}` `/api/alerts` `/api/requests` `/api/config` | GET |
/// | `/api/pools/{p}/endpoints/{e}` | GET, POST (`{"operation": "drain" \| "resume" \| "reset"}` or `…/{operation}`) |
/// | `/api/config/reload` | POST |
package struct AdminRoutes: AdminHandler {
  let source: any AdminSource

  package init(source: any AdminSource) { self.source = source }

  package func match(method: String, path: String) -> AdminMatch {
    guard let route = AdminRoute(path: path) else { return .unknown }
    let allowed = route.methods
    guard allowed.contains(method) else { return .methodNotAllowed(allow: allowed.joined(separator: ", ")) }
    return route == .dashboard ? .page : .found
  }

  package func handle(_ request: AdminRequest, on loop: any EventLoop) -> EventLoopFuture<AdminResponse> {
    guard let route = AdminRoute(path: request.path) else {
      return loop.makeSucceededFuture(AdminAnswer.error(404, "no such path"))
    }
    switch route {
    case .health: return now(health(), loop)
    case .ready: return now(ready(), loop)
    case .metrics: return metrics(loop)
    case .dashboard: return now(dashboard(), loop)
    case .overview: return overview(loop)
    case .requests: return requests(request, loop)
    case .pools: return now(AdminAnswer.json(PoolList(pools: poolDocuments())), loop)
    case .pool(let name): return now(pool(name), loop)
    case .alerts: return now(alerts(), loop)
    case .endpoint(let pool, let endpoint): return now(self.endpoint(request, pool, endpoint), loop)
    case .operation(let operation, let pool, let endpoint): return now(perform(operation, pool, endpoint), loop)
    case .configuration: return now(configuration(), loop)
    case .reload: return reload(loop)
    }
  }

  private func now(_ response: AdminResponse, _ loop: any EventLoop) -> EventLoopFuture<AdminResponse> {
    loop.makeSucceededFuture(response)
  }
}

/// A path of the administration side, taken apart.
enum AdminRoute: Equatable {
  case health, ready, metrics, dashboard, overview, requests, pools, alerts, configuration, reload
  case pool(String)
  case endpoint(pool: String, endpoint: String)
  case operation(EndpointOperation, pool: String, endpoint: String)

  init?(path: String) {
    switch path {
    case "/health": self = .health
    case "/ready": self = .ready
    case "/metrics": self = .metrics
    case "/dashboard": self = .dashboard
    case "/api/overview": self = .overview
    case "/api/requests": self = .requests
    case "/api/pools": self = .pools
    case "/api/alerts": self = .alerts
    case "/api/config": self = .configuration
    case "/api/config/reload": self = .reload
    default:
      let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      guard parts.count >= 4, parts[0].isEmpty, parts[1] == "api", parts[2] == "pools", !parts[3].isEmpty else {
        return nil
      }
      self.init(poolParts: parts)
    }
  }

  private init?(poolParts parts: [String]) {
    switch parts.count {
    case 4: self = .pool(parts[3])
    case 6 where parts[4] == "endpoints" && !parts[5].isEmpty: self = .endpoint(pool: parts[3], endpoint: parts[5])
    case 7 where parts[4] == "endpoints" && !parts[5].isEmpty:
      guard let operation = EndpointOperation(rawValue: parts[6]) else { return nil }
      self = .operation(operation, pool: parts[3], endpoint: parts[5])
    default: return nil
    }
  }

  var methods: [String] {
    switch self {
    case .reload, .operation: ["POST"]
    case .endpoint: ["GET", "POST"]
    default: ["GET"]
    }
  }
}
