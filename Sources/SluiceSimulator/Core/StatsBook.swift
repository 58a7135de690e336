import SluiceDialects

/// Keeps the counters; all methods are called on the simulator's loop.
struct StatsBook {
  private(set) var stats = SimulatorStats()
  private static let maxKeys = 1_024

  mutating func reset() {
    let open = stats.connections.open
    let concurrent = stats.requests.concurrent
    stats = SimulatorStats()
    stats.connections.open = open
    stats.connections.peak = open
    stats.requests.concurrent = concurrent
    stats.requests.peak = concurrent
  }

  mutating func connectionOpened() {
    stats.connections.opened += 1
    stats.connections.open += 1
    stats.connections.peak = max(stats.connections.peak, stats.connections.open)
  }

  mutating func connectionClosed() {
    stats.connections.open -= 1
  }

  mutating func connectionRefused() {
    stats.connections.refused += 1
  }

  mutating func connectionDropped() {
    stats.connections.dropped += 1
  }

  mutating func connectionSpeaksHTTP2() {
    stats.connections.http2 += 1
  }

  mutating func received(_ bytes: Int) {
    stats.bytesReceived += bytes
  }

  mutating func sent(_ bytes: Int) {
    stats.bytesSent += bytes
  }

  mutating func requestBegan(key: String, path: String) {
    stats.requests.total += 1
    stats.requests.concurrent += 1
    stats.requests.peak = max(stats.requests.peak, stats.requests.concurrent)
    let name = KeyName.shortened(key)
    let isRoom = stats.requests.byKey[name] != nil || stats.requests.byKey.count < Self.maxKeys
    stats.requests.byKey[isRoom ? name : "other", default: 0] += 1
    stats.requests.byPath[path, default: 0] += 1
  }

  mutating func answered(status: Int) {
    stats.requests.byStatus[status, default: 0] += 1
  }

  mutating func rateLimited() {
    stats.requests.rateLimited += 1
  }

  mutating func requestCompleted() {
    stats.requests.concurrent -= 1
    stats.requests.completed += 1
  }

  /// The exchange ended by a fault of ours.
  mutating func requestBroken() {
    stats.requests.concurrent -= 1
  }

  mutating func requestCancelled(midStream: Bool) {
    stats.requests.concurrent -= 1
    if midStream { stats.cancelled.midStream += 1 } else { stats.cancelled.beforeFirstByte += 1 }
  }

  mutating func faultHit(_ kind: SimulatorFault.Kind) {
    stats.faultHits[kind.label, default: 0] += 1
  }
}

extension SimulatorStats {
  /// The counters as `GET /_simulator/stats` shows them.
  public var json: String {
    func table(_ counts: [String: Int]) -> JSONValue {
      .object(counts.sorted { $0.key < $1.key }.map { JSONMember(name: $0.key, value: .int($0.value)) })
    }
    func object(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
      .object(members.map { JSONMember(name: $0.key, value: $0.value) })
    }
    let statuses = Dictionary(uniqueKeysWithValues: requests.byStatus.map { (String($0.key), $0.value) })
    return object([
      "connections": object([
        "opened": .int(connections.opened), "open": .int(connections.open), "peak": .int(connections.peak),
        "refused": .int(connections.refused), "dropped": .int(connections.dropped),
        "http2": .int(connections.http2),
      ]),
      "requests": object([
        "total": .int(requests.total), "concurrent": .int(requests.concurrent), "peak": .int(requests.peak),
        "completed": .int(requests.completed), "rate_limited": .int(requests.rateLimited),
        "by_key": table(requests.byKey), "by_path": table(requests.byPath), "by_status": table(statuses),
      ]),
      "cancelled": object([
        "before_first_byte": .int(cancelled.beforeFirstByte), "mid_stream": .int(cancelled.midStream),
      ]),
      "bytes": object(["received": .int(bytesReceived), "sent": .int(bytesSent)]),
      "fault_hits": table(faultHits),
    ]).jsonText
  }
}
