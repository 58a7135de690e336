/// What happened, in the order it was decided: the last events and actions of one machine in a ring of fixed size.
/// Entries are plain numbers; text is made only when somebody reads them.
public struct EventJournal: Sendable {
  /// What an entry is about; decides what its numbers mean.
  public enum Kind: UInt8, CaseIterable, Sendable {
    case granted, queued, rejected, cancelled, released, staleRelease, staleEvent
    case connecting, opened, connectFailed, closing, closed, verifying, verified, capacity, resourceDraining
    case probing, probed, ejected, failing, recovered, cooling, cooled, credentialRejected
    case endpointDrained, endpointResumed, endpointReset, endpointRemoved, idleLimit
    case paused, resumed, draining, drained, poolClosed, reconfigured, clockJumped
    case heartbeat, heartbeatEnded, pathDied, regionChanged
  }

  /// One event or action, without text.
  public struct Entry: Hashable, Sendable {
    /// The instant that came with the call in which it was decided.
    public var at: Instant
    /// Gives `note`, `place`, `subject` and `detail` their meaning; `description` spells it out.
    public var kind: Kind
    /// Raw value of a reason, failure class or flag; depends on the kind.
    public var note: UInt8
    /// Position of the endpoint or origin.
    public var place: UInt16
    /// Index of the resource, lease or ticket; depends on the kind.
    public var subject: UInt32
    /// A second number; depends on the kind.
    public var detail: UInt32
  }

  private var entries: [Entry] = []
  private var capacity: Int
  private var position = 0
  /// Entries ever written.
  public private(set) var written: UInt64 = 0

  init(capacity: Int) {
    self.capacity = capacity
    entries.reserveCapacity(capacity)
  }

  /// `false` with `PoolSettings.journalEntries` of 0: nothing is written.
  public var isEnabled: Bool { capacity > 0 }
  /// Entries that can be read now; at most `PoolSettings.journalEntries`.
  public var count: Int { entries.count }

  @inline(__always)
  mutating func record(
    _ kind: Kind, _ now: Instant, note: UInt8 = 0, place: Int = 0, subject: UInt32 = 0, detail: UInt32 = 0
  ) {
    if capacity == 0 { return }
    let entry = Entry(
      at: now, kind: kind, note: note, place: UInt16(truncatingIfNeeded: place), subject: subject, detail: detail)
    if entries.count < capacity {
      entries.append(entry)
    } else {
      entries[position] = entry
    }
    position = position + 1 == capacity ? 0 : position + 1
    written &+= 1
  }

  /// Changes the size; the newest entries are kept.
  mutating func resize(_ capacity: Int) {
    if capacity == self.capacity { return }
    let kept = Array(ordered.suffix(capacity))
    self.capacity = capacity
    entries = kept
    entries.reserveCapacity(capacity)
    position = capacity == 0 ? 0 : kept.count % capacity
  }

  /// Oldest first.
  public var ordered: [Entry] {
    entries.count < capacity ? entries : Array(entries[position...] + entries[..<position])
  }

  /// One line per entry, oldest first.
  public var dump: String {
    ordered.map(\.description).joined(separator: "\n")
  }
}

extension EventJournal.Entry: CustomStringConvertible {
  /// Instant in seconds, kind, and the numbers in words, on one line.
  public var description: String {
    let what =
      switch kind {
      case .granted: "resource \(subject) for endpoint \(place), lease \(detail)"
      case .queued: "ticket \(subject)"
      case .rejected: "\(label(RejectionReason.init, \.label)), ticket \(subject == .max ? "none" : "\(subject)")"
      case .cancelled: "ticket \(subject)"
      case .released: "lease \(subject) of endpoint \(place)"
      case .staleRelease: "lease \(subject).\(detail)"
      case .staleEvent: "handle \(subject).\(detail)"
      case .connecting: "resource \(subject) to origin \(place) on loop \(detail)"
      case .opened: "resource \(subject) of origin \(place), \(detail) slots"
      case .connectFailed: "resource \(subject) of origin \(place): \(label(FailureClass.init, \.label))"
      case .closing, .closed: "resource \(subject) of origin \(place): \(label(CloseReason.init, \.label))"
      case .verifying, .resourceDraining: "resource \(subject) of origin \(place)"
      case .verified: "resource \(subject) of origin \(place): \(note == 1 ? "alive" : "dead")"
      case .capacity: "resource \(subject): \(detail) slots"
      case .probed: "endpoint \(place): \(note == 0 ? "well" : "not well")"
      case .credentialRejected: "endpoint \(place): \(label(FailureClass.init, \.label))"
      case .cooling: "endpoint \(place) for \(detail) ms"
      case .idleLimit, .pathDied: "origin \(place): \(detail) ms"
      case .heartbeat: "endpoint \(place) on resource \(subject)"
      case .heartbeatEnded:
        "endpoint \(place): \(note == 0 ? "well" : FailureClass(rawValue: note - 1)?.label ?? "not well")"
      case .clockJumped: "\(detail) ms"
      case .regionChanged: "region \(place) serves"
      case .probing, .ejected, .failing, .recovered, .cooled, .endpointDrained, .endpointResumed, .endpointReset,
        .endpointRemoved:
        "endpoint \(place)"
      case .paused, .resumed, .draining, .drained, .poolClosed, .reconfigured: "pool"
      }
    return "\(at) \(kind) \(what)"
  }

  private func label<Value>(_ make: (UInt8) -> Value?, _ path: KeyPath<Value, String>) -> String {
    make(note).map { $0[keyPath: path] } ?? "\(note)"
  }
}
