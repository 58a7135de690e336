import Foundation
import SluiceDialects
import SluicePolicy
import Testing

@Suite("Usage that no provider counted")
struct UsageEstimateTests {
  private func meter(_ dialect: ProviderDialect, _ operation: SluiceDialects.Operation, _ bytes: [UInt8]) -> StreamMeter
  {
    var meter = StreamMeter(dialect, operation)
    bytes.withSlice { meter.consume($0, now: Instant(nanoseconds: 0)) }
    return meter
  }

  private func chunks(_ texts: [String], end: String = "data: [DONE]\n\n") -> [UInt8] {
    let events = texts.map { #"data: {"choices":[{"index":0,"delta":{"content":"\#($0)"},"finish_reason":null}]}"# }
    let stop = #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#
    return Array(((events + [stop]).joined(separator: "\n\n") + "\n\n" + end).utf8)
  }

  @Test func aStreamWithoutUsageCountsItsEvents() throws {
    for count in [1, 2, 50] {
      let bytes = chunks((0..<count).map { "piece \($0)" })
      for dialect in [ProviderDialect.openai, try ProviderDialect(.local), try ProviderDialect(.huggingface)] {
        let meter = meter(dialect, .chat, bytes)
        #expect(meter.measure.usage == nil)
        let measure = meter.measure(promptTokens: 12)
        #expect(measure.usage == TokenUsage(input: 12, output: count))
        #expect(measure.isEstimate)
        #expect(measure.finish == .stop)
      }
    }
  }

  @Test func onlyOutputCounts() throws {
    let bytes = try Fixture.bytes("openai/chat-stream-no-usage.response.sse")
    #expect(meter(.openai, .chat, bytes).measure(promptTokens: 1).usage?.output == 1)
    let empty = meter(.openai, .chat, chunks([]))
    #expect(empty.measure(promptTokens: 1).usage == nil && !empty.measure(promptTokens: 1).isEstimate)
  }

  @Test func whatTheProviderCountedStands() throws {
    for (file, operation) in [
      ("openai/chat-stream.response.sse", .chat), ("anthropic/messages-stream.response.sse", .messages),
      ("openai/responses-stream.response.sse", .responses),
    ] as [(String, SluiceDialects.Operation)] {
      let dialect = UsageMeterTests.dialect(file)
      let measure = meter(dialect, operation, try Fixture.bytes(file)).measure(promptTokens: 9_999)
      #expect(measure.usage?.input != 9_999 && !measure.isEstimate, "\(file)")
    }
  }

  @Test func aStreamThatWasCutIsEstimatedAsFarAsItCame() throws {
    let bytes = chunks(["a", "b", "c"], end: "")
    let text = String(decoding: bytes, as: UTF8.self)
    let half = try #require(text.range(of: #""b""#)).upperBound
    let cut = Array(text[..<half].utf8)
    #expect(meter(.openai, .chat, cut).measure(promptTokens: 3).usage == TokenUsage(input: 3, output: 1))
    let delta = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"x\"}\n\n"
    let response = meter(.openai, .responses, Array((delta + delta).utf8))
    #expect(response.measure(promptTokens: 3).usage?.output == 2)
  }
}
