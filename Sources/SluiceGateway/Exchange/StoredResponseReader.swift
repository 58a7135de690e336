import SluiceDialects

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

  /// The response that a request continues, from a body that is valid JSON.
  package static func previous(_ bytes: UnsafeRawBufferPointer) -> String? {
    JSONPathReader.first(bytes, previousPath)[0]?.string(in: bytes)
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
