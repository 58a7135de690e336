import Foundation
import NIOCore
import NIOPosix
import SluiceGateway
import SluicePolicy

/// What each path answers.
extension AdminRoutes {
  private struct Health: Encodable {
    var status: String, version: String, draining: Bool
    var uptime_seconds: Double
    var pools: [String: String]
    /// Why connections cannot be opened, by pool and origin; absent while all is well.
    var problems: [String: [String: String]]?
  }

  /// The process answers, so it is well; a provider's trouble is told, but is not ours.
  func health() -> AdminResponse {
    AdminAnswer.json(
      Health(
        status: "ok", version: source.version, draining: source.isDraining,
        uptime_seconds: (source.now - source.startedAt).milliseconds / 1000, pools: states(), problems: problems()))
  }

  private func problems() -> [String: [String: String]]? {
    let found = source.pools().filter { !$0.facts.connectProblems.isEmpty }
      .map { ($0.snapshot.name, $0.facts.connectProblems) }
    return found.isEmpty ? nil : Dictionary(found, uniquingKeysWith: { first, _ in first })
  }

  func ready() -> AdminResponse {
    let states = states()
    if source.isDraining { return AdminAnswer.error(503, "draining: the gateway finishes what it has and stops") }
    if !states.values.contains(where: { $0 == "healthy" || $0 == "degraded" }) {
      return AdminAnswer.error(503, "no pool can serve; see /api/pools")
    }
    return AdminAnswer.json(states)
  }

  func metrics(_ loop: any EventLoop) -> EventLoopFuture<AdminResponse> {
    let snapshots = source.pools().map(\.snapshot)
    let uptime = source.now - source.startedAt
    return source.metrics.snapshot(on: loop).and(process(loop)).map { [version = source.version] snapshot, process in
      var text = PrometheusText()
      text.begin("build_info", .gauge, "Always 1; the version is a label.")
      text.sample(1, [("version", version)])
      text.begin("uptime_seconds", .gauge, "Time since the gateway started.")
      text.sample(uptime.milliseconds / 1000)
      GatewayFamilies(snapshot: snapshot).write(into: &text)
      PoolMetrics(snapshots: snapshots).write(into: &text)
      process.write(into: &text)
      return AdminResponse(
        headers: [("content-type", "text/plain; version=0.0.4; charset=utf-8"), ("cache-control", "no-store")],
        body: Array(text.text.utf8))
    }
  }

  func dashboard() -> AdminResponse {
    let nonce = Data((0..<16).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
    return AdminResponse(
      headers: [
        ("content-type", "text/html; charset=utf-8"), ("cache-control", "no-store"),
        ("content-security-policy", DashboardPage.contentSecurityPolicy(nonce: nonce)),
        ("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer"),
      ], body: Array(DashboardPage.html(nonce: nonce).utf8))
  }

  func overview(_ loop: any EventLoop) -> EventLoopFuture<AdminResponse> {
    let snapshots = source.pools().map(\.snapshot)
    let (version, draining) = (source.version, source.isDraining)
    let uptime = source.now - source.startedAt
    return source.metrics.snapshot(on: loop).and(process(loop)).map { metrics, process in
      AdminAnswer.json(
        OverviewDocument(
          version: version, uptime: uptime, draining: draining, metrics: metrics, pools: snapshots,
          process: process))
    }
  }

  /// Counting descriptors lists as many files: not on the loop, where clients wait meanwhile.
  private func process(_ loop: any EventLoop) -> EventLoopFuture<ProcessMetrics> {
    NIOThreadPool.singleton.runIfActive(eventLoop: loop) { ProcessMetrics.read() }
  }

  /// The newest requests first; `?limit=` up to 1000.
  func requests(_ request: AdminRequest, _ loop: any EventLoop) -> EventLoopFuture<AdminResponse> {
    let wanted = request.query.flatMap(Self.limit) ?? 100
    let (now, date) = (source.now, Date())
    return source.metrics.recentRequests(limit: min(1000, max(1, wanted)), on: loop).map { records in
      AdminAnswer.json(RequestList(requests: records.map { RequestDocument($0, now: now, date: date) }))
    }
  }

  private static func limit(_ query: String) -> Int? {
    query.split(separator: "&").first { $0.hasPrefix("limit=") }.flatMap { Int($0.dropFirst(6)) }
  }

  func poolDocuments() -> [PoolDocument] {
    source.pools().map { PoolDocument($0.snapshot, facts: $0.facts, now: source.now) }
  }

  private struct AlertList: Encodable {
    var alerts: [AlertDocument]
  }

  func alerts() -> AdminResponse {
    AdminAnswer.json(AlertList(alerts: AlertDocument.all(source.pools().map(\.snapshot), now: source.now)))
  }

  func pool(_ name: String) -> AdminResponse {
    guard let pool = poolDocuments().first(where: { $0.name == name }) else { return unknown("pool", name) }
    return AdminAnswer.json(pool)
  }

  func endpoint(_ request: AdminRequest, _ pool: String, _ name: String) -> AdminResponse {
    if request.method == "POST" {
      let body = try? JSONDecoder().decode([String: String].self, from: Data(request.body))
      guard let operation = body?["operation"].flatMap(EndpointOperation.init) else {
        return AdminAnswer.error(400, #"send {"operation": "drain"}, "resume" or "reset""#)
      }
      return perform(operation, pool, name)
    }
    guard let document = poolDocuments().first(where: { $0.name == pool }) else { return unknown("pool", pool) }
    guard let endpoint = document.endpoints.first(where: { $0.name == name }) else { return unknown("endpoint", name) }
    return AdminAnswer.json(endpoint)
  }

  func perform(_ operation: EndpointOperation, _ pool: String, _ endpoint: String) -> AdminResponse {
    guard source.perform(operation, pool: pool, endpoint: endpoint) else {
      return unknown("endpoint", "\(pool)/\(endpoint)")
    }
    return AdminAnswer.json(["pool": pool, "endpoint": endpoint, "operation": operation.rawValue])
  }

  private struct Configuration: Encodable {
    var generation: UInt64, path: String?, text: String, last_reload: ReloadReport?
  }

  func configuration() -> AdminResponse {
    let status = source.configuration()
    return AdminAnswer.json(
      Configuration(
        generation: status.generation, path: status.path, text: status.text, last_reload: status.lastReload))
  }

  func reload(_ loop: any EventLoop) -> EventLoopFuture<AdminResponse> {
    source.reload(on: loop).map { AdminAnswer.json($0, status: $0.applied ? 200 : 422) }
  }

  private func states() -> [String: String] {
    Dictionary(
      source.pools().map { pool in
        let live = pool.snapshot.endpoints.filter { !$0.removed }
        return (pool.snapshot.name, PoolDocument.state(of: pool.snapshot, live: live))
      }, uniquingKeysWith: { first, _ in first })
  }

  private func unknown(_ what: String, _ name: String) -> AdminResponse {
    AdminAnswer.error(404, "there is no \(what) named \(name); GET /api/pools lists them")
  }
}
