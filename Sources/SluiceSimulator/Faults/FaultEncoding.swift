import SluiceDialects

/// The faults in force as `GET /_simulator/faults` shows them: as they were set, with their hits.
extension FaultBook {
  func json(now: Int64) -> [UInt8] {
    var out = JSONWriter(reserving: 512)
    out.list(entries) { writer, entry in
      var members = entry.fault.kind.members
      if !entry.fault.match.isEmpty { members.append(("match", entry.fault.match.json)) }
      if entry.fault.rate != 1 { members.append(("rate", .double(entry.fault.rate))) }
      if let count = entry.fault.count { members.append(("count", .int(count))) }
      if let duration = entry.fault.duration { members.append(("duration", duration.json)) }
      members.append(("hits", .int(entry.hits)))
      members.append(("active", .bool(entry.isActive(now: now))))
      writer.value(.object(members.map { JSONMember(name: $0.0, value: $0.1) }))
    }
    return out.bytes
  }
}

extension SimulatorFault.Match {
  fileprivate var json: JSONValue {
    let conditions = [("provider", provider), ("key", key), ("path", path), ("model", model)]
    return .object(
      conditions.compactMap { name, text in text.map { JSONMember(name: name, value: .string($0)) } })
  }
}

extension SimulatorFault.Position {
  fileprivate var member: (String, JSONValue) {
    switch self {
    case .events(let number): ("after_events", .int(number))
    case .bytes(let number): ("after_bytes", .int(number))
    }
  }
}

extension Duration {
  fileprivate var json: JSONValue {
    .double(Double(FaultClock.nanoseconds(self)) / 1_000_000_000)
  }
}

extension SimulatorFault.Kind {
  fileprivate var members: [(String, JSONValue)] {
    [("kind", .string(label))] + parameters
  }

  private var parameters: [(String, JSONValue)] {
    switch self {
    case .refuse(let mode): [("mode", .string(mode.rawValue))]
    case .hang(let mode): [("mode", .string(mode.rawValue))]
    case .earlyClose(let mode): [("mode", .string(mode.rawValue))]
    case .reset(let position): [position.member]
    case .resetStream(let position, let error): [position.member, ("error", .string(error.rawValue))]
    case .goAway(let mode): [("mode", .string(mode.rawValue))]
    case .truncate(let position, let clean): [position.member, ("clean", .bool(clean))]
    case .stall(let position, let pause): [position.member] + (pause.map { [("for", $0.json)] } ?? [])
    case .streamError(let events): [("after_events", .int(events))]
    case .garbage(.head): [("mode", .string("head"))]
    case .garbage(.chunk(let events)): [("mode", .string("chunk")), ("after_events", .int(events))]
    case .drop(let after), .idleClose(let after): [("after", after.json)]
    case .halfClose: []
    case .slow(let first, let rate):
      [("first_byte", first.json)] + (rate.map { [("tokens_per_second", .double($0))] } ?? [])
    case .status(let status):
      [("status", .int(status.code))] + (status.retryAfter.map { [("retry_after", $0.json)] } ?? [])
        + (status.errorCode.map { [("code", .string($0))] } ?? [])
        + (status.message.map { [("message", .string($0))] } ?? [])
    }
  }
}
