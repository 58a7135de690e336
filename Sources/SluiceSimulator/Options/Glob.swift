/// Matches names against patterns in which `*` stands for any text, the empty one included.
package enum Glob {
  /// Greedy with one remembered star: at most pattern × text steps, no recursion.
  package static func matches(_ pattern: String, _ text: String) -> Bool {
    let pattern = pattern.utf8
    let text = text.utf8
    var p = pattern.startIndex
    var t = text.startIndex
    var star: (afterStar: String.Index, text: String.Index)?
    while t < text.endIndex {
      if p < pattern.endIndex, pattern[p] == UInt8(ascii: "*") {
        p = pattern.index(after: p)
        star = (p, t)
      } else if p < pattern.endIndex, pattern[p] == text[t] {
        p = pattern.index(after: p)
        t = text.index(after: t)
      } else if let last = star {
        p = last.afterStar
        t = text.index(after: last.text)
        star = (p, t)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
