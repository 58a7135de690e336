/// Refuses the texts whose aliases could make the YAML library itself do unbounded work: it compares mapping keys by
/// value, so an alias as a key would be expanded there. Everything else is counted while the tree is built.
///
/// It does not know YAML, so it may refuse what only looks like such a text, but never lets one pass: without a `&` there
/// is nothing that an alias could stand for, and what follows a `#` up to the line's end is skipped only if no quote in
/// it could end a text that began further up.
enum AliasGuard {
  static func problem(in text: String, most: Int) -> String? {
    var count = 0
    var asKey = false
    var previous: Unicode.Scalar = "\n"
    guard text.utf8.contains(UInt8(ascii: "&")) else { return nil }
    let scalars = Array(text.unicodeScalars)
    var index = -1
    while index + 1 < scalars.count {
      index += 1
      if scalars[index] == "#", isSpace(previous), let end = commentEnd(scalars, from: index) { index = end }
      let scalar = scalars[index]
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

  /// The last scalar of the comment; nothing where it might be none.
  private static func commentEnd(_ scalars: [Unicode.Scalar], from start: Int) -> Int? {
    let end = scalars[start...].firstIndex { $0 == "\n" || $0 == "\r" } ?? scalars.count
    return scalars[start..<end].contains { $0 == "\"" || $0 == "'" } ? nil : end - 1
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
