package import SluicePolicy

/// Which endpoints have refused which model: keys that may not use it, or do not have it. Their other models are not
/// concerned, so the pool goes on lending them; for this model others are asked first.
///
/// A refusal is believed for as long as its answer asked, else for `memory`, and at most that: rights and models come and
/// go. An answer that succeeds ends it at once. When everybody has refused one is asked all the same.
///
/// Bounded: `capacity` pairs of pool and model with up to `EndpointSet.capacity` endpoints each; the one that was not
/// refused longest goes first. Nothing is looked up while nothing is remembered.
package struct ModelRefusals: Sendable {
  /// What is refused.
  package struct Subject: Hashable, Sendable {
    /// Tells pools apart.
    package var pool: Int
    /// Hash of the model's name.
    package var model: UInt64

    package init(pool: Int, model: UInt64) {
      self.pool = pool
      self.model = model
    }
  }

  package static let memory = Interval.minutes(10)
  /// For limits of the model that do not say when they end.
  package static let limitMemory = Interval.seconds(10)

  fileprivate struct Refusal: Sendable {
    var endpoint: EndpointID
    var until: Instant
  }

  fileprivate struct Record: Sendable {
    var refusals: [Refusal] = []
    var lastRefusal = Instant.distantPast
  }

  private let capacity: Int
  private var records: [Subject: Record] = [:]

  package init(capacity: Int = 256) { self.capacity = max(1, capacity) }

  package var isEmpty: Bool { records.isEmpty }
  /// Pairs of pool and model that are remembered.
  package var count: Int { records.count }

  /// - Parameter wait: what the answer asked for.
  package mutating func refused(
    _ subject: Subject, by endpoint: EndpointID, as failure: FailureClass, wait: Interval?, now: Instant
  ) {
    let usual = failure == .rateLimited ? Self.limitMemory : Self.memory
    let span = min(wait ?? usual, Self.memory)
    guard span > .zero else { return }
    if records[subject] == nil, records.count >= capacity { makeRoom(now) }
    records[subject, default: Record()].add(Refusal(endpoint: endpoint, until: now + span), now)
  }

  /// It does serve the model.
  package mutating func served(_ subject: Subject, by endpoint: EndpointID) {
    guard !records.isEmpty, records[subject] != nil else { return }
    records[subject]?.refusals.removeAll { $0.endpoint.position == endpoint.position }
    if records[subject]?.refusals.isEmpty == true { records[subject] = nil }
  }

  /// Endpoints that had better not be asked now.
  package mutating func refusing(_ subject: Subject, now: Instant) -> EndpointSet {
    guard !records.isEmpty, let record = records[subject] else { return EndpointSet() }
    var set = EndpointSet()
    var isOver = true
    for refusal in record.refusals where refusal.until > now {
      set.insert(refusal.endpoint)
      isOver = false
    }
    if isOver { records[subject] = nil }
    return set
  }

  private mutating func makeRoom(_ now: Instant) {
    records = records.filter { $0.value.refusals.contains { $0.until > now } }
    guard records.count >= capacity, let oldest = records.min(by: { $0.value.lastRefusal < $1.value.lastRefusal })
    else { return }
    records[oldest.key] = nil
  }
}

extension ModelRefusals.Record {
  /// A place is taken by one endpoint at a time, which bounds the list.
  fileprivate mutating func add(_ refusal: ModelRefusals.Refusal, _ now: Instant) {
    refusals.removeAll { $0.endpoint.position == refusal.endpoint.position }
    refusals.append(refusal)
    lastRefusal = now
  }
}
