import ArgumentParser
import Foundation
import SluiceHTTP

/// `sluice status`: pools and endpoints at a glance.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show pools, endpoints and health of a running gateway.")

  @OptionGroup var gateway: GatewayOptions
  @Flag(help: "Print the gateway's JSON instead.") var json = false

  func run() async throws {
    let pools = try await fetch("/api/pools")
    if json { return Terminal.line(String(decoding: pools, as: UTF8.self)) }
    let overview = try JSONDecoder().decode(Overview.self, from: Data(try await fetch("/api/overview")))
    let list = try JSONDecoder().decode(PoolList.self, from: Data(pools))
    printOverview(overview)
    list.pools.forEach(printPool)
    let alerts = try JSONDecoder().decode(AlertList.self, from: Data(try await fetch("/api/alerts")))
    printAlerts(alerts.alerts)
    if overview.state == "down" { throw ExitCode.failure }
  }

  private func fetch(_ path: String) async throws -> [UInt8] {
    let answer: OneRequest.Answer
    do {
      answer = try await OneRequest(url: gateway.url, path: path, token: gateway.token).send()
    } catch {
      throw CommandFailure(
        "no gateway answers at \(gateway.url) (\(error)); start one with `sluice serve` or name it with --url")
    }
    switch answer.status {
    case 200: return answer.body
    case 401: throw CommandFailure("\(gateway.url) wants an admin token; pass --token or set SLUICE_ADMIN_TOKEN")
    default: throw CommandFailure("\(gateway.url)\(path) answered \(answer.status)")
    }
  }

  private func printOverview(_ overview: Overview) {
    let requests = overview.requests
    let state = Terminal.output.styled(overview.state, Self.color(overview.state))
    Terminal.line(
      "sluice \(overview.version)  \(state)  up \(Int(overview.uptime_seconds)) s  \(requests.total) requests, "
        + "\(requests.failed) failed, \(requests.in_flight) in flight, \(requests.waiting) waiting")
  }

  private func printPool(_ pool: Pool) {
    let state = Terminal.output.styled(pool.state, Self.color(pool.state))
    let connections = pool.connections
    Terminal.line()
    Terminal.line(
      "\(Terminal.output.styled(pool.name, .bold))  \(state)  \(pool.provider), \(pool.strategy)  connections: "
        + "\(connections.leased) leased, \(connections.idle) idle, \(connections.connecting) opening, max \(connections.max)"
    )
    var table = TextTable([
      .init(title: "  endpoint"), .init(title: "state"), .init(title: "leased", alignment: .right),
      .init(title: "requests", alignment: .right), .init(title: "failures", alignment: .right),
      .init(title: "latency", alignment: .right), .init(title: "heartbeats", alignment: .right),
    ])
    for endpoint in pool.endpoints {
      table.add(
        "  \(endpoint.name)", endpoint.state_detail, "\(endpoint.leased)", "\(endpoint.requests)",
        "\(endpoint.failures)", endpoint.latency_ms.map(LatencyRecorder.text) ?? "–", Self.heartbeats(endpoint))
    }
    let lines = table.lines { row, column, text in
      column == 1 ? Terminal.output.styled(text, Self.color(pool.endpoints[row].state)) : text
    }
    lines.forEach { Terminal.line($0) }
  }

  /// How many went well, and how many did not if there were any.
  private static func heartbeats(_ endpoint: Pool.Endpoint) -> String {
    let failed = endpoint.heartbeats_failed
    return failed == 0 ? "\(endpoint.heartbeats)" : "\(endpoint.heartbeats), \(failed) failed"
  }

  private func printAlerts(_ alerts: [Alert]) {
    if alerts.isEmpty { return }
    Terminal.line()
    for alert in alerts {
      let severity = Terminal.output.styled(alert.severity, .yellow)
      Terminal.line("\(severity)  \(alert.name)  \(alert.pool)/\(alert.endpoint)  \(alert.detail)")
    }
  }

  private static func color(_ state: String) -> Terminal.Style {
    switch state {
    case "healthy": .green
    case "degraded", "cooling", "draining", "paused": .yellow
    default: .red
    }
  }

  struct Overview: Decodable {
    struct Requests: Decodable { var total: Int, failed: Int, in_flight: Int, waiting: Int }
    var version: String, state: String, uptime_seconds: Double, requests: Requests
  }
  struct AlertList: Decodable { var alerts: [Alert] }
  struct Alert: Decodable { var name: String, severity: String, pool: String, endpoint: String, detail: String }
  struct PoolList: Decodable { var pools: [Pool] }
  struct Pool: Decodable {
    struct Connections: Decodable { var leased: Int, idle: Int, connecting: Int, max: Int }
    struct Endpoint: Decodable {
      var name: String, state: String, state_detail: String, leased: Int, requests: Int, failures: Int
      var latency_ms: Double?, heartbeats: Int, heartbeats_failed: Int
    }
    var name: String, provider: String, strategy: String, state: String
    var connections: Connections, endpoints: [Endpoint]
  }
}
