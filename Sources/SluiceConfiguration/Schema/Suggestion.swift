/// Finds the name that was probably meant.
package enum Suggestion {
  /// The nearest of the candidates, if it is near enough to be a slip: up to a third of the characters (at least one)
  /// inserted, removed, replaced or swapped with their neighbour, upper and lower case being equal.
  package static func nearest(to word: String, in candidates: [String]) -> String? {
    guard !word.isEmpty, word.utf8.count <= 64 else { return nil }
    let limit = max(1, word.count / 3)
    var best: (distance: Int, name: String)?
    for candidate in candidates where candidate.utf8.count <= 64 && candidate != word {
      let distance = distance(Array(word.lowercased().utf8), Array(candidate.lowercased().utf8))
      if distance <= limit, distance < best?.distance ?? .max { best = (distance, candidate) }
    }
    return best?.name
  }

  /// Optimal string alignment distance (Damerau–Levenshtein without repeated edits of one part).
  static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var older: [Int] = []
    var old = Array(0...right.count)
    for row in 0..<left.count {
      var new = [row + 1]
      for column in 0..<right.count {
        let same = left[row] == right[column]
        var value = min(old[column + 1] + 1, new[column] + 1, old[column] + (same ? 0 : 1))
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          value = min(value, older[column - 1] + 1)
        }
        new.append(value)
      }
      (older, old) = (old, new)
    }
    return old[right.count]
  }
}
