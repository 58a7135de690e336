import SluicePolicy
import SluiceSimulation
import Testing

struct ShrinkTests {
  /// Falsified: the third lease is said to have come back twice.
  private func tamper(_ fact: Fact) -> [Fact] {
    if case .released(let lease, _, accepted: true) = fact, lease.index == 2 { [fact, fact] } else { [fact] }
  }

  @Test func aBrokenPromiseGetsSmaller() throws {
    let whole = SimulationReport.run(seed: 4, tamper: tamper)
    let shrunk = try #require(SimulationReport.shrink(seed: 4, facts: 12, tamper: tamper))
    #expect(shrunk.report.violation?.checker == whole.violation?.checker)
    #expect(shrunk.report.steps <= whole.steps)
    #expect(shrunk.without.count > 5)
    #expect(shrunk.lastFacts.count <= 12 && shrunk.lastFacts.last?.contains("released") == true)
    #expect("\(shrunk)".contains("left out"))
  }

  @Test func aSoundRunIsNotShrunk() {
    #expect(SimulationReport.shrink(seed: 1) == nil)
  }
}
