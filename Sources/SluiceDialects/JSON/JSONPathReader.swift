/// A value found at a path.
package enum JSONLeaf: Hashable, Sendable {
  case string(JSONString)
  case number(ByteRange)
  case bool(Bool)
  case null
  /// The container's bytes, brackets included.
  case object(ByteRange)
  case array(ByteRange)

  /// An integer that fits an `Int`.
  package func int(in bytes: UnsafeRawBufferPointer) -> Int? {
    guard case .number(let range) = self else { return nil }
    return unsafe JSONNumber.int(range, in: bytes)
  }

  package func string(in bytes: UnsafeRawBufferPointer) -> String? {
    guard case .string(let string) = self else { return nil }
    return unsafe string.decoded(in: bytes)
  }

  package var bool: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }
}

/// Picks nested values out of a document without decoding it; the whole document is validated on the way.
package enum JSONPathReader {
  /// Calls `onValue` with a path's number for every value found there, in document order. A member that is repeated is
  /// reported each time.
  package static func read(
    _ bytes: UnsafeRawBufferPointer, _ paths: JSONPathSet, _ onValue: (Int, JSONLeaf) -> Void
  ) throws(JSONScanError) {
    guard bytes.count <= Int(Int32.max) else { throw JSONScanError(offset: Int(Int32.max), reason: .tooLong) }
    var walk = unsafe Walk(scanner: JSONScanner(bytes), nodes: paths.nodes)
    try walk.value(at: NodeSet(0), onValue)
    _ = try walk.scanner.next()
  }

  /// The first value of each path, nil where there is none or the document is broken.
  package static func first(_ bytes: UnsafeRawBufferPointer, _ paths: JSONPathSet) -> [JSONLeaf?] {
    var found = [JSONLeaf?](repeating: nil, count: paths.count)
    do throws(JSONScanError) {
      try unsafe read(bytes, paths) { path, leaf in
        if found[path] == nil { found[path] = leaf }
      }
    } catch {
      return [JSONLeaf?](repeating: nil, count: paths.count)
    }
    return found
  }
}

/// Recursion follows the paths, so it is as deep as the longest path, whatever the document.
private struct Walk {
  var scanner: JSONScanner
  let nodes: [JSONPathSet.Node]

  /// Reads the next value, at which the steps `here` have arrived.
  mutating func value(at here: NodeSet, _ onValue: (Int, JSONLeaf) -> Void) throws(JSONScanError) {
    guard !here.isEmpty else { return try scanner.skipValue() }
    let token = try scanner.next()
    let start = scanner.offset - 1
    switch token {
    case .beginObject: try object(here, onValue)
    case .beginArray: try array(here, onValue)
    case .string(let string): report(here, .string(string), onValue)
    case .number(let range): report(here, .number(range), onValue)
    case .bool(let value): report(here, .bool(value), onValue)
    case .null: report(here, .null, onValue)
    case .endObject, .endArray, .key, .end: break
    }
    let whole = ByteRange(start..<max(start, scanner.offset))
    if token == .beginObject { report(here, .object(whole), onValue) }
    if token == .beginArray { report(here, .array(whole), onValue) }
  }

  private mutating func object(_ here: NodeSet, _ onValue: (Int, JSONLeaf) -> Void) throws(JSONScanError) {
    while case .key(let key) = try scanner.next() {
      try value(at: steps(here) { $0.isWildcard || matches(key, $0.step) }, onValue)
    }
  }

  private mutating func array(_ here: NodeSet, _ onValue: (Int, JSONLeaf) -> Void) throws(JSONScanError) {
    var index = 0
    while try scanner.hasElement() {
      try value(at: steps(here) { $0.isWildcard || $0.index == index }, onValue)
      index += 1
    }
  }

  private func steps(_ here: NodeSet, _ isNext: (JSONPathSet.Node) -> Bool) -> NodeSet {
    var next = NodeSet()
    for node in here {
      for child in nodes[node].children where isNext(nodes[child]) { next.insert(child) }
    }
    return next
  }

  private func matches(_ key: JSONString, _ step: [UInt8]) -> Bool {
    if key.hasEscapes { return unsafe key.decoded(in: scanner.view.all).map { Array($0.utf8) == step } ?? false }
    let range = key.content.range
    return range.count == step.count && range.allSatisfy { scanner.view[$0] == step[$0 - range.lowerBound] }
  }

  private func report(_ here: NodeSet, _ leaf: JSONLeaf, _ onValue: (Int, JSONLeaf) -> Void) {
    for node in here {
      for path in nodes[node].paths { onValue(path, leaf) }
    }
  }
}
