/// Looks for the empty line that ends a head, and remembers how far it looked: a head that arrives byte by byte is
/// searched once in total, not once per byte.
///
/// It also refuses early what can never become a head: a line feed without its carriage return, a start line or head
/// beyond its bound. Lines are found by their line feed, so the search costs one pass at eight bytes per step.
///
/// States: before the start line (leading empty lines of a request may be skipped) → inside the head → found.
/// Invariant: `resume` never passes a line feed that was not looked at; `lineStart` is the first byte of the line that
/// contains `resume`. The caller keeps the bytes it already gave (only appending) until the head is complete, then
/// starts the next message with a fresh value.
package struct HeadEndSearch: Sendable {
  enum Outcome {
    case incomplete
    /// The head lies in `start..<end`; `end` is behind its empty line.
    case found(start: Int, end: Int)
    case invalid(HTTPParseError)
  }

  /// RFC 9112 §2.2: some clients send an empty line after a body; a server ignores it.
  static let maxLeadingEmptyLines = 2

  private var resume = 0
  private var lineStart = 0
  private var headStart = 0
  private var emptyLines = 0
  private var inHead = false

  package init() {}

  mutating func advance(_ view: ByteView, skipsEmptyLines: Bool, limits: HTTPLimits) -> Outcome {
    while let lineFeed = view.firstIndex(of: Ascii.lineFeed, from: resume, to: view.count) {
      if let error = tooLong(upTo: lineFeed + 1, limits) { return .invalid(error) }
      guard lineFeed > lineStart, view[lineFeed - 1] == Ascii.carriageReturn else { return .invalid(.bareLineFeed) }
      let isEmpty = lineFeed - 1 == lineStart
      lineStart = lineFeed + 1
      resume = lineStart
      if isEmpty, inHead { return .found(start: headStart, end: lineStart) }
      if isEmpty {
        emptyLines += 1
        guard skipsEmptyLines, emptyLines <= Self.maxLeadingEmptyLines else { return .invalid(.requestLine) }
        headStart = lineStart
      } else {
        inHead = true
      }
    }
    resume = max(resume, view.count)
    return tooLong(upTo: view.count, limits).map(Outcome.invalid) ?? .incomplete
  }

  /// Where the start line begins, as far as known: leading empty lines are skipped.
  var startLine: Int { headStart }

  private func tooLong(upTo end: Int, _ limits: HTTPLimits) -> HTTPParseError? {
    if !inHead, end - headStart > limits.maxStartLine + 2 { return .startLineTooLong }
    // Skipped empty lines count: field offsets of 16 bits are relative to the first byte received.
    return end > limits.maxHeadBytes ? .headTooLarge : nil
  }
}
