package import SluicePolicy

/// What the events of a stream said so far.
package struct StreamState: Sendable {
  var reader = AnswerReader()
  var events = 0
  /// Events that brought output.
  var outputs = 0
  /// `[DONE]`, `message_stop`, or the last event of a Responses stream.
  var sawEndMark = false
  /// The stream may end here without being cut, although more may come (Bedrock's usage after the stop).
  var mayEnd = false
  var beginning = StreamBeginning.silent

  /// Looks at an event that has just been read, while nothing but pings has come. Those say that the provider's server
  /// lives, not whether it will serve the request.
  mutating func judgeBeginning(_ name: ByteSlice?) {
    if let name, name.equals("ping") { return }
    beginning = reader.error != nil || reader.saysFailed ? .failure : .content
  }
}

/// What a stream began with: as long as no client has seen any of it, that decides whether it is an answer at all.
package enum StreamBeginning: UInt8, Sendable {
  /// Nothing yet, or nothing but the provider's own signs of life.
  case silent
  case content
  /// The first event is the provider's error.
  case failure
}

/// Reads a streamed answer as it passes: usage, finish reason, refusals, the first token, errors after the 200, and
/// whether the stream came to its proper end. The bytes themselves are forwarded untouched by others.
///
/// A stream that cannot be read (an event beyond the parser's bound) is passed on all the same; the meter goes blind
/// and believes the transport about the end.
package struct StreamMeter: Sendable {
  package let dialect: ProviderDialect
  package let operation: Operation
  private var framer: EventFramer
  private var state = StreamState()
  /// When the first piece of output passed.
  package private(set) var firstTokenAt: Instant?
  /// The stream cannot be read any further.
  package private(set) var isBlind = false

  /// - Parameter framing: of the stream at hand, where it may be another than the operation's.
  package init(_ dialect: ProviderDialect, _ operation: Operation, _ framing: StreamFraming? = nil) {
    self.dialect = dialect
    self.operation = operation
    framer = EventFramer(framing ?? dialect.framing(operation))
  }

  /// - Parameters:
  ///   - bytes: the next piece of the answer's body, of any length, without transfer coding.
  ///   - onEvent: sees each event too, so that nobody has to cut the stream a second time.
  package mutating func consume(
    _ bytes: ByteSlice, now: Instant, onEvent: (_ name: ByteSlice?, _ data: ByteSlice) -> Void = { _, _ in }
  ) {
    guard !isBlind else { return }
    isBlind = !Self.read(bytes, &framer, &state, dialect.knowledge, operation, onEvent)
    if firstTokenAt == nil, state.reader.sawOutput { firstTokenAt = now }
  }

  /// Framer and state in their own places: copied out and back they would cost more than most events.
  private static func read(
    _ bytes: ByteSlice, _ framer: inout EventFramer, _ state: inout StreamState,
    _ knowledge: any ProviderKnowledge.Type, _ operation: Operation, _ onEvent: (ByteSlice?, ByteSlice) -> Void
  ) -> Bool {
    do throws(EventFramer.Broken) {
      try framer.consume(bytes) { name, data in
        state.events += 1
        read(name, data, knowledge, operation, &state)
        onEvent(name, data)
      }
      return true
    } catch {
      return false
    }
  }

  /// The body is over. A last event without its end is read but not counted: clients may never have it.
  package mutating func finish(
    now: Instant, onEvent: (_ name: ByteSlice?, _ data: ByteSlice) -> Void = { _, _ in }
  ) {
    guard !isBlind else { return }
    Self.finish(&framer, &state, dialect.knowledge, operation, onEvent)
    if firstTokenAt == nil, state.reader.sawOutput { firstTokenAt = now }
  }

  private static func finish(
    _ framer: inout EventFramer, _ state: inout StreamState, _ knowledge: any ProviderKnowledge.Type,
    _ operation: Operation, _ onEvent: (ByteSlice?, ByteSlice) -> Void
  ) {
    framer.finish { name, data in
      read(name, data, knowledge, operation, &state)
      onEvent(name, data)
    }
  }

  private static func read(
    _ name: ByteSlice?, _ data: ByteSlice, _ knowledge: any ProviderKnowledge.Type, _ operation: Operation,
    _ state: inout StreamState
  ) {
    state.reader.isOutput = false
    knowledge.readEvent(name: name, data: data, operation, into: &state)
    if state.reader.isOutput { state.outputs += 1 }
    if state.beginning == .silent { state.judgeBeginning(name) }
  }

  /// Nothing of an event is pending: the gateway's own event could be inserted here.
  package var isAtEventBoundary: Bool { isBlind ? false : framer.isAtEventBoundary }

  /// Bytes behind the end of the last whole event, where the text itself does not show where that is.
  package var unfinishedBytes: Int? { isBlind ? nil : framer.unfinishedBytes }

  /// What can be said about the first event. What cannot be read passes for content.
  package var beginning: StreamBeginning { isBlind && state.beginning == .silent ? .content : state.beginning }

  /// Events seen so far; also the next `sequence_number` of a Responses stream, which counts from 0.
  package var eventCount: Int { state.events }

  /// The stream's own end mark has passed: what follows, if anything, does not matter.
  package var isComplete: Bool {
    guard state.sawEndMark else { return false }
    return dialect.knowledge.isWhole(state, operation)
  }

  package var measure: AnswerMeasure { dialect.measure(state.reader) }

  /// As `measure`; where the provider said nothing about tokens (its clients did not ask), or the stream ended before it
  /// could, they are estimated: models send about a token with each event.
  ///
  /// - Parameter promptTokens: what the prompt is taken for.
  package func measure(promptTokens: Int) -> AnswerMeasure {
    var measure = measure
    guard measure.usage == nil, state.outputs > 0 else { return measure }
    measure.usage = TokenUsage(input: max(0, promptTokens), output: state.outputs)
    measure.isEstimate = true
    return measure
  }

  /// What has to stand between what has passed and an event of the gateway's own.
  package var continuation: StaticString { framer.continuation }

  /// How the stream ended, to be asked when the body is over and `finish` was called.
  package var end: AnswerEnd {
    if let failure = measure.failure { return .failed(FailureFacts(failure, hasAnswer: false)) }
    return isComplete || state.mayEnd || isBlind ? .complete : .truncated
  }
}
