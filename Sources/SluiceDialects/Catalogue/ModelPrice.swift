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
    var rates: [Tier: Rates] = [:]
  }

  /// Pico-dollars per token; what is absent is priced as its better-known neighbour.
  struct Rates: Hashable, Sendable {
    var input: Int?
    var output: Int?
    var cached: Int?
    var written: Int?
    var isEmpty: Bool { self == Rates() }
  }

  /// By rising size; the first one holds from the beginning.
  var steps: [Step]
  /// Pico-dollars per search or rerank query.
  var perQuery: Int?

  /// The cost of one call in nano-dollars, rounded to the nearest; nothing when a price that is needed is
  /// unknown, or the counts are beyond all reason.
  ///
  /// A step's price, once the prompt is larger than its bound, applies to all tokens of the call.
  ///
  /// - Parameter tier: the one the *answer* names.
  package func cost(of usage: TokenUsage, tier: Tier = .standard) -> Int? {
    let cached = min(max(0, usage.cachedInput), max(0, usage.input))
    let written = min(max(0, usage.cacheWrite), max(0, usage.input) - cached)
    let prompt = max(0, usage.input)
    let plain = prompt - cached - written
    guard let input = rate(\.input, prompt, tier) else { return nil }
    // Embeddings have no output price because there is no output.
    let output = rate(\.output, prompt, tier) ?? 0
    let parts = [
      (plain, input), (cached, rate(\.cached, prompt, tier) ?? input),
      (written, rate(\.written, prompt, tier) ?? input), (max(0, usage.output), output),
    ]
    var sum = 0
    for (count, price) in parts {
      let (product, overflow) = count.multipliedReportingOverflow(by: price)
      let (next, isTooMuch) = sum.addingReportingOverflow(product)
      guard !overflow, !isTooMuch else { return nil }
      sum = next
    }
    return sum / 1000 + (sum % 1000 >= 500 ? 1 : 0)
  }

  private func rate(_ field: KeyPath<Rates, Int?>, _ prompt: Int, _ tier: Tier) -> Int? {
    for step in steps.reversed() where prompt > step.above {
      if let price = step.rates[tier]?[keyPath: field] ?? step.rates[.standard]?[keyPath: field] { return price }
    }
    return nil
  }
}
