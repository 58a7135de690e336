import SluiceDialects
import SluicePolicy
import Testing

@Suite("Answers on providers' own paths")
struct NativeAnswerTests {
  private static let tgi: [ProviderDialect] = [
    try! ProviderDialect(.local, options: ProviderOptions(["server": .text("tgi")])),
    try! ProviderDialect(.huggingface, options: ProviderOptions(["endpoint": .text("tgi")])),
  ]

  private func operation(_ dialect: ProviderDialect, _ path: String, _ query: String? = nil) -> SluiceDialects.Operation
  {
    withBytes(path) { path in
      guard let query else { return dialect.operation(ofNative: path, query: nil) }
      return withBytes(query) { dialect.operation(ofNative: path, query: $0) }
    }
  }

  @Test func pathsAreRecognised() throws {
    for dialect in Self.tgi {
      for path in ["/generate", "/generate_stream", "/"] { #expect(operation(dialect, path) == .tgiGenerate) }
      #expect(operation(dialect, "/tokenize") == .native)
      #expect(operation(dialect, "/v1/chat/completions") == .chat)
    }
    #expect(operation(try ProviderDialect(.local), "/generate") == .native)
    #expect(operation(.openai, "/v1/chat/completions") == .chat)
    #expect(operation(.openai, "/chat/completions") == .chat)
    #expect(operation(.openai, "/v1/files") == .native)
    #expect(operation(.openai, "/v1/models") == .native)
    #expect(operation(.anthropic, "/v1/messages") == .messages)
    #expect(operation(.anthropic, "/v1/chat/completions") == .native)
    let gemini = try ProviderDialect(.gemini)
    #expect(operation(gemini, "/v1beta/models/m:streamGenerateContent", "alt=sse") == .streamGenerateContent)
    #expect(operation(gemini, "/v1beta/models/m:streamGenerateContent") == .streamGenerateArray)
    #expect(operation(try ProviderDialect(.bedrock), "/model/m/invoke") == .invoke)
  }

  @Test("TGI's whole answers", arguments: tgi)
  func wholeAnswers(_ dialect: ProviderDialect) throws {
    let body = try Fixture.bytes("tgi/generate.response.json")
    let list = Array("[".utf8) + body + Array("]".utf8)
    for document in [body, list] {
      let measure = document.withSlice { UsageMeter.measure(dialect, .tgiGenerate, body: $0) }
      #expect(measure.usage?.output == 2 && measure.finish == .stop && measure.failure == nil)
    }
    let head = "HTTP/1.1 200 X\r\nx-prompt-tokens: 11\r\nx-generated-tokens: 3\r\ncontent-length: 0\r\n\r\n"
    let counted = withHead(Array(head.utf8)) { _, headers in
      withBytes(#"{"generated_text":"Paris"}"#) {
        UsageMeter.measure(dialect, .tgiGenerate, headers: headers, body: $0)
      }
    }
    #expect(counted?.usage == TokenUsage(input: 11, output: 3))
  }

  @Test("TGI's streams, however they are cut", arguments: tgi)
  func streams(_ dialect: ProviderDialect) throws {
    for (file, isWhole) in [
      ("generate-stream", true), ("generate-stream-nospace", true), ("generate-stream-error", false),
    ] {
      let bytes = try Fixture.bytes("tgi/\(file).response.sse")
      for size in [1, 7, bytes.count] {
        var meter = StreamMeter(dialect, .tgiGenerate)
        for start in stride(from: 0, to: bytes.count, by: size) {
          Array(bytes[start..<min(bytes.count, start + size)]).withSlice {
            meter.consume($0, now: Instant(nanoseconds: 1))
          }
        }
        #expect(meter.firstTokenAt != nil && meter.isComplete == isWhole, "\(file)")
        #expect((meter.measure.failure?.failureClass == .server) == !isWhole, "\(file)")
        if isWhole { #expect(meter.end == .complete && (meter.measure.usage?.output ?? 0) > 0, "\(file)") }
      }
      let cut = Array(bytes.prefix(bytes.count / 2))
      var meter = StreamMeter(dialect, .tgiGenerate)
      cut.withSlice { meter.consume($0, now: Instant(nanoseconds: 1)) }
      #expect(meter.end == .truncated, "\(file)")
    }
  }

  @Test func bedrockCountsInHeaders() throws {
    let head =
      "HTTP/1.1 200 X\r\nX-Amzn-Bedrock-Input-Token-Count: 7\r\nx-amzn-bedrock-output-token-count: 0\r\ncontent-length: 0\r\n\r\n"
    let bedrock = try ProviderDialect(.bedrock)
    let measure = withHead(Array(head.utf8)) { _, headers in
      withBytes(#"{"embedding":[0.5]}"#) { UsageMeter.measure(bedrock, .invoke, headers: headers, body: $0) }
    }
    #expect(measure?.usage?.input == 7)
  }
}
