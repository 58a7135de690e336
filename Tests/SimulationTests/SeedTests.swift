import Foundation
import SluicePolicy
import SluiceSimulation
import Testing

/// Whole runs: seeds that once failed, a block of fresh ones, and the promise that a seed decides everything.
struct SeedTests {
  /// `make simulate` and the optimised step of `make test` run thousands; this many fit an unoptimised build.
  static let block = UInt64(ProcessInfo.processInfo.environment["SLUICE_SEEDS"] ?? "") ?? 30
  static let first = UInt64(ProcessInfo.processInfo.environment["SLUICE_FIRST_SEED"] ?? "") ?? 1

  /// Every fourth seed from each of the first four: the quarters run beside each other.
  @Test(arguments: 0..<4 as Range<UInt64>) func aBlockOfSeedsHoldsEveryPromise(quarter: UInt64) {
    for offset in stride(from: quarter, to: Self.block, by: 4) { Self.expectSound(Self.first &+ offset) }
  }

  @Test func seedsThatOnceFailedHold() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Seeds.txt")
    let seeds = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      .filter { !$0.hasPrefix("#") }.compactMap { UInt64($0.prefix { $0.isNumber }) }
    #expect(!seeds.isEmpty)
    for seed in seeds { Self.expectSound(seed) }
  }

  @Test(arguments: [3, 17, 99] as [UInt64]) func theSameSeedGivesTheSameTrace(_ seed: UInt64) {
    let first = SimulationReport.run(seed: seed)
    let second = SimulationReport.run(seed: seed)
    #expect(first.trace == second.trace)
    #expect(first.steps == second.steps)
    #expect(first.trace != SimulationReport.run(seed: seed + 1).trace)
  }

  @Test func aReplayTellsEverything() throws {
    var lines: [String] = []
    let replay = SimulationReport.replay(seed: 3) { lines.append($0) }
    #expect(replay.trace == SimulationReport.run(seed: 3).trace, "a longer journal changes nothing")
    for setting in [
      "connections.verifyAfter = ", "queue.reserved.low = ", "health.interval = ", "endpoints[0].weight = ",
    ] {
      #expect(lines.contains { $0.hasPrefix(setting) }, "no \(setting)")
    }
    let journal = replay.journal.split(separator: "\n")
    #expect(journal.count < 65_536 && journal.count { $0.contains(" granted ") } == replay.summary.granted)
    #expect(lines.last == replay.journal && lines.count > replay.summary.calls)
  }

  @Test func theWorldIsBusyEnoughToProveAnything() {
    var total = SimulationReport.Summary()
    for seed in 1...20 as ClosedRange<UInt64> {
      let summary = SimulationReport.run(seed: seed).summary
      total.calls += summary.calls
      total.granted += summary.granted
      total.refused += summary.refused
      total.cancelled += summary.cancelled
      total.failedConnects += summary.failedConnects
    }
    #expect(total.calls > 5000)
    #expect(total.granted > total.calls / 4)
    #expect(total.refused > 100)
    #expect(total.cancelled > 20)
    #expect(total.failedConnects > 50)
  }

  static func expectSound(_ seed: UInt64) {
    let report = SimulationReport.run(seed: seed)
    if let violation = report.violation {
      Issue.record(
        "\(violation)\n\(report.options)\nsluice replay --seed \(seed)\n\(report.journal.suffix(4000))"
      )
    }
  }
}
