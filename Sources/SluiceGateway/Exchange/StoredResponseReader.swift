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
      return .none
    }
    return count > 1 ? .several : found
  }

  /// The response that a provider's path names: `…/responses/{id}` and what is below.
  ///
  /// - Parameter path: as it was sent; providers may read it in more ways than one.
  package static func identifier(inPath path: ByteSlice) -> String? {
    let segments = PercentDecoding.decode(path).split(separator: "/").filter { $0 != "." }
    guard let place = segments.firstIndex(of: "responses"), place + 1 < segments.count else { return nil }
    let name = segments[place + 1]
    return name == "input_tokens" || name == "compact" ? nil : String(name)
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
