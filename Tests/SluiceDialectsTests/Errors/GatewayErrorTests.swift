import Foundation
import SluiceDialects
import SluicePolicy
import Testing

@Suite("Gateway errors in each surface's shape")
struct GatewayErrorTests {
  static func object(_ bytes: some Sequence<UInt8>) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
  }

  @Test("every code has an answer", arguments: GatewayErrorCode.allCases)
  func everyCode(_ code: GatewayErrorCode) throws {
    let error = GatewayError(code)
    #expect((400...504).contains(code.status))
    #expect(error.message.count > 10)
    let openai = try Self.object(GatewayErrorBody.render(.openai, error))["error"] as? [String: Any]
    #expect(openai?["code"] as? String == code.rawValue)
    #expect(openai?["message"] as? String == error.message)
    #expect(openai?["type"] is String)
    #expect(openai?["param"] is NSNull)
    let anthropic = try Self.object(GatewayErrorBody.render(.anthropic, error, requestID: "req-1"))
    #expect(anthropic["type"] as? String == "error")
    #expect(anthropic["request_id"] as? String == "req-1")
    let inner = anthropic["error"] as? [String: Any]
    #expect(inner?["type"] is String)
    #expect((inner?["details"] as? [String: Any])?["error_code"] as? String == code.rawValue)
  }

  @Test func codesAreUniqueAndStable() {
    #expect(Set(GatewayErrorCode.allCases.map(\.rawValue)).count == GatewayErrorCode.allCases.count)
    #expect(GatewayErrorCode.unknownModel.rawValue == "model_not_found")
    #expect(GatewayErrorCode.invalidAccessKey.rawValue == "invalid_api_key")
    #expect(GatewayErrorCode.rateLimited.rawValue == "rate_limit_exceeded")
    #expect(GatewayErrorCode.firstByteTimeout.rawValue == "timeout_first_byte")
  }

  @Test func hostileTextStaysText() throws {
    let nasty = "a\"b\\c\n\r\t\u{0}\u{1F}\u{7F}é\u{2028}</script>"
    let body = GatewayErrorBody.render(.openai, GatewayError(.unknownModel, message: nasty, param: nasty))
    let error = try Self.object(body)["error"] as? [String: Any]
    #expect(error?["message"] as? String == nasty)
    #expect(error?["param"] as? String == nasty)
    let event = GatewayErrorBody.streamEvent(.anthropic, .messages, GatewayError(.upstreamBroke, message: nasty))
    #expect(event.filter { $0 == 0x0A }.count == 3)
    #expect(!event.contains(0x0D))
  }

  @Test func streamEventsAreOnesTheMetersUnderstand() {
    let rows: [(ProviderDialect, Surface, SluiceDialects.Operation)] = [
      (.openai, .openai, .chat), (.openai, .openai, .responses), (.anthropic, .anthropic, .messages),
    ]
    for (dialect, surface, operation) in rows {
      let event = GatewayErrorBody.streamEvent(surface, operation, GatewayError(.upstreamBroke), sequenceNumber: 12)
      var meter = StreamMeter(dialect, operation)
      event.withSlice { meter.consume($0, now: Instant(nanoseconds: 0)) }
      #expect(meter.measure.failure != nil)
      #expect(meter.isAtEventBoundary)
      #expect(!meter.isComplete)
    }
    let chat = String(
      decoding: GatewayErrorBody.streamEvent(.openai, .chat, GatewayError(.upstreamBroke)), as: UTF8.self)
    #expect(chat.hasPrefix("data: {\"error\":{"))
    let responses = String(
      decoding: GatewayErrorBody.streamEvent(.openai, .responses, GatewayError(.upstreamBroke), sequenceNumber: 12),
      as: UTF8.self)
    #expect(responses.hasPrefix("event: error\ndata: {\"type\":\"error\","))
    #expect(responses.contains("\"sequence_number\":12"))
  }

  @Test func retryHeadersRoundUp() {
    var head: [UInt8] = []
    GatewayErrorBody.appendRetryHeaders(
      GatewayError(.rateLimited, retryAfter: .microseconds(1_000_001), shouldRetry: false), to: &head)
    #expect(
      String(decoding: head, as: UTF8.self) == "retry-after: 2\r\nretry-after-ms: 1001\r\nx-should-retry: false\r\n")
    head = []
    GatewayErrorBody.appendRetryHeaders(GatewayError(.upstreamBroke), to: &head)
    #expect(head.isEmpty)
  }

  @Test func unknownModelsNameTheNearest() {
    let error = GatewayError.unknownModel("gtp", suggestions: ["gpt-4o", "gpt-5"])
    #expect(error.message.contains("'gtp'") && error.message.contains("gpt-4o, gpt-5"))
    #expect(GatewayError.unknownModel(String(repeating: "x", count: 9999), suggestions: []).message.count < 400)
  }
}
