internal import SluiceDialects

/// The commented file that `sluice init` writes.
package enum Starter {
  /// A file for these pools; with none, one for OpenAI to be filled in. It holds variables, never their values, and
  /// loads without a problem where they are set.
  package static func render(_ pools: [DiscoveredPool]) -> String {
    let listed =
      pools.isEmpty
      ? [
        DiscoveredPool(
          name: "openai", provider: .openai, key: "${OPENAI_API_KEY}",
          reason: "nothing was found in the environment: set OPENAI_API_KEY, or change this")
      ] : pools
    return head + listed.map(pool).joined(separator: "\n") + tail(listed[0].name)
  }

  private static func pool(_ pool: DiscoveredPool) -> String {
    var lines = ["  # \(pool.reason)", "  \(pool.name):", "    provider: \(pool.provider.rawValue)"]
    if let url = pool.baseURL { lines.append("    base_url: \"\(url)\"") }
    if let organization = pool.organization { lines.append("    organization: \"\(organization)\"") }
    if let project = pool.project { lines.append("    project: \"\(project)\"") }
    if let key = pool.key {
      lines.append("    keys:")
      let auth = pool.authentication.map { ", auth: \($0.rawValue)" }
      lines.append(auth.map { "      - {name: main, key: \"\(key)\"\($0)}" } ?? "      - \"\(key)\"")
      lines.append("      # - {name: second, key: \"${SECOND_KEY}\", weight: 2}")
      lines.append("      # - {name: spare, key: \"${SPARE_KEY}\", role: backup}")
    }
    if !pool.options.isEmpty {
      lines.append("    options:")
      for (name, value) in pool.options.sorted(by: { $0.key < $1.key }) { lines.append("      \(name): \"\(value)\"") }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static let head = """
    # Configuration of Sluice. `sluice check` explains every problem; docs/configuration.md lists every key.
    # Keys stay in the environment: ${VAR}, ${VAR:-default} or ${file:/run/secrets/key}.
    version: 1
    profile: production          # defaults: development, testing, demo or production

    server:
      listen: 127.0.0.1:8080     # wider than loopback needs access keys and an admin token
      admin_token: "${SLUICE_ADMIN_TOKEN:-}"
      # max_request_body: 32MiB
      # drain_timeout: 30s

    # Without it everybody on this machine may use the gateway.
    # access:
    #   keys:
    #     - {name: research, sha256: "<sha256 of the key>", class: high, models: ["gpt-*", "claude-*"]}

    pools:

    """

  private static func tail(_ pool: String) -> String {
    """
        # balance: {strategy: power_of_two}
        # connections: {min: 0, max: 50, pool_max: 200, idle_timeout: 5m, connect_timeout: 5s}
        # timeouts: {first_token: 120s, between_bytes: 30s, total: 10m}
        # retry: {attempts: 3, budget: 20%}
        # health: {interval: 30s, timeout: 5s, unhealthy_after: 3, healthy_after: 2}

    # Which pool serves which model; without a route the pool that knows the model does.
    # routes:
    #   - {model: "gpt-*", to: [\(pool)]}

    """
  }
}
