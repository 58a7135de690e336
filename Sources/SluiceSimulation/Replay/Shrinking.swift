import SluicePolicy

/// A broken promise with everything taken away that it does not need.
package struct ShrunkRun: Sendable {
  /// What was taken away, in this order.
  package var without: [String]
  package var report: SimulationReport
  /// The last facts before the violation, as text.
  package var lastFacts: [String]
}

extension ShrunkRun: CustomStringConvertible {
  package var description: String {
    let violation = report.violation.map { "\($0)" } ?? "no violation"
    return """
      \(lastFacts.joined(separator: "\n"))
      \(report.options)
      left out: \(without.isEmpty ? "nothing" : without.joined(separator: ", "))
      shows within \(report.steps) steps: \(violation)
      """
  }
}

extension SimulationReport {
  private struct Reduction {
    var label: String
    var apply: (inout SimulationOptions) -> Void
  }

  /// Looks for the smallest run that still breaks the promise that `seed` breaks; `nil` if it breaks none. Takes one
  /// thing away after the other for as long as the same checker complains after no more steps than before.
  package static func shrink(
    seed: UInt64, facts: Int = 40, tamper: ((Fact) -> [Fact])? = nil
  ) -> ShrunkRun? {
    var best = run(seed: seed, tamper: tamper)
    guard let violation = best.violation else { return nil }
    var without: [String] = []
    var left = reductions
    var hasShrunk = true
    while hasShrunk {
      hasShrunk = false
      for (index, reduction) in left.enumerated().reversed() {
        var options = best.options
        reduction.apply(&options)
        let report = run(options, steps: best.steps, tamper: tamper)
        guard report.violation?.checker == violation.checker else { continue }
        best = report
        without.append(reduction.label)
        left.remove(at: index)
        hasShrunk = true
      }
    }
    var lines: [String] = []
    best = run(best.options, steps: best.steps, tamper: tamper) { lines.append($0) }
    return ShrunkRun(without: without, report: best, lastFacts: lines.suffix(facts))
  }

  /// Each leaves settings valid.
  private static var reductions: [Reduction] {
    let faults = Fault.allCases.map { fault in Reduction(label: "\(fault)") { $0.faults[fault] = 0 } }
    return faults + [
      Reduction(label: "loops") { $0.loops = 1 },
      Reduction(label: "multiplexing") { $0.capacity = 1 },
      Reduction(label: "weights") { options in
        for index in options.settings.endpoints.indices { options.settings.endpoints[index].weight = 1 }
      },
      Reduction(label: "backups") { options in
        for index in options.settings.endpoints.indices { options.settings.endpoints[index].role = .primary }
      },
      Reduction(label: "endpoint limits") { options in
        for index in options.settings.endpoints.indices { options.settings.endpoints[index].maxConcurrent = nil }
      },
      Reduction(label: "further endpoints") { options in
        let origins = options.settings.origins.count
        options.settings.endpoints.removeSubrange(origins...)
      },
      Reduction(label: "minimum") { $0.settings.connections.min = 0 },
      Reduction(label: "warmth") { $0.settings.connections.keepWarm = .zero },
      Reduction(label: "long faults") { $0.faultyTime = $0.faultyTime.scaled(by: 0.5) },
      Reduction(label: "long calm") { $0.calmTime = .seconds(1) },
    ]
  }
}
