/// The answer to a request that counts the tokens of a prompt.
package struct TokenCount: Hashable, Sendable {
  package var input: Int
  /// Nobody counted: the figure follows from the length of the text.
  package var isEstimate: Bool

  package init(input: Int, isEstimate: Bool) {
    self.input = input
    self.isEstimate = isEstimate
  }
}
