/// What a model costs, in nano-dollars (1e-9 USD) per token, by service tier and size of the prompt.
///
/// Figures are kept in pico-dollars, because a token may cost less than a nano-dollar.
package struct ModelPrice: Hashable, Sendable {
  package enum Tier: String, CaseIterable, Hashable, Sendable {
    case standard = ""
    case flex = "_flex"
    case priority = "_priority"
  }

  /// The prices that hold from a size of the prompt on.
  struct Step: Hashable, Sendable {
    /// The prompt is larger than this many tokens.
    var above: Int
    private var standard = Rates()
    private var flex = Rates()
    private var priority = Rates()

    init(above: Int) { self.above = above }

    subscript(_ tier: Tier) -> Rates {
      get {
        switch tier {
        case .standard: standard
        case .flex: flex
        case .priority: priority
        }
      }
      set {
        switch tier {
        case .standard: standard = newValue
        case .flex: flex = newValue
        case .priority: priority = newValue
        }
      }
    }
  }

  /// Pico-dollars per token; what is absent is priced as its better-known neighbour.
  struct Rates: Hashable, Sendable {
    var input: Int?
    var output: Int?
    var cached: Int?
    var written: Int?

    /// Takes from `other` what is not known here.
    mutating func complete(from other: Rates) {
      input = input ?? other.input
      output = output ?? other.output
      cached = cached ?? other.cached
      written = written ?? other.written
    }
  }

  /// By rising size; the first one holds from the beginning.
  var steps: [Step]
  /// Pico-dollars per search or rerank query.
  var perQuery: Int?

  /// The cost of one call in nano-dollars, rounded to the nearest; nothing when a price that is needed is unknown
  /// or the counts, which are the provider's word, are beyond all reason.
  ///
  /// A step's price, once the prompt is larger than its bound, applies to all tokens of the call.
  ///
  /// - Parameter tier: the one the *answer* names.
  package func cost(of usage: TokenUsage, tier: Tier = .standard) -> Int? {
    let cached = min(max(0, usage.cachedInput), max(0, usage.input))
    let written = min(max(0, usage.cacheWrite), max(0, usage.input) - cached)
    let prompt = max(0, usage.input)
    let plain = prompt - cached - written
    let rates = rates(prompt, tier)
    guard let input = rates.input else { return nil }
    // Embeddings have no output price because there is no output.
    let output = rates.output ?? 0
    var sum = 500
    guard Self.add(plain, input, to: &sum), Self.add(cached, rates.cached ?? input, to: &sum),
      Self.add(written, rates.written ?? input, to: &sum), Self.add(max(0, usage.output), output, to: &sum)
    else { return nil }
    return sum / 1000
  }

  /// What one answered call costs: what the provider charges where it says so, else what was counted, in the tier that
  /// served it, and its searches.
  package func cost(of measure: AnswerMeasure) -> Int? {
    let tokens = (measure.billed ?? measure.usage).flatMap { cost(of: $0, tier: measure.tier) }
    guard let units = measure.searchUnits, let perQuery else { return tokens }
    let (product, overflow) = max(0, units).multipliedReportingOverflow(by: perQuery)
    guard !overflow else { return nil }
    return Counters.sum(tokens ?? 0, Counters.sum(product, 500) / 1000)
  }

  /// False when there is no such sum.
  private static func add(_ count: Int, _ price: Int, to sum: inout Int) -> Bool {
    let (product, isTooMuch) = count.multipliedReportingOverflow(by: price)
    let (total, isTooMuchAltogether) = sum.addingReportingOverflow(product)
    sum = total
    return !isTooMuch && !isTooMuchAltogether
  }

  /// The largest step that fits comes first, and in each step the tier before the standard.
  private func rates(_ prompt: Int, _ tier: Tier) -> Rates {
    var rates = Rates()
    for step in steps.reversed() where prompt > step.above {
      rates.complete(from: step[tier])
      if tier != .standard { rates.complete(from: step[.standard]) }
    }
    return rates
  }
}
