import ArgumentParser
import Foundation
import Logging
import NIOCore
import ServiceLifecycle
import SluiceConfiguration
import SluicePolicy
import SluiceRuntime
import SluiceSimulator

/// `sluice demo`: gateway, simulator and traffic in one process.
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Run the gateway in front of the built-in provider simulator, with light traffic.",
    discussion: """
      Needs no account, no key and no network. Ends with Ctrl-C, or after --duration with a summary.

      With --tour it shows instead, one after the other, what a pool does: sharing and spreading, limits, refused keys and \
      their alerts, dead endpoints, broken streams, fallback, priorities, draining, reloading. Each step makes real calls against scripted faults and prints what \
      was measured; the exit status is 1 when something did not come out as claimed.
      """)

  @Option(help: "HOST:PORT; port 0 lets the system choose.") var listen = "127.0.0.1:8080"
  @Option(help: "End after so many seconds.") var duration: Int?
  @Flag(help: "Start gateway and simulator only.") var noTraffic = false
  @Flag(help: "Walk through strategies, faults and recovery, one line of explanation each; then end.") var tour = false
  @OptionGroup var logging: LogOptions

  func validate() throws {
    if tour && (duration != nil || noTraffic) {
      throw ValidationError("--tour makes its own calls and ends by itself; leave out --duration and --no-traffic")
    }
    if let duration, duration < 1 { throw ValidationError("--duration is at least 1 second") }
    if duration != nil && noTraffic { throw ValidationError("--duration is about the traffic; leave out --no-traffic") }
  }

  func run() async throws {
    let logger = logging.makeLogger()
    // The tour's figures must not depend on how long a simulated model thinks.
    let simulator = SimulatorServer(tour ? SimulatorOptions() : .realistic())
    let address = try await simulator.start()
    let listen = listen
    let tour = tour
    let write = { @Sendable (added: [String]) in
      Demo.configuration(address, listen: listen, tour: tour, added: added)
    }
    let configuration = DemoConfiguration(write([]))
    let loader = ConfigurationLoader(environment: [:], own: configuration)
    let host = try GatewayHost(try await loader.load().loadedOrFailure(), loader: loader, logger: logger)
    let run = GatewayRun(host: host, logger: logger)
    if tour {
      try await walk(run, simulator, TourConfiguration(current: configuration, write: write))
    } else {
      try await serve(run, simulator)
    }
  }

  private func serve(_ run: GatewayRun, _ simulator: SimulatorServer) async throws {
    let outcome = Guarded<LoadResult?>(nil)
    let start = ContinuousClock.now
    try await run.run { urls in
      guard !noTraffic, let url = urls.first else { return [] }
      let time = duration.map { Interval.seconds(Int64($0)) }
      return [DemoTraffic(url: url, duration: time) { result in outcome.withLock { $0 = result } }]
    } announce: { urls in
      announce(urls.first ?? "")
    }
    await simulator.stop()
    guard !noTraffic, let result = outcome.value else { return }
    summarize(result, seconds: (ContinuousClock.now - start) / .seconds(1))
    if result.failed > 0 || result.completed == 0 { throw ExitCode.failure }
  }

  private func walk(
    _ run: GatewayRun, _ simulator: SimulatorServer, _ configuration: TourConfiguration
  ) async throws {
    let outcome = Guarded<Tour.Result?>(nil)
    try await run.run { urls in
      guard let url = urls.first else { return [] }
      return [
        Tour(url: url, simulator: simulator, configuration: configuration) { result in
          outcome.withLock { $0 = result }
        }
      ]
    } announce: { urls in
      let url = urls.first ?? ""
      Terminal.line("sluice demo listening on \(url), dashboard at \(url)/dashboard")
      Terminal.line()
    }
    await simulator.stop()
    guard let result = outcome.value else { throw ExitCode.failure }
    if result.isInterrupted { return Terminal.line("the tour was interrupted") }
    let time = Int(result.seconds.rounded())
    let held = result.claims - result.broken
    Terminal.line("\(TourStep.all.count) steps in \(time) s: \(held) of \(result.claims) claims came true")
    if result.broken > 0 || result.claims == 0 { throw ExitCode.failure }
  }

  private func announce(_ url: String) {
    let bold = { (text: String) in Terminal.output.styled(text, .bold) }
    Terminal.line("sluice demo listening on \(url)")
    Terminal.line()
    Terminal.line("  \(bold("dashboard"))   \(url)/dashboard")
    Terminal.line("  \(bold("try it"))      curl \(url)/v1/chat/completions -H 'content-type: application/json' \\")
    Terminal.line(
      "                -d '{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'")
    Terminal.line("  \(bold("OpenAI SDK"))  OPENAI_BASE_URL=\(url)/v1 OPENAI_API_KEY=any")
    Terminal.line("  \(bold("Anthropic"))   ANTHROPIC_BASE_URL=\(url) ANTHROPIC_API_KEY=any")
    Terminal.line()
  }

  private func summarize(_ result: LoadResult, seconds: Double) {
    let values = result.latency.percentiles([0.5, 0.95, 0.99]).map(LatencyRecorder.text)
    let first = result.firstByte.percentiles([0.5, 0.95]).map(LatencyRecorder.text)
    Terminal.line("\(result.completed) requests in \(Int(seconds.rounded())) s, \(result.failed) failures")
    for (name, count) in result.byShape.sorted(by: { $0.key < $1.key }) { Terminal.line("  \(name): \(count)") }
    Terminal.line(
      "  whole answer p50 \(values[0]), p95 \(values[1]), p99 \(values[2]); first byte p50 \(first[0]), p95 \(first[1])"
    )
    for (reason, count) in result.failures.sorted(by: { $0.value > $1.value }) {
      Terminal.line(Terminal.output.styled("  failed: \(count) × \(reason)", .red))
    }
  }
}
