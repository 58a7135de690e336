/// One wire format for chat, spoken by clients and providers. Namespaces without values; everything is pure and bounded
/// by the size of its input.
package typealias ChatFormat = ChatClientFormat & ChatProviderFormat

/// A wire format that clients speak: it reads requests and writes answers.
package protocol ChatClientFormat: SendableMetatype {
  associatedtype StreamWriter: ChatStreamWriter

  /// A client's request. Reads strictly: a known field of a wrong type is refused with its path; a field that only
  /// shapes the answer a little is noted as dropped; one that changes the meaning and cannot be carried is refused.
  ///
  /// - Parameters:
  ///   - model: from the path, for protocols that have it there; else from the body.
  ///   - streams: the path or the body asks for a stream.
  static func readRequest(
    _ body: JSONValue, model: String, streams: Bool, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> ChatRequest

  /// A whole answer for a client.
  static func writeAnswer(_ answer: ChatAnswer, _ reply: ReplyFacts) -> JSONValue
}

/// A wire format that providers speak: it writes requests and reads answers.
package protocol ChatProviderFormat: SendableMetatype {
  associatedtype StreamReader: ChatStreamReader

  /// A request for a provider. Follows the tables of field mappings: clamps, renames, merges neighbours where the
  /// provider wants it, answers open tool calls, maps ids and names to the provider's alphabet.
  static func writeRequest(
    _ request: ChatRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue

  /// A provider's whole answer.
  static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> ChatAnswer
}

/// Reads a provider's stream, event by event. Bounded: it keeps names and counters, never the answer.
package protocol ChatStreamReader: Sendable {
  init()

  /// - Parameters:
  ///   - name: the event's name, where the framing has names.
  ///   - data: the event's payload.
  mutating func read(
    event name: ByteSlice?, data: ByteSlice, into deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer)

  /// The body is over. Says `.end` only if the stream's own rules call it complete and it was not said before.
  mutating func finish(into deltas: inout [ChatDelta])
}

/// Writes a client's stream, framing included. Bounded: what has to be kept until an end (arguments of calls that
/// interleave where the client's protocol cannot) has a limit, beyond which the stream fails.
package protocol ChatStreamWriter: Sendable {
  init(_ reply: ReplyFacts)

  mutating func write(_ delta: ChatDelta, to out: inout [UInt8]) throws(UnreadableAnswer)

  /// The stream cannot be finished: the protocol's own error event and whatever ends it properly.
  mutating func fail(_ error: GatewayError, to out: inout [UInt8])

  /// What may be sent into a long silence so that nobody in between hangs up; nothing where the protocol knows nothing.
  func keepAlive(to out: inout [UInt8])
}

extension ChatStreamWriter {
  package func keepAlive(to out: inout [UInt8]) {}
}

/// One wire format for embeddings.
package protocol EmbeddingFormat: SendableMetatype {
  static func readRequest(
    _ body: JSONValue, model: String, _ operation: Operation, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> EmbeddingRequest

  static func writeRequest(
    _ request: EmbeddingRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue

  static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> EmbeddingAnswer

  static func writeAnswer(
    _ answer: EmbeddingAnswer, _ request: EmbeddingRequest, _ reply: ReplyFacts
  ) -> JSONValue
}
