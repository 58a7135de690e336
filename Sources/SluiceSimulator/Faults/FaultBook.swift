/// Durations as nanoseconds, the unit of the simulator's clock.
enum FaultClock {
  /// Saturates far beyond any sensible wait.
  static func nanoseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    guard seconds < 1_000_000_000 else { return 1_000_000_000_000_000_000 }
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}

/// The scripted faults in force. For each request the first matching fault of a phase whose rate says so is taken.
struct FaultBook {
  struct Entry {
    var fault: SimulatorFault
    var hits = 0
    var expiresAt: Int64?

    func isActive(now: Int64) -> Bool {
      hits < fault.count ?? .max && now < expiresAt ?? .max
    }
  }

  /// What a fault's conditions are compared with.
  struct Subject {
    var provider: String
    var key: String
    var path: String
    var model: String
  }

  private(set) var entries: [Entry] = []
  private var random: SeededRandom

  init(seed: UInt64) {
    random = SeededRandom(seed: seed, stream: 3)
  }

  mutating func set(_ faults: [SimulatorFault], now: Int64) {
    entries = faults.map { fault in
      Entry(fault: fault, expiresAt: fault.duration.map { now + FaultClock.nanoseconds($0) })
    }
  }

  var isEmpty: Bool { entries.isEmpty }

  /// Takes a hit of the first fault that applies; `nil` subject: at accept, where nothing is known yet.
  mutating func strike(_ phase: SimulatorFault.Kind.Phase, _ subject: Subject?, now: Int64) -> SimulatorFault.Kind? {
    for index in entries.indices {
      let entry = entries[index]
      guard entry.fault.kind.phase == phase, entry.fault.kind != .refuse(.listener), entry.isActive(now: now),
        Self.matches(entry.fault.match, subject), entry.fault.rate >= 1 || random.unit() < entry.fault.rate
      else { continue }
      entries[index].hits += 1
      return entry.fault.kind
    }
    return nil
  }

  /// When the listener may open again; `nil` if it need not be closed.
  func listenerClosedUntil(now: Int64) -> Int64? {
    entries.filter { $0.fault.kind == .refuse(.listener) && $0.isActive(now: now) }.map { $0.expiresAt ?? .max }.max()
  }

  private static func matches(_ match: SimulatorFault.Match, _ subject: Subject?) -> Bool {
    guard let subject else { return match.isEmpty }
    return (match.provider.map { $0 == subject.provider } ?? true)
      && (match.key.map { Glob.matches($0, subject.key) } ?? true)
      && (match.path.map { Glob.matches($0, subject.path) } ?? true)
      && (match.model.map { Glob.matches($0, subject.model) } ?? true)
  }
}

extension SimulatorFault {
  /// Says what is wrong with a fault nobody could carry out.
  func problem() -> String? {
    if !(rate >= 0 && rate <= 1) { return "rate must be between 0 and 1" }
    if let count, count < 1 { return "count must be at least 1" }
    if let duration, duration <= .zero { return "duration must be positive" }
    if let provider = match.provider, ProviderCall.Provider(rawValue: provider) == nil {
      return "provider must be one of \(ProviderCall.Provider.allCases.map(\.rawValue).joined(separator: ", "))"
    }
    if kind.phase == .accept, !match.isEmpty { return "\(kind.label) at accept cannot match on a request" }
    return kind.problem(self)
  }
}

extension SimulatorFault.Kind {
  fileprivate func problem(_ fault: SimulatorFault) -> String? {
    switch self {
    case .refuse(.listener) where fault.rate != 1 || fault.count != nil:
      return "a closed listener cannot count: use a duration, or the mode accept"
    case .status(let status):
      guard (400...599).contains(status.code) else { return "status must be between 400 and 599" }
      return status.retryAfter.map { $0 < .zero } == true ? "retry_after must not be negative" : nil
    case .reset(let position), .resetStream(let position, _), .truncate(let position, _), .stall(let position, _):
      return position.isNegative ? "a position must not be negative" : nil
    case .garbage(.chunk(let events)), .streamError(let events):
      return events < 0 ? "after_events must not be negative" : nil
    case .slow(let first, let rate):
      if first < .zero { return "first_byte must not be negative" }
      return rate.map { !($0 > 0 && $0.isFinite) } == true ? "tokens_per_second must be positive" : nil
    case .drop(let after), .idleClose(let after):
      if after < .zero { return "after must not be negative" }
      return label == "drop" && !PacketFilter.isAvailable ? "drop needs a packet filter, which only Linux has" : nil
    default: return nil
    }
  }
}

extension SimulatorFault.Position {
  fileprivate var isNegative: Bool {
    switch self {
    case .events(let number), .bytes(let number): number < 0
    }
  }
}
