import Foundation
import SluiceDialects
import SluiceGateway
import SluicePolicy

/// One finished request as `/api/requests` tells it: metadata, never a byte of a prompt or an answer.
struct RequestDocument: Encodable {
  struct Tokens: Encodable {
    var input: Int, output: Int
    /// The provider did not count them.
    var estimated: Bool
  }

  var id: String, time: Double
  var surface: String?, operation: String?
  var model: String, pool: String, endpoint: String, caller: String, code: String
  var status: Int, attempts: Int, retries: Int, replays: Int
  var stream: Bool
  var duration_ms: Double, first_token_ms: Double?
  var phases_ms: [String: Double]
  var bytes_in: Int, bytes_out: Int
  var tokens: Tokens

  /// `now` and `date` are the same moment on both clocks; `time` is in milliseconds since 1970.
  init(_ record: RequestRecord, now: Instant, date: Date) {
    id = record.id.description
    time = (date.timeIntervalSince1970 * 1000 - (now - record.began).milliseconds).rounded()
    surface = record.surface?.label
    operation = record.operation?.label
    model = record.model
    pool = record.pool
    endpoint = record.endpoint
    caller = record.caller
    code = record.code
    status = record.status
    attempts = record.counters.sent
    retries = record.counters.retries
    replays = record.counters.replays
    stream = record.isStream
    duration_ms = record.duration.milliseconds
    first_token_ms = record.firstToken > .zero ? record.firstToken.milliseconds : nil
    phases_ms = Dictionary(
      PhaseClock.Phase.allCases.map { ("\($0.label)", record.phases[$0].milliseconds) },
      uniquingKeysWith: { first, _ in first })
    bytes_in = record.bytesIn
    bytes_out = record.bytesOut
    tokens = Tokens(input: record.inputTokens, output: record.outputTokens, estimated: record.isEstimate)
  }
}
