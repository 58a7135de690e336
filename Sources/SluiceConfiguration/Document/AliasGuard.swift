/// Refuses the texts whose aliases could make the YAML library itself do unbounded work: it compares mapping keys by
/// value, so an alias as a key would be expanded there. Everything else is counted while the tree is built.
enum AliasGuard {
  static func problem(in text: String, most: Int) -> String? {
    var count = 0
    var asKey = false
    var previous: Unicode.Scalar = "\n"
    let scalars = Array(text.unicodeScalars)
    for (index, scalar) in scalars.enumerated() {
      if opensToken(after: previous) {
        if scalar == "*" {
          count += 1
          asKey = asKey || isKey(scalars, from: index)
        } else if scalar == "?", index + 1 < scalars.count, isSpace(scalars[index + 1]) {
          asKey = true
        }
      }
      previous = scalar
    }
    if count > most { return "the file has more than \(most) aliases" }
    return asKey && count > 0 ? "aliases cannot be used as keys" : nil
  }

  private static func opensToken(after scalar: Unicode.Scalar) -> Bool {
    isSpace(scalar) || scalar == "[" || scalar == "{" || scalar == "," || scalar == ":"
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r"
  }

  private static func isKey(_ scalars: [Unicode.Scalar], from start: Int) -> Bool {
    var index = start + 1
    while index < scalars.count, !isSpace(scalars[index]), !",[]{}\"'".unicodeScalars.contains(scalars[index]) {
      index += 1
    }
    while index < scalars.count, scalars[index] == " " || scalars[index] == "\t" { index += 1 }
    guard index < scalars.count else { return false }
    if scalars[index] == ":" { return true }
    return index > start + 1 && scalars[index - 1] == ":" && isSpace(scalars[index])
  }
}
