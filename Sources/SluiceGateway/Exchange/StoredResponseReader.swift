package import SluiceDialects

/// Finds the ids of stored responses in bodies and answers.
///
/// In a stream the first events name the response; reading stops as soon as one did, or after `maxEvents`.
package struct StoredResponseReader {
  static let maxEvents = 16
  /// Longer ones are not kept: no provider has them.
  static let maxBytes = 256

  private static let previousPath = JSONPathSet(["previous_response_id"])

  private var parser = SSEParser()
  private var events = 0
  private var isDone = false

  package init() {}

  /// The id of the response that a stream brings, once.
  package mutating func consume(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard !isDone else { return nil }
    var found: String?
    var seen = events
    do throws(SSEError) {
      try parser.consume(bytes) { event in
        seen += 1
        if found == nil, seen <= Self.maxEvents { found = Self.identifier(event.data, within: "response") }
      }
    } catch {
      isDone = true
    }
    events = seen
    if found != nil || events >= Self.maxEvents { isDone = true }
    return found
  }

  /// The id of a response, from the whole answer or its beginning.
  package static func answer(_ bytes: UnsafeRawBufferPointer) -> String? { identifier(bytes, within: nil) }

  /// What a request's body says about the response that it continues.
  package enum Previous: Hashable {
    case none
    case response(String)
    /// More than one: readers of JSON differ about which counts.
    case several
    /// Not JSON as it is read here, which need not keep a provider from reading it.
    case unreadable
  }

  package static func previous(_ bytes: UnsafeRawBufferPointer) -> Previous {
    var found = Previous.none
    var count = 0
    do throws(JSONScanError) {
      try JSONPathReader.read(bytes, previousPath) { _, leaf in
        count += 1
        if let id = leaf.string(in: bytes) { found = .response(id) }
      }
    } catch {
      return .unreadable
    }
    return count > 1 ? .several : found
  }

  /// What a provider's path is about, as far as stored responses go.
  package enum Place: Hashable {
    case elsewhere
    /// `…/responses`, or what is below it without being one.
    case responses
    /// `…/responses/{id}` and what is below.
    case response(String)
    /// Its segments go back up: which place is meant depends on who reads it.
    case ambiguous
  }

  /// - Parameter path: as it was sent; providers may read it in more ways than one.
  package static func place(inPath path: ByteSlice) -> Place {
    let decoded = PercentDecoding.decode(path)
    guard !goesUp(decoded) else { return .ambiguous }
    let segments = decoded.split(separator: "/").filter { $0 != "." }
    guard let place = segments.firstIndex(of: "responses") else { return .elsewhere }
    guard place + 1 < segments.count else { return .responses }
    let name = segments[place + 1]
    return name == "input_tokens" || name == "compact" ? .responses : .response(String(name))
  }

  /// Whether a path has `..` in it, also where it is escaped twice, separated by backslashes, or has parameters.
  private static func goesUp(_ path: String) -> Bool {
    var path = path
    let again = Array(path.utf8).withSlice { PercentDecoding.decode($0) }
    if again != path { path += "/" + again }
    return path.split { $0 == "/" || $0 == "\\" }.contains { $0.prefix { $0 != ";" } == ".." }
  }

  private static func identifier(_ bytes: UnsafeRawBufferPointer, within member: StaticString?) -> String? {
    var scanner = JSONScanner(bytes)
    do {
      guard case .beginObject = try scanner.next() else { return nil }
      if let member {
        guard try find(member, &scanner, bytes), case .beginObject = try scanner.next() else { return nil }
      }
      guard try find("id", &scanner, bytes), case .string(let id) = try scanner.next(),
        id.content.count <= maxBytes
      else { return nil }
      return id.decoded(in: bytes)
    } catch {
      return nil
    }
  }

  /// Goes to the value of a member of the object that the scanner is in.
  private static func find(
    _ member: StaticString, _ scanner: inout JSONScanner, _ bytes: UnsafeRawBufferPointer
  ) throws(JSONScanError) -> Bool {
    while case .key(let key) = try scanner.next() {
      if key.equals(member, in: bytes) { return true }
      try scanner.skipValue()
    }
    return false
  }
}
