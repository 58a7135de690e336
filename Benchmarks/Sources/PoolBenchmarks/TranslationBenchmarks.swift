import SluiceDialects

/// Streams carried between protocols, priced per event of the provider: each event comes as a piece of its own, as chunks
/// of HTTP do, and is cut out once for the meter and the translation, as in the gateway. `meter` is what every stream
/// costs, translated or not.
enum TranslationBenchmarks {
  static func run(_ measurements: inout Measurements) {
    for (name, delta) in [("text", openAIText), ("arguments", openAICall)] {
      stream(
        &measurements, "translate: \(name) from OpenAI to Anthropic", .messages, to: "openai",
        begin: openAIBegin, each: openAI(delta))
    }
    for (name, delta) in [("text", anthropicText), ("arguments", anthropicCall)] {
      stream(
        &measurements, "translate: \(name) from Anthropic to OpenAI", .chat, to: "anthropic",
        begin: anthropicBegin, each: anthropic(delta))
    }
    meter(&measurements, "meter: text from OpenAI", "openai", .chat, openAIBegin, openAI(openAIText))
    meter(&measurements, "meter: text from Anthropic", "anthropic", .messages, anthropicBegin, anthropic(anthropicText))
  }

  private static func stream(
    _ measurements: inout Measurements, _ name: String, _ operation: SluiceDialects.Operation, to provider: String,
    begin: [String], each: String
  ) {
    let (translation, dialect) = (translation(operation, to: provider), dialect(provider))
    let piece = Array(each.utf8)
    measurements.measure(name, operations: streams * events, bytes: piece.count * streams * events) {
      for _ in 0..<streams {
        guard var turned = Turned(translation, dialect) else { fatal("no stream") }
        for text in begin { Array(text.utf8).withSlice { turned.consume($0) } }
        for _ in 0..<events {
          turned.out.removeAll(keepingCapacity: true)
          piece.withSlice { turned.consume($0) }
          if turned.out.isEmpty { fatal("nothing came of an event") }
        }
        if turned.stream.problem != nil { fatal("the stream broke off") }
      }
    }
  }

  /// What the gateway does with each piece.
  private struct Turned {
    var meter: StreamMeter
    var stream: StreamTranslation
    var out: [UInt8] = []

    init?(_ translation: Translation, _ dialect: ProviderDialect) {
      guard let stream = translation.stream(.serverSentEvents) else { return nil }
      self.stream = stream
      meter = StreamMeter(dialect, translation.operation, .serverSentEvents)
    }

    mutating func consume(_ bytes: ByteSlice) {
      Self.consume(bytes, &meter, &stream)
      stream.endPiece(isReadable: !meter.isBlind, into: &out)
    }

    private static func consume(_ bytes: ByteSlice, _ meter: inout StreamMeter, _ stream: inout StreamTranslation) {
      meter.consume(bytes, now: PolicyBenchmarks.now) { stream.read(event: $0, data: $1) }
    }
  }

  private static func meter(
    _ measurements: inout Measurements, _ name: String, _ provider: String, _ operation: SluiceDialects.Operation,
    _ begin: [String], _ each: String
  ) {
    let dialect = dialect(provider)
    let piece = Array(each.utf8)
    measurements.measure(name, operations: streams * events, bytes: piece.count * streams * events) {
      for _ in 0..<streams {
        var meter = StreamMeter(dialect, operation)
        for text in begin { Array(text.utf8).withSlice { meter.consume($0, now: PolicyBenchmarks.now) } }
        for _ in 0..<events { piece.withSlice { meter.consume($0, now: PolicyBenchmarks.now) } }
        if meter.eventCount < events { fatal("events were missed") }
      }
    }
  }

  private static func translation(_ operation: SluiceDialects.Operation, to provider: String) -> Translation {
    let text = #"{"model":"m","max_tokens":400,"stream":true,"messages":[{"role":"user","content":"Tell a story."}]}"#
    let dialect = dialect(provider)
    let result = Array(text.utf8).withSlice { body in
      Result {
        try Translation(
          Translation.Source(operation, body: body, model: "m", streams: true), to: dialect,
          ChatTarget(provider: dialect.provider, model: "m"),
          reply: ReplyFacts(model: "m", id: "018f-bench", created: 1_700_000_000))
      }
    }
    guard case .success(let translation) = result else { fatal("request") }
    return translation
  }

  private static func dialect(_ name: String) -> ProviderDialect {
    guard let provider = Provider(rawValue: name), let dialect = try? ProviderDialect(provider) else { fatal(name) }
    return dialect
  }

  private static func fatal(_ what: String) -> Never { preconditionFailure("benchmark: \(what)") }
}

// What the providers send.
extension TranslationBenchmarks {
  private static let streams = 10
  private static let events = 10_000

  private static let openAIText = #"{"content":" pooling"}"#
  private static let openAICall = #"{"tool_calls":[{"index":0,"function":{"arguments":" \"Oslo\","}}]}"#

  private static func openAI(_ delta: String) -> String {
    #"data: {"id":"chatcmpl-AbCdEf0123456789AbCdEf012345","object":"chat.completion.chunk","created":1700000000,"#
      + #""model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_0123456789","#
      + #""choices":[{"index":0,"delta":\#(delta),"logprobs":null,"finish_reason":null}],"usage":null}"# + "\n\n"
  }

  private static let openAIBegin = [
    openAI(#"{"role":"assistant","content":"","refusal":null}"#),
    openAI(
      #"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"weather","arguments":"{"}}]}"#),
  ]

  private static let anthropicText = #"{"type":"text_delta","text":" pooling"}"#
  private static let anthropicCall = #"{"type":"input_json_delta","partial_json":" \"Oslo\","}"#

  private static func anthropic(_ delta: String) -> String {
    event("content_block_delta", #""index":0,"delta":\#(delta)"#)
  }

  private static func event(_ name: String, _ members: String) -> String {
    "event: \(name)\ndata: " + #"{"type":"\#(name)",\#(members)}"# + "\n\n"
  }

  private static let anthropicBegin = [
    event(
      "message_start",
      #""message":{"id":"msg_0123","type":"message","role":"assistant","model":"claude","content":[],"#
        + #""stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":1}}"#),
    event(
      "content_block_start", #""index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":"w","input":{}}"#),
  ]
}
