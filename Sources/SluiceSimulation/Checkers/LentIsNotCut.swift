import SluicePolicy

/// The pool closes nothing on which slots are lent, whatever the remote side has announced, until it is closed itself:
/// those who use it may finish.
struct LentIsNotCut: SimulationChecker {
  let name = "lent is not cut"
  private var resources = ResourceBook()
  private var isClosed = false

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    resources.observe(fact, at: now)
    switch fact {
    case .closeBegan: isClosed = true
    case .closeAsked(let id, let reason):
      let leased = resources.entries[id]?.leased ?? 0
      return leased > 0 && !isClosed ? "\(id) is closed as \(reason.label) with \(leased) slots lent" : nil
    default: break
    }
    return nil
  }
}
