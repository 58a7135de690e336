/// Which account stored which response, for all loops of the process: later requests about a response can be answered by
/// that account only, and only the access key that asked for the response finds it. Bounded: the oldest is forgotten
/// first.
package struct StoredResponses: Sendable {
  package static let defaultCapacity = 65_536

  private let capacity: Int
  private var accounts: [UInt64: UInt64] = [:]
  /// A ring of the keys in the order they came; some may be forgotten already.
  private var order: [UInt64] = []
  private var oldest = 0

  package init(capacity: Int = StoredResponses.defaultCapacity) {
    self.capacity = max(1, capacity)
  }

  package var count: Int { accounts.count }

  /// Ids are kept as hashes, seeded for each process, together with whose they are.
  ///
  /// - Parameter owner: of the access key; 0 where there are none.
  package static func key(_ id: String, owner: UInt64) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(id)
    hasher.combine(owner)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  package subscript(key: UInt64) -> UInt64? { accounts[key] }

  package mutating func remember(_ key: UInt64, account: UInt64) {
    guard accounts.updateValue(account, forKey: key) == nil else { return }
    if order.count < capacity { return order.append(key) }
    accounts[order[oldest]] = nil
    order[oldest] = key
    oldest = (oldest + 1) % capacity
    // The one that went may have been another turn of this one.
    accounts[key] = account
  }

  package mutating func forget(_ key: UInt64) { accounts[key] = nil }
}
