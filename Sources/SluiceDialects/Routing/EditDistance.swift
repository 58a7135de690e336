/// Finds the names nearest to a misspelt one.
package enum NearestNames {
  /// Names longer than this are not compared.
  private static let longest = 128

  /// At most `count` of `candidates`, nearest first; only those that could be meant: within a third of the length,
  /// or containing what was asked for.
  package static func of(_ name: String, among candidates: some Sequence<String>, count: Int = 3) -> [String] {
    let wanted = Array(name.lowercased().utf8.prefix(longest))
    let limit = max(2, wanted.count / 3)
    var scored: [(distance: Int, name: String)] = []
    for candidate in candidates {
      let other = Array(candidate.lowercased().utf8.prefix(longest))
      var distance = distance(wanted, other)
      if distance > limit, wanted.count >= 3, contains(other, wanted) { distance = limit }
      if distance <= limit { scored.append((distance, candidate)) }
    }
    scored.sort { ($0.distance, $0.name) < ($1.distance, $1.name) }
    var nearest: [String] = []
    for entry in scored where nearest.count < count && !nearest.contains(entry.name) { nearest.append(entry.name) }
    return nearest
  }

  /// Optimal string alignment distance (Damerau–Levenshtein without overlapping edits): insert, delete, replace and
  /// swap of neighbours cost one each.
  package static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
    var before = [Int](repeating: 0, count: right.count + 1)
    var above = Array(0...right.count)
    for row in 1...left.count {
      var current = [row]
      current.reserveCapacity(right.count + 1)
      for column in 1...right.count {
        let same = left[row - 1] == right[column - 1]
        var best = min(above[column] + 1, current[column - 1] + 1, above[column - 1] + (same ? 0 : 1))
        if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
          best = min(best, before[column - 2] + 1)
        }
        current.append(best)
      }
      before = above
      above = current
    }
    return above[right.count]
  }

  private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    guard part.count <= text.count else { return false }
    return (0...text.count - part.count).contains { text[$0..<$0 + part.count].elementsEqual(part) }
  }
}
