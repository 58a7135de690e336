package import SluiceDialects
package import SluicePolicy

/// One finished request, for `/api/requests`: metadata only, never a byte of a prompt or an answer.
package struct RequestRecord: Sendable {
  static let maxModelBytes = 200

  package var id: RequestID
  /// On the gateway's monotonic clock.
  package var began: Instant
  package var surface: Surface?
  package var operation: Operation?
  /// As the client named it, cut to `maxModelBytes`.
  package var model: String
  /// Empty when no pool was asked.
  package var pool: String
  package var endpoint: String
  /// Name of the access key; empty for none.
  package var caller: String
  /// What the client got; 499 when it left before the answer.
  package var status: Int
  package var isStream: Bool
  /// Why it failed; empty for success.
  package var code: String
  package var duration: Interval
  /// Until the first token of a stream, or until a plain answer was there as a whole; zero is unknown, as for plain
  /// answers that are too long to be held.
  package var firstToken: Interval
  package var phases: PhaseClock
  package var counters: ExchangeCounters
  package var bytesIn: Int
  package var bytesOut: Int
  package var inputTokens: Int
  package var outputTokens: Int
  /// The provider did not say them.
  package var isEstimate: Bool

  /// Names in paths may be as long as the path.
  static func cut(model: String) -> String {
    guard model.utf8.count > maxModelBytes else { return model }
    return String(decoding: model.utf8.prefix(maxModelBytes), as: UTF8.self)
  }
}

/// The gateway's own name for one request: `x-sluice-request-id`.
package struct RequestID: Hashable, Sendable, CustomStringConvertible {
  package var value: UInt64

  package init(_ value: UInt64) {
    self.value = value
  }

  static let prefix: StaticString = "sluice_"
  static let textLength = 23

  /// `sluice_` and sixteen hexadecimal digits.
  package var description: String {
    var text: [UInt8] = []
    append(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  func append(to bytes: inout [UInt8]) {
    bytes.append(Self.prefix)
    // The digits in one piece, the highest first.
    var digits = InlineArray<16, UInt8>(repeating: 0)
    for index in 0..<16 {
      let nibble = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * index)) & 15
      digits[index] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
    }
    digits.span.withUnsafeBytes { bytes.append(contentsOf: $0) }
  }
}

/// The last records of one event loop.
struct RecordRing: Sendable {
  private var records: [RequestRecord] = []
  private var next = 0
  private let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
  }

  mutating func append(_ record: consuming RequestRecord) {
    if records.count < capacity {
      records.append(record)
    } else {
      records[next] = record
    }
    next = next + 1 < capacity ? next + 1 : 0
  }

  /// Oldest first.
  var all: [RequestRecord] {
    records.count < capacity ? records : Array(records[next...] + records[..<next])
  }
}
