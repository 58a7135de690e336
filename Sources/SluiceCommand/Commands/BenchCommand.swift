import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import SluicePolicy

/// `sluice bench`: a closed-loop load generator with percentiles.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Send load to a gateway and report latency percentiles.",
    discussion: "Each of --concurrency clients sends its next request when its answer is complete.")

  @OptionGroup var gateway: GatewayOptions

  @Option(help: "Clients, each on a connection of its own.") var concurrency = 8
  @Option(help: "Requests to send in all.") var requests = 1000
  @Flag(help: "Ask for streamed answers.") var stream = false
  @Option(help: "Model to ask for.") var model = "gpt-4o-mini"
  @Option(help: "Which protocol to speak: openai or anthropic.") var surface = LoadSurface.openai
  @Option(help: "Most tokens to ask for.") var maxTokens = 64

  func validate() throws {
    guard (1...10_000).contains(concurrency) else { throw ValidationError("--concurrency is from 1 to 10000") }
    guard requests > 0 else { throw ValidationError("--requests is at least 1") }
    guard maxTokens > 0 else { throw ValidationError("--max-tokens is at least 1") }
  }

  func run() async throws {
    let shape = surface.shape(model: model, stream: stream, maxTokens: maxTokens, key: gateway.key)
    let plan = LoadPlan(shapes: [shape], concurrency: min(concurrency, requests), requests: requests)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: min(2, System.coreCount))
    let terminal = Terminal.output
    let start = ContinuousClock.now
    let result = try await LoadRun(plan: plan, url: gateway.url, group: group).run { [requests] sent, seconds in
      terminal.progress(Self.bar(sent, of: requests, seconds))
    }
    terminal.endProgress()
    try await group.shutdownGracefully()
    report(result, seconds: (ContinuousClock.now - start) / .seconds(1))
    if result.failed > 0 || result.completed == 0 { throw ExitCode.failure }
  }

  private static func bar(_ done: Int, of all: Int, _ seconds: Double) -> String {
    let width = 30, filled = min(width, width * done / max(1, all))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    return "\(bar) \(done)/\(all)  \(Int(Double(done) / max(0.001, seconds))) req/s"
  }

  private func report(_ result: LoadResult, seconds: Double) {
    let shares = [0.5, 0.9, 0.95, 0.99, 1.0]
    var table = TextTable([
      .init(title: ""), .init(title: "p50", alignment: .right), .init(title: "p90", alignment: .right),
      .init(title: "p95", alignment: .right), .init(title: "p99", alignment: .right),
      .init(title: "max", alignment: .right),
    ])
    for (name, recorder) in [("first byte", result.firstByte), ("whole answer", result.latency)] {
      let values = recorder.percentiles(shares).map(LatencyRecorder.text)
      table.add(name, values[0], values[1], values[2], values[3], values[4])
    }
    Terminal.line(
      "\(result.completed) requests in \(Self.seconds(seconds)), \(Int(Double(result.completed) / seconds)) per second, \(result.failed) failed"
    )
    table.lines().forEach { Terminal.line($0) }
    for (reason, count) in result.failures.sorted(by: { $0.value > $1.value }) {
      Terminal.line(Terminal.output.styled("failed: \(count) × \(reason)", .red))
    }
  }

  private static func seconds(_ value: Double) -> String { "\((value * 100).rounded() / 100) s" }
}

/// The protocol that generated requests speak.
enum LoadSurface: String, ExpressibleByArgument, CaseIterable {
  case openai, anthropic

  func shape(
    name: String? = nil, model: String, prompt: String = "Say hello to the pool.", stream: Bool, maxTokens: Int,
    key: String?
  ) -> LoadPlan.Shape {
    let fields: [String: Any] = [
      "model": model, "max_tokens": maxTokens, "stream": stream, "messages": [["role": "user", "content": prompt]],
    ]
    let body = (try? JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys])) ?? Data()
    var headers = key.map { [("authorization", "Bearer \($0)")] } ?? []
    if self == .anthropic { headers.append(("anthropic-version", "2023-06-01")) }
    return LoadPlan.Shape(
      name: name ?? rawValue, path: self == .openai ? "/v1/chat/completions" : "/v1/messages",
      body: String(decoding: body, as: UTF8.self), headers: headers, isStream: stream)
  }
}
