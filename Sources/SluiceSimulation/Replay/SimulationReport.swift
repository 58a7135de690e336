import SluicePolicy

/// The result of one seed, with everything needed to look into it.
package struct SimulationReport: Sendable {
  package var options: SimulationOptions
  package var violation: Violation?
  package var steps: Int
  /// Hash of every fact with its time: equal for equal seeds.
  package var trace: UInt64
  /// The machine's own journal: its end if a promise was broken, all of it if that was asked for.
  package var journal: String
  package var summary: Summary

  package struct Summary: Sendable {
    package var calls = 0, granted = 0, refused = 0, cancelled = 0, connects = 0, failedConnects = 0
    package init() {}
  }

  /// Runs one seed; `onLine` gets every fact as a line of text, if anybody wants to read it.
  package static func run(
    seed: UInt64, steps: Int = .max, onLine: ((String) -> Void)? = nil
  ) -> SimulationReport {
    run(SimulationOptions(seed: seed), steps: steps, tamper: nil, onLine: onLine)
  }

  /// The same run with everything there is to know about it: options with every setting first, then every fact, then
  /// the machine's whole journal.
  package static func replay(seed: UInt64, steps: Int = .max, onLine: (String) -> Void) -> SimulationReport {
    var options = SimulationOptions(seed: seed)
    options.settings.journalEntries = wholeJournal
    options.inFull.forEach(onLine)
    let report = withoutActuallyEscaping(onLine) {
      run(options, steps: steps, tamper: nil, keepsJournal: true, onLine: $0)
    }
    onLine(report.journal)
    return report
  }

  /// The most that settings allow, and more than any run fills.
  private static let wholeJournal = 65_536

  /// With falsified facts for the checkers.
  package static func run(
    seed: UInt64, steps: Int = .max, tamper: ((Fact) -> [Fact])?, onLine: ((String) -> Void)? = nil
  ) -> SimulationReport {
    run(SimulationOptions(seed: seed), steps: steps, tamper: tamper, onLine: onLine)
  }

  static func run(
    _ options: SimulationOptions, steps: Int = .max, tamper: ((Fact) -> [Fact])?, keepsJournal: Bool = false,
    onLine: ((String) -> Void)? = nil
  ) -> SimulationReport {
    var trace: UInt64 = 0xCBF2_9CE4_8422_2325
    var summary = Summary()
    let simulation = Simulation(options, tamper: tamper) { now, fact in
      // Hashing a description is slow; a number per fact and its moment tell two runs apart just as well.
      trace = (trace ^ fact.fingerprint ^ UInt64(bitPattern: now.nanoseconds)) &* 0x0000_0100_0000_01B3
      summary.count(fact)
      if let onLine, !fact.isRoutine { onLine("\(now)  \(fact.line)") }
    }
    simulation.run(steps: steps)
    return SimulationReport(
      options: options, violation: simulation.violation, steps: simulation.steps, trace: trace,
      journal: simulation.violation == nil && !keepsJournal ? "" : simulation.journal, summary: summary)
  }
}

extension SimulationReport.Summary {
  mutating func count(_ fact: Fact) {
    switch fact {
    case .wished: calls += 1
    case .grantedAtOnce, .grantedLater: granted += 1
    case .refusedAtOnce, .refusedLater: refused += 1
    case .cancelled(_, accepted: true): cancelled += 1
    case .connectAsked: connects += 1
    case .connectFailed: failedConnects += 1
    default: break
    }
  }
}
