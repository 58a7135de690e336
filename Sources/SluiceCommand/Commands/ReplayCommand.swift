import ArgumentParser
import SluiceSimulation

/// `sluice replay`: deterministic simulations of the pool policy.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Replay one deterministic simulation of the pool policy, or check many.",
    discussion: """
      One seed decides a whole run: load, latency, faults and the order of effects. Without --count everything is printed: \
      the settings, what happened, and the pool's whole journal; with it, that many seeds run from --seed on and only a \
      broken promise is shown.
      """)

  @Option(help: "The run's seed; with --count the first one.") var seed: UInt64
  @Option(help: "Stop after so many events.") var steps: Int?
  @Option(help: "Run so many seeds and report only failures.") var count: Int?

  func run() throws {
    if let count { try check(count) } else { try replay() }
  }

  private func replay() throws {
    let report = SimulationReport.replay(seed: seed, steps: steps ?? .max) { Terminal.line($0) }
    Terminal.line()
    try conclude(report)
    let summary = report.summary
    Terminal.line(
      "\(report.steps) events: \(summary.calls) calls, \(summary.granted) granted, \(summary.refused) refused, "
        + "\(summary.cancelled) cancelled, \(summary.connects) connects (\(summary.failedConnects) failed)")
    Terminal.line("trace \(String(report.trace, radix: 16)): every promise held")
  }

  private func check(_ count: Int) throws {
    for offset in 0..<UInt64(max(0, count)) {
      let report = SimulationReport.run(seed: seed &+ offset)
      if report.violation != nil {
        Terminal.output.endProgress()
        Terminal.line("\(report.options)")
        Terminal.line(report.journal)
        try conclude(report)
      }
      if offset % 50 == 0 { Terminal.output.progress("\(offset)/\(count) seeds") }
    }
    Terminal.output.endProgress()
    Terminal.line("\(count) seeds from \(seed): every promise held")
  }

  private func conclude(_ report: SimulationReport) throws {
    guard let violation = report.violation else { return }
    Terminal.line(Terminal.output.styled("broken promise: \(violation)", .red))
    Terminal.line("replay with: sluice replay --seed \(report.options.seed)")
    throw ExitCode.failure
  }
}
