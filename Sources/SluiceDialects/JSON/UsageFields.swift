/// Token counters as a provider reported them; nil where it said nothing. Dialects fill them.
package struct UsageFields: Hashable, Sendable {
  package var input: Int?
  package var output: Int?
  package var cachedInput: Int?
  package var cacheWrite: Int?
  package var reasoning: Int?
  package var total: Int?

  package init(
    input: Int? = nil, output: Int? = nil, cachedInput: Int? = nil, cacheWrite: Int? = nil, reasoning: Int? = nil,
    total: Int? = nil
  ) {
    self.input = input
    self.output = output
    self.cachedInput = cachedInput
    self.cacheWrite = cacheWrite
    self.reasoning = reasoning
    self.total = total
  }

  package var isEmpty: Bool { self == UsageFields() }
}
