import SluicePolicy

/// The machine finds nothing wrong with its own books. The one check that trusts it: for what cannot be seen from
/// outside.
struct BooksAreSound: SimulationChecker {
  let name = "books are sound"

  func observe(_ fact: Fact, at now: Instant) -> String? {
    if case .inspected(let problems) = fact { problems.first } else { nil }
  }
}
