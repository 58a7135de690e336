/// A set of endpoints of one pool, by position, in 32 bytes and without allocation. A pool has at most
/// `EndpointSet.capacity` endpoints at a time.
public struct EndpointSet: Hashable, Sendable {
  private var word0: UInt64 = 0
  private var word1: UInt64 = 0
  private var word2: UInt64 = 0
  private var word3: UInt64 = 0

  /// Most positions in a set: 0…255.
  public static let capacity = 256

  /// The empty set.
  public init() {}

  /// A set of one; only the position counts, not the turn in which it is used.
  public init(_ endpoint: EndpointID) {
    insert(endpoint)
  }

  /// No position is in the set.
  public var isEmpty: Bool { word0 | word1 | word2 | word3 == 0 }

  /// Positions in the set: 0…256.
  public var count: Int {
    word0.nonzeroBitCount + word1.nonzeroBitCount + word2.nonzeroBitCount + word3.nonzeroBitCount
  }

  /// Compares positions; an endpoint of an earlier turn at the same position is taken for its successor.
  public func contains(_ endpoint: EndpointID) -> Bool { contains(position: endpoint.position) }
  /// Changes nothing if the position is in the set already.
  public mutating func insert(_ endpoint: EndpointID) { insert(position: endpoint.position) }
  /// Changes nothing if the position is not in the set.
  public mutating func remove(_ endpoint: EndpointID) { remove(position: endpoint.position) }

  /// Positions in either set.
  public func union(_ other: EndpointSet) -> EndpointSet {
    combined(with: other) { $0 | $1 }
  }

  /// Positions in both sets.
  public func intersection(_ other: EndpointSet) -> EndpointSet {
    combined(with: other) { $0 & $1 }
  }

  /// Positions in this set that are not in `other`.
  public func subtracting(_ other: EndpointSet) -> EndpointSet {
    combined(with: other) { $0 & ~$1 }
  }

  package func contains(position: Int) -> Bool {
    word(position >> 6) & (1 << UInt64(position & 63)) != 0
  }

  package mutating func insert(position: Int) {
    setWord(position >> 6, word(position >> 6) | (1 << UInt64(position & 63)))
  }

  package mutating func remove(position: Int) {
    setWord(position >> 6, word(position >> 6) & ~(1 << UInt64(position & 63)))
  }

  /// The lowest position in the set that is at least `start`.
  package func next(from start: Int) -> Int? {
    var index = start >> 6
    guard start < Self.capacity else { return nil }
    var bits = word(index) & (UInt64.max << UInt64(start & 63))
    while bits == 0 {
      index += 1
      if index == 4 { return nil }
      bits = word(index)
    }
    return index << 6 + bits.trailingZeroBitCount
  }

  private func combined(with other: EndpointSet, _ operation: (UInt64, UInt64) -> UInt64) -> EndpointSet {
    var result = EndpointSet()
    result.word0 = operation(word0, other.word0)
    result.word1 = operation(word1, other.word1)
    result.word2 = operation(word2, other.word2)
    result.word3 = operation(word3, other.word3)
    return result
  }

  private func word(_ index: Int) -> UInt64 {
    switch index {
    case 0: word0
    case 1: word1
    case 2: word2
    default: word3
    }
  }

  private mutating func setWord(_ index: Int, _ value: UInt64) {
    switch index {
    case 0: word0 = value
    case 1: word1 = value
    case 2: word2 = value
    default: word3 = value
    }
  }
}

extension EndpointSet: CustomStringConvertible {
  /// Positions in ascending order, as in `{0,3,17}`.
  public var description: String {
    var parts: [String] = []
    var position = next(from: 0)
    while let found = position {
      parts.append(String(found))
      position = next(from: found + 1)
    }
    return "{" + parts.joined(separator: ",") + "}"
  }
}
