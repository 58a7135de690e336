/// Resolves `${VAR}`, `${VAR:-default}` and `${file:PATH}` in one value, as late as the value is read.
///
/// `$${` stands for `${` itself. A variable that is set but empty counts as set, except before `:-`, as in a shell.
/// Resolved text is not looked at again, so a value from outside can never name another variable.
package struct Interpolator: Sendable {
  /// Largest file that `${file:PATH}` reads.
  package static let maxFileBytes = 64 << 10

  private let environment: [String: String]
  private let files: FileAccess
  private let directory: String

  package init(environment: [String: String], files: FileAccess, directory: String) {
    self.environment = environment
    self.files = files
    self.directory = directory
  }

  package struct Failure: Error, Hashable, Sendable {
    /// Unicode scalars before the `${` that failed.
    package var offset: Int
    package var message: String
  }

  /// Whether there is anything to resolve.
  package static func applies(to text: String) -> Bool { text.utf8.contains(UInt8(ascii: "$")) && text.contains("${") }

  /// Names of the variables that a text mentions.
  package static func variables(in text: String) -> [String] {
    guard applies(to: text) else { return [] }
    return text.split(separator: "${", omittingEmptySubsequences: false).dropFirst().compactMap { part in
      let name = part.prefix { isNameCharacter($0) }
      return name.isEmpty || part.hasPrefix("file:") ? nil : String(name)
    }
  }

  package func resolve(_ text: String) throws(Failure) -> String {
    var files: [String] = []
    return try resolve(text, reading: &files)
  }

  /// - Parameter paths: the files that were read are appended.
  package func resolve(_ text: String, reading paths: inout [String]) throws(Failure) -> String {
    let scalars = Array(text.unicodeScalars)
    var result = String.UnicodeScalarView()
    var index = 0
    while index < scalars.count {
      guard scalars[index] == "$", index + 1 < scalars.count else {
        result.append(scalars[index])
        index += 1
        continue
      }
      if scalars[index + 1] == "$", index + 2 < scalars.count, scalars[index + 2] == "{" {
        result.append(contentsOf: ["$", "{"])
        index += 3
      } else if scalars[index + 1] == "{" {
        let (value, next) = try expression(scalars, at: index, &paths)
        result.append(contentsOf: value.unicodeScalars)
        index = next
      } else {
        result.append("$")
        index += 1
      }
    }
    return String(result)
  }

  private func expression(
    _ scalars: [Unicode.Scalar], at start: Int, _ paths: inout [String]
  ) throws(Failure) -> (String, Int) {
    guard let end = scalars[(start + 2)...].firstIndex(of: "}") else {
      throw Failure(offset: start, message: "'${' without its '}'")
    }
    let body = String(String.UnicodeScalarView(scalars[(start + 2)..<end]))
    if body.contains("${") { throw Failure(offset: start, message: "a variable inside another one is not possible") }
    if body.hasPrefix("file:") { return (try file(String(body.dropFirst(5)), offset: start, &paths), end + 1) }
    let name = String(body.prefix { Interpolator.isNameCharacter($0) })
    let rest = body.dropFirst(name.count)
    guard let first = name.first, !("0"..."9").contains(first), rest.isEmpty || rest.hasPrefix(":-") else {
      throw Failure(offset: start, message: "write ${NAME}, ${NAME:-default} or ${file:PATH}")
    }
    if let value = environment[name], !value.isEmpty || rest.isEmpty { return (value, end + 1) }
    guard !rest.isEmpty else {
      let hint = Suggestion.nearest(to: name, in: environment.keys.filter { $0.count > 3 }.sorted())
      let nearest = hint.map { " (\($0) is)" } ?? ""
      throw Failure(
        offset: start,
        message: "the environment variable \(name) is not set\(nearest); for a default write ${NAME:-default}")
    }
    return (String(rest.dropFirst(2)), end + 1)
  }

  private func file(_ path: String, offset: Int, _ paths: inout [String]) throws(Failure) -> String {
    guard !path.isEmpty else { throw Failure(offset: offset, message: "write ${file:PATH}") }
    let place = FileAccess.join(directory, path)
    paths.append(place)
    switch files.read(place, Interpolator.maxFileBytes) {
    case .failure(let problem):
      throw Failure(offset: offset, message: "the file \(path) \(problem.message)")
    case .success(let bytes):
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(offset: offset, message: "the file \(path) is not UTF-8 text")
      }
      // Secret files usually end with a line break that does not belong to the secret.
      return String(text.hasSuffix("\r\n") ? text.dropLast(1) : text.hasSuffix("\n") ? text.dropLast(1) : text[...])
    }
  }

  private static func isNameCharacter(_ character: Character) -> Bool {
    ("a"..."z").contains(character) || ("A"..."Z").contains(character) || ("0"..."9").contains(character)
      || character == "_"
  }
}
