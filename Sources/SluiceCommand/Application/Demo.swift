import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import SluiceConfiguration
import SluicePolicy
import SluiceSimulator

/// The parts of `sluice demo`: the simulator, a gateway configured for it, and light traffic.
struct Demo: Sendable {
  /// Several keys for each provider, so that there is something to balance.
  static func configuration(_ simulator: SimulatorAddress, listen: String) -> String {
    """
    version: 1
    profile: demo
    server: {listen: "\(listen)"}
    pools:
      openai:
        provider: openai
        base_url: "\(simulator.openAIBaseURL)"
        keys: [{name: team-a, key: sk-demo-a}, {name: team-b, key: sk-demo-b}, {name: batch, key: sk-demo-c, role: backup}]
      anthropic:
        provider: anthropic
        base_url: "\(simulator.anthropicBaseURL)"
        keys: [{name: main, key: sk-ant-demo-a}, {name: second, key: sk-ant-demo-b}]
    routes:
      - {model: "fast", to: [{pool: openai, model: gpt-4o-mini}]}
    """
  }

  /// A few requests per second of every kind.
  static func traffic(duration: Interval?) -> LoadPlan {
    func openai(_ model: String, _ prompt: String, stream: Bool, weight: Int) -> LoadPlan.Shape {
      var shape = LoadSurface.openai.shape(
        name: stream ? "OpenAI stream" : "OpenAI chat", model: model, prompt: prompt, stream: stream, maxTokens: 60,
        key: nil)
      shape.weight = weight
      return shape
    }
    var anthropic = LoadSurface.anthropic.shape(
      name: "Anthropic stream", model: "claude-sonnet-4-5", prompt: "What keeps a pool healthy?", stream: true,
      maxTokens: 60,
      key: nil)
    anthropic.weight = 3
    let embedding = LoadPlan.Shape(
      name: "OpenAI embeddings", path: "/v1/embeddings",
      body: #"{"model":"text-embedding-3-small","input":["warm","connection"],"dimensions":64}"#, weight: 1)
    return LoadPlan(
      shapes: [
        openai("gpt-4o-mini", "Tell me about connection pools.", stream: true, weight: 3),
        openai("fast", "Say hello to the pool.", stream: false, weight: 3), anthropic, embedding,
      ], concurrency: 6, duration: duration, pause: .milliseconds(150))
  }
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
