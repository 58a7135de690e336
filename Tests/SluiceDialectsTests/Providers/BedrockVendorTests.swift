import SluiceDialects
import SluicePolicy
import Testing

/// What passes through Bedrock in the words of vendors other than Anthropic, and the rarer words of AWS itself.
@Suite("Bedrock's vendors and rarer words")
struct BedrockVendorTests {
  private static let bedrock = try! ProviderDialect(.bedrock)

  private func stream(_ events: [String]) -> [UInt8] {
    events.flatMap { event in
      let payload: JSONValue = ["bytes": .string(Base64Text.encode(Array(event.utf8)))]
      return Array(AWSEventStream.event("chunk", Array(payload.jsonText.utf8)))
    }
  }

  private static let metrics =
    #""amazon-bedrock-invocationMetrics":{"inputTokenCount":21,"outputTokenCount":4,"cacheReadInputTokenCount":9}"#

  @Test func anotherVendorsStreamIsWholeWhereItEndsAndCountedByBedrock() {
    let bytes = stream([
      #"{"generation":"Pa"}"#, #"{"generation":"ris","stop_reason":"stop",\#(Self.metrics)}"#,
    ])
    for piece in [1, 50, bytes.count] {
      let meter = MoreProvidersTests.meter(Self.bedrock, .invokeStream, bytes, piece)
      #expect(meter.end == .complete && meter.firstTokenAt != nil)
      #expect(meter.measure.usage == TokenUsage(input: 30, output: 4, cachedInput: 9))
    }
    let failed =
      bytes + AWSEventStream.exception("throttlingException", Array(#"{"message":"Too many requests"}"#.utf8))
    #expect(MoreProvidersTests.meter(Self.bedrock, .invokeStream, failed, 64).end != .complete)
  }

  @Test func anthropicsStreamStillHasToEndByItsOwnWord() {
    let start = #"{"type":"message_start","message":{"usage":{"input_tokens":3}}}"#
    let delta = #"{"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}"#
    let cut = MoreProvidersTests.meter(Self.bedrock, .invokeStream, stream([start, delta]), 64)
    #expect(cut.end == .truncated)
  }

  @Test func cacheCountsHaveTwoNames() {
    let body =
      #"{"usage":{"inputTokens":10,"outputTokens":2,"cacheReadInputTokenCount":5,"cacheWriteInputTokenCount":3}}"#
    let usage = Array(body.utf8).withSlice { UsageMeter.measure(Self.bedrock, .converse, body: $0) }.usage
    #expect(usage == TokenUsage(input: 18, output: 2, cachedInput: 5, cacheWrite: 3))
  }

  @Test(arguments: [
    ("ThrottledException", FailureClass.rateLimited), ("RequestThrottledException", .rateLimited),
    ("SlowDown", .rateLimited), ("ProvisionedThroughputExceededException", .rateLimited),
    ("RequestTimeoutException", .timeout), ("AccessDenied", .credential),
  ])
  func whatTheSDKsKnowIsKnown(_ type: String, _ expected: FailureClass) {
    let body = #"{"__type":"com.amazon#\#(type)","message":"no"}"#
    #expect(ClassificationTests.classify(Self.bedrock, 400, Array(body.utf8)).failureClass == expected)
  }
}
