/// What can go wrong.
package enum Fault: Int, CaseIterable, Sendable {
  /// A connect is refused.
  case connectRefused
  /// A connect gets no answer: it fails at its deadline, or succeeds when that has passed.
  case connectStalls
  /// The remote side closes a resource while it is idle.
  case idleClose
  /// A resource dies without a word.
  case silentDeath
  /// The remote side says that it will close a resource, and turns back some of those who use it.
  case goAway
  /// The stream limit changes, in use or not: shrinks below what is in use, to nothing, or grows.
  case capacityChange
  /// An exchange fails by itself.
  case exchangeFails
  /// Everything at one endpoint fails for a while.
  case bursts
  /// 429 with a hint, without one, and with one that is nonsense.
  case rateLimited
  case credentialRejected
  case cancelled
  /// All resources of one origin die at once, and nothing can be opened until it is up again.
  case crash
  /// Answers come again, later, or cross with what makes them superfluous.
  case lateOrDuplicate
  /// Operators change something.
  case administration
  /// An answer says how much is left of a limit, sometimes nothing.
  case limitReached

  /// The highest rate that is drawn.
  var most: Double {
    switch self {
    case .connectRefused, .idleClose, .administration, .bursts, .capacityChange: 0.5
    case .exchangeFails: 0.4
    case .connectStalls, .cancelled, .crash, .goAway: 0.3
    case .rateLimited, .limitReached, .lateOrDuplicate: 0.2
    case .silentDeath: 0.1
    case .credentialRejected: 0.02
    }
  }
}

/// How often things go wrong while faults are on; probabilities per occasion.
package struct FaultRates: Sendable {
  private var rates: [Double]

  static let none = FaultRates(rates: Array(repeating: 0, count: Fault.allCases.count))

  private init(rates: [Double]) { self.rates = rates }

  /// A run has a few kinds of trouble, not all of them: what is masked by one shows without it.
  init(_ random: inout SimulationRandom) {
    rates = Fault.allCases.dropLast().map { random.chance(0.45) ? random.unit() * $0.most : 0 }
    // From a copy: what is drawn next is the same as before there was this one, so that seeds keep their meaning.
    var copy = random
    rates.append(copy.chance(0.45) ? copy.unit() * Fault.limitReached.most : 0)
  }

  package subscript(fault: Fault) -> Double {
    get { rates[fault.rawValue] }
    set { rates[fault.rawValue] = newValue }
  }
}

extension FaultRates: CustomStringConvertible {
  package var description: String {
    let present = Fault.allCases.filter { self[$0] > 0 }
    return present.isEmpty
      ? "none" : present.map { "\($0) \((self[$0] * 1000).rounded() / 10)%" }.joined(separator: ", ")
  }
}
