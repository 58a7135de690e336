import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import SluiceConfiguration
import SluicePolicy
import SluiceRuntime
import SluiceSimulator

/// The parts of `sluice demo`: the simulator, a gateway configured for it, and light traffic.
struct Demo: Sendable {
  /// One simulated provider: its place at the simulator, and a model that the traffic asks for.
  private struct Provider {
    var pool: String
    var provider: String
    var path: String
    var model: String
    var keys = ["a", "b"]
    var options = ""
    /// How often the traffic asks it.
    var weight = 1
  }

  private static let providers = [
    Provider(pool: "openai", provider: "openai", path: "/openai/v1", model: "gpt-4o-mini", weight: 3),
    Provider(
      pool: "azure", provider: "azure_openai", path: "/azure", model: "gpt-4o", options: "api_version: \"2024-10-21\""),
    Provider(pool: "anthropic", provider: "anthropic", path: "/anthropic", model: "claude-sonnet-4-5", weight: 3),
    Provider(pool: "gemini", provider: "gemini", path: "/gemini", model: "gemini-2.5-flash", weight: 2),
    Provider(pool: "cohere", provider: "cohere", path: "/cohere", model: "command-a-03-2025"),
    Provider(pool: "mistral", provider: "mistral", path: "/mistral", model: "mistral-large-latest"),
    Provider(pool: "huggingface", provider: "huggingface", path: "/huggingface/v1", model: "Qwen/Qwen3-32B"),
    Provider(pool: "local", provider: "local", path: "/local/v1", model: "qwen3", keys: []),
    Provider(
      pool: "bedrock", provider: "bedrock", path: "/bedrock", model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      options: "region: us-east-1"),
  ]

  /// Every provider, several keys for each that wants any, so that there is something to balance.
  ///
  /// The tour wants a pool that has to queue, and probes that do not let it wait for long.
  ///
  /// - Parameter added: further keys of OpenAI's pool.
  static func configuration(
    _ simulator: SimulatorAddress, listen: String, tour: Bool = false, added: [String] = []
  ) -> String {
    let pools = providers.map { provider in
      let keys = (provider.keys + (provider.pool == "openai" ? added : [])).map {
        "{name: team-\($0), key: demo-\(provider.pool)-\($0)}"
      }.joined(separator: ", ")
      return """
          \(provider.pool):
            provider: \(provider.provider)
            base_url: "\(simulator.url)\(provider.path)"
            keys: [\(keys)]
            options: {\(provider.options)}\(tour ? "\n    health: {interval: 500ms}" : "")
        """.replacing("\n    keys: []", with: "").replacing("\n    options: {}", with: "")
    }
    let narrow = """
        narrow:
          provider: openai
          base_url: "\(simulator.url)/openai/v1"
          keys: [{name: only, key: demo-narrow}]
          connections: {max: 1}
      """
    let more = tour ? [narrow] : []
    return """
      version: 1
      profile: demo
      server: {listen: "\(listen)"}
      pools:
      \((pools + more).joined(separator: "\n"))
      routes:
        - {model: "fast", to: [{pool: openai, model: gpt-4o-mini}, {pool: gemini, model: gemini-2.5-flash}]}
      """
  }

  /// A few requests per second of every kind: each provider from an OpenAI client, and two other surfaces.
  static func traffic(duration: Interval?) -> LoadPlan {
    var shapes = providers.map { provider in
      var shape = LoadSurface.openai.shape(
        name: "OpenAI client to \(provider.pool)", model: "\(provider.pool)/\(provider.model)",
        prompt: "Tell me about connection pools.", stream: true, maxTokens: 60, key: nil)
      shape.weight = provider.weight
      return shape
    }
    shapes.append(
      LoadSurface.openai.shape(
        name: "OpenAI client, route fast", model: "fast", prompt: "Say hello to the pool.", stream: false,
        maxTokens: 60,
        key: nil))
    shapes.append(
      LoadSurface.anthropic.shape(
        name: "Anthropic client to mistral", model: "mistral/mistral-large-latest",
        prompt: "What keeps a pool healthy?", stream: true, maxTokens: 60, key: nil))
    shapes.append(
      LoadPlan.Shape(
        name: "OpenAI embeddings", path: "/v1/embeddings",
        body: #"{"model":"openai/text-embedding-3-small","input":["warm","connection"],"dimensions":64}"#, weight: 1))
    return LoadPlan(shapes: shapes, concurrency: 6, duration: duration, pause: .milliseconds(150))
  }
}

/// The demo's configuration, which lies in no file: a reload reads it again.
final class DemoConfiguration: Sendable {
  private let current: Guarded<String>

  init(_ text: String) { current = Guarded(text) }

  var text: String { current.value }

  func replace(with text: String) { current.replace(with: text) }
}

/// Sends the demo's traffic until the group ends or its time is over.
struct DemoTraffic: Service {
  let url: String
  let duration: Interval?
  let onEnd: @Sendable (LoadResult) -> Void

  func run() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let plan = Demo.traffic(duration: duration)
    let terminal = Terminal.output
    let result = try await cancelWhenGracefulShutdown {
      try await LoadRun(plan: plan, url: url, group: group).run { sent, seconds in
        let limit = duration.map { " of \(Int($0.seconds))" } ?? ""
        terminal.progress("\(sent) requests, \(Int(seconds))\(limit) s (Ctrl-C ends)")
      }
    }
    terminal.endProgress()
    try await group.shutdownGracefully()
    onEnd(result)
  }
}
