import Foundation
import SluiceDialects
import SluicePolicy
import Testing

@Suite("Streams")
struct StreamMeterTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var file: String
    var operation: SluiceDialects.Operation = .chat
    var usage: TokenUsage?
    var finish: FinishReason?
    var safety: SafetySignal?
    var failure: FailureClass?
    var events: Int
    var whole = true
    var testDescription: String { file }
  }

  static let rows: [Row] = [
    Row(
      file: "openai/chat-stream.response.sse", usage: TokenUsage(input: 19, output: 5), finish: .stop, events: 6),
    Row(file: "openai/chat-stream-no-usage.response.sse", finish: .stop, events: 4),
    Row(
      file: "openai/chat-stream-tools.response.sse", usage: TokenUsage(input: 19, output: 5), finish: .toolUse,
      events: 0),
    Row(file: "openai/chat-stream-error.response.sse", failure: .server, events: 3, whole: false),
    Row(
      file: "openai/responses-stream.response.sse", operation: .responses,
      usage: TokenUsage(input: 37, output: 21), finish: .stop, events: 15),
    Row(
      file: "anthropic/messages-stream.response.sse", operation: .messages,
      usage: TokenUsage(input: 21, output: 12), finish: .stop, events: 8),
    Row(
      file: "anthropic/messages-stream-tools.response.sse", operation: .messages,
      usage: TokenUsage(input: 21, output: 88, reasoning: 30), finish: .toolUse, events: 15),
    Row(
      file: "anthropic/messages-stream-refusal.response.sse", operation: .messages,
      usage: TokenUsage(input: 21, output: 3), finish: .refusal, safety: .refusal, events: 3),
    Row(
      file: "anthropic/messages-stream-error.response.sse", operation: .messages,
      usage: TokenUsage(input: 21, output: 1), failure: .overloaded, events: 4, whole: false),
  ]

  static func meter(_ row: Row, _ bytes: [UInt8], piece: Int) -> StreamMeter {
    var meter = StreamMeter(UsageMeterTests.dialect(row.file), row.operation)
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + piece)
      Array(bytes[start..<end]).withSlice { meter.consume($0, now: Instant(nanoseconds: Int64(start))) }
      start = end
    }
    return meter
  }

  @Test("samples, however they are cut", arguments: rows)
  func sample(_ row: Row) throws {
    let bytes = try Fixture.bytes(row.file)
    for piece in [1, 7, 64, bytes.count] {
      let meter = Self.meter(row, bytes, piece: piece)
      #expect(meter.measure.usage == row.usage)
      #expect(meter.measure.finish == row.finish)
      #expect(meter.measure.safety == row.safety)
      #expect(meter.measure.failure?.failureClass == row.failure)
      #expect(meter.isComplete == row.whole)
      #expect(meter.isAtEventBoundary)
      if row.events > 0 { #expect(meter.eventCount == row.events) }
    }
  }

  @Test(
    "the first event says whether there is an answer at all",
    arguments: [
      (ProviderDialect.openai, SluiceDialects.Operation.chat, "", StreamBeginning.silent),
      (.openai, .chat, ": comment\n\n", .silent),
      (.openai, .chat, "data: {\"id\":\"c\",", .silent),
      (.openai, .chat, "data: {\"choices\":[]}\n\n", .content),
      (.openai, .chat, "data: {\"error\":{\"message\":\"no\"}}\n\n", .failure),
      (.openai, .chat, "data: {\"choices\":[]}\n\ndata: {\"error\":{\"message\":\"no\"}}\n\n", .content),
      (.openai, .chat, "data: {\"error\":{\"message\":\"no\"}}\n\ndata: {\"choices\":[]}\n\n", .failure),
      (.openai, .responses, "event: response.created\ndata: {}\n\n", .content),
      (.openai, .responses, "event: error\ndata: {\"code\":\"x\"}\n\n", .failure),
      (.openai, .responses, "event: response.failed\ndata: {\"type\":\"response.failed\"}\n\n", .failure),
      (.anthropic, .messages, "event: ping\ndata: {\"type\": \"ping\"}\n\n", .silent),
      (.anthropic, .messages, "event: message_start\ndata: {}\n\n", .content),
      (
        .anthropic, .messages,
        "event: ping\ndata: {}\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n",
        .failure
      ),
    ])
  func beginning(
    _ dialect: ProviderDialect, _ operation: SluiceDialects.Operation, _ text: String, _ expected: StreamBeginning
  ) {
    for piece in [1, 1_000] {
      var meter = StreamMeter(dialect, operation)
      var bytes = Array(text.utf8)[...]
      while !bytes.isEmpty {
        Array(bytes.prefix(piece)).withSlice { meter.consume($0, now: Instant(nanoseconds: 0)) }
        bytes = bytes.dropFirst(piece)
      }
      #expect(meter.beginning == expected, "\(text)")
    }
  }

  @Test func everySampleIsInTheTable() throws {
    for folder in ["openai", "anthropic"] {
      for name in try Fixture.names(folder, where: { $0.hasSuffix(".sse") }) {
        #expect(Self.rows.contains { $0.file == "\(folder)/\(name)" }, "\(name)")
      }
    }
  }

  @Test("a stream cut before its end mark is not whole", arguments: rows.filter(\.whole))
  func cut(_ row: Row) throws {
    let bytes = try Fixture.bytes(row.file)
    for length in stride(from: 0, to: bytes.count - 4, by: 13) {
      let meter = Self.meter(row, Array(bytes.prefix(length)), piece: 1 << 16)
      if case .complete = meter.end { #expect(meter.isComplete && length > bytes.count - 20, "\(length)") }
    }
  }

  @Test func theEndMarkAloneIsNoSuccess() {
    let row = Row(file: "openai/", events: 0)
    #expect(Self.meter(row, Array("data: [DONE]\n\n".utf8), piece: 99).end == .truncated)
    let noMark = #"data: {"choices":[{"finish_reason":"stop"}]}"# + "\n\n"
    #expect(Self.meter(row, Array(noMark.utf8), piece: 99).end == .truncated)
    #expect(Self.meter(row, Array((noMark + "data: [DONE]\n\n").utf8), piece: 99).end == .complete)
  }

  @Test func theFirstTokenIsTheFirstOutput() throws {
    for row in Self.rows where !row.file.contains("refusal") {
      let bytes = try Fixture.bytes(row.file)
      let text = String(decoding: bytes, as: UTF8.self)
      let meter = Self.meter(row, bytes, piece: 1)
      let seen = try #require(meter.firstTokenAt, "\(row.file)")
      let marks = [
        "\"content\":\"H", "\"tool_calls\":[", "\"content\":\"C", "output_text.delta", "content_block_delta",
      ]
      let places = marks.compactMap { mark in text.range(of: mark)?.lowerBound }
      let first = places.min() ?? text.endIndex
      let offset = text.utf8.distance(from: text.startIndex, to: first)
      #expect(seen.nanoseconds >= Int64(offset), "\(row.file)")
      #expect(seen.nanoseconds < Int64(offset + 400), "\(row.file)")
    }
  }

  @Test func roleAndPingAreNoTokens() {
    var meter = StreamMeter(.openai, .chat)
    let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n"
    Array(role.utf8).withSlice { meter.consume($0, now: Instant(nanoseconds: 1)) }
    #expect(meter.firstTokenAt == nil)
  }

  @Test func laterChunksAreReadOnlyWhenTheyMatter() {
    var meter = StreamMeter(.openai, .chat)
    let lines = [
      #"{"choices":[{"delta":{"content":"a"},"finish_reason":null}],"usage":null}"#,
      #"{"choices":[{"delta":{"content":"\"finish_reason\":\"length\""},"finish_reason": null}],"usage": null}"#,
      #"{"choices":[{"delta":{"refusal":"no"},"finish_reason":null}]}"#,
      #"{"choices":[{"delta":{},"finish_reason" : "stop"}]}"#,
      #"{"choices":[],"usage" :{"prompt_tokens":3,"completion_tokens":4}}"#,
    ]
    for (index, line) in lines.enumerated() {
      Array("data: \(line)\n\n".utf8).withSlice { meter.consume($0, now: Instant(nanoseconds: Int64(index))) }
      if index == 1 { #expect(meter.measure.finish == nil) }
    }
    #expect(meter.measure.finish == .stop)
    #expect(meter.measure.safety == .refusal)
    #expect(meter.measure.usage == TokenUsage(input: 3, output: 4))
    #expect(meter.firstTokenAt == Instant(nanoseconds: 0))
  }

  @Test func responsesFailuresAndErrorsAreFailures() {
    let failed =
      "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\","
      + "\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"m\"}}}\n\n"
    let row = Row(file: "openai/", operation: .responses, events: 0)
    #expect(Self.meter(row, Array(failed.utf8), piece: 5).measure.failure?.failureClass == .rateLimited)
    let error =
      "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"m\",\"param\":null}\n\n"
    #expect(Self.meter(row, Array(error.utf8), piece: 5).measure.failure?.failureClass == .server)
    let unnamed =
      "data: {\"type\":\"response.incomplete\",\"response\":{\"status\":\"incomplete\","
      + "\"incomplete_details\":{\"reason\":\"content_filter\"}}}\n\n"
    let meter = Self.meter(row, Array(unnamed.utf8), piece: 5)
    #expect(meter.end == .complete)
    #expect(meter.measure.safety == .contentFilter)
  }

  @Test func anEventTooLargeToReadIsPassedOnBlindly() {
    var meter = StreamMeter(.openai, .chat)
    let piece = [UInt8](repeating: 0x61, count: 1 << 16)
    for _ in 0..<20 { piece.withSlice { meter.consume($0, now: Instant(nanoseconds: 0)) } }
    #expect(meter.isBlind)
    #expect(meter.end == .complete)
    #expect(!meter.isAtEventBoundary)
  }
}
