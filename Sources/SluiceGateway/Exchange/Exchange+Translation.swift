import NIOCore
import SluiceDialects
import SluiceHTTP
import SluicePolicy

/// Requests whose provider speaks another protocol than the client. Everything else of the exchange is the same: the
/// body is written anew before the pool is asked, the answer before it goes to the client.
extension Exchange {
  /// Most bytes of a whole answer that is turned into another protocol.
  static let maxTranslatedAnswer = 16 << 20

  /// Prepares the request for the target at hand; false when it cannot be carried there.
  func prepareTarget() -> Bool {
    guard preparedTarget != targetIndex else { return refusal == nil }
    preparedTarget = targetIndex
    translation = nil
    translatedBody = ByteBuffer()
    refusal = nil
    upstreamOperation = operation == .native ? nativeOperation : operation
    guard !target.pool.dialect.speaks(operation), operation != .native else { return true }
    do {
      var translation = try translate()
      upstreamOperation = translation.operation
      translatedBody = ByteBuffer(bytes: translation.takeBody())
      self.translation = translation
      return true
    } catch {
      refusal = error
      return false
    }
  }

  /// What a request on the provider's own path is about.
  private var nativeOperation: Operation {
    guard let request else { return .native }
    let (path, query) = (request.head.path.range, request.head.query?.range)
    return request.bytes.withUnsafeReadableBytes { bytes in
      let source = ByteSlice(bytes)
      return target.pool.dialect.operation(
        ofNative: source[path].suffix(from: request.match.providerPath ?? 0), query: query.map { source[$0] })
    }
  }

  private func translate() throws(TranslationRefusal) -> Translation {
    guard let request else { throw TranslationRefusal("the request is gone") }
    let dialect = target.pool.dialect
    let model = dialect.upstreamModel(target.upstreamModel ?? route?.model ?? "")
    let chat = ChatTarget(
      provider: dialect.provider, model: model, facts: target.entry?.facts ?? ModelFacts(), options: dialect.options)
    let reply = ReplyFacts(
      model: route?.model ?? "", id: id.description, created: Int(WallClock.now().milliseconds / 1000))
    let (operation, streams, name) = (operation, wantsStream, route?.model ?? "")
    let result = request.body.withUnsafeReadableBytes { bytes -> Result<Translation, TranslationRefusal> in
      let source = Translation.Source(operation, body: ByteSlice(bytes), model: name, streams: streams)
      do throws(TranslationRefusal) {
        return .success(try Translation(source, to: dialect, chat, reply: reply))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// The head and body of a translated request: nothing of the client's head travels but what is meant for everybody.
  func translatedRequest(_ translation: Translation, _ endpoint: GatewayEndpoint) -> (head: [UInt8], body: ByteBuffer) {
    let dialect = target.pool.dialect
    let call = UpstreamCall(
      translation.operation, model: target.upstreamModel ?? route?.model ?? "", streams: wantsStream)
    var head = loop.takeScratch()
    head.append("POST ")
    dialect.appendUpstreamTarget(basePath: endpoint.basePath, call, to: &head)
    head.append(" HTTP/1.1\r\n")
    head.append(contentsOf: endpoint.lines)
    head.append("content-type: application/json\r\naccept-encoding: identity\r\nuser-agent: sluice\r\naccept: ")
    head.append(wantsStream ? dialect.framing(translation.operation).mediaType : "application/json")
    head.append("\r\n")
    dialect.appendMissingHeaders(client: .none, call, to: &head)
    appendTracing(to: &head)
    head.append("content-length: ")
    head.append(decimal: translatedBody.readableBytes)
    head.append("\r\n\r\n")
    return (head, translatedBody)
  }

  private func appendTracing(to head: inout [UInt8]) {
    guard let request else { return }
    request.bytes.withUnsafeReadableBytes { bytes in
      for (known, name) in [(KnownHeader.traceparent, "traceparent: "), (.tracestate, "tracestate: ")]
        as [(KnownHeader, StaticString)]
      {
        guard let value = request.head.headers.first(known) else { continue }
        head.append(name)
        head.append(contentsOf: value.slice(bytes))
        head.append("\r\n")
      }
    }
  }
}

/// Answers in the client's protocol.
extension Exchange {
  /// A whole answer, turned; nothing when the provider's makes no sense.
  func translatedAnswer(_ translation: Translation, _ body: ByteBuffer) -> ByteBuffer? {
    body.withUnsafeReadableBytes { bytes in
      (try? translation.answer(ByteSlice(bytes))).map { ByteBuffer(bytes: $0) }
    }
  }

  /// Sends what the pieces read so far have become.
  func sendTurned() {
    write(payload: turned)
    loop.giveBack(&turned)
    guard streamTranslation?.problem != nil else { return }
    // Whatever would come now lacks what could not be read.
    link.cancel()
    upstreamFailed(Self.unreadable)
  }

  /// The provider's stream is over: says the rest, and how it ended for the client, who must never take a stream for
  /// whole that lacks its end.
  func finishTranslated() -> AnswerEnd {
    let end = meter?.end ?? .complete
    guard end != .truncated else { return end }
    var out = loop.takeScratch()
    streamTranslation?.finish(into: &out)
    write(payload: out)
    loop.giveBack(&out)
    guard streamTranslation?.isOver == false else { return end }
    return .truncated
  }

  static var unreadable: UpstreamFailure {
    UpstreamFailure(reason: .unreadable, bytesReceived: 1, reused: false, replaySafe: false)
  }

  /// The type of the stream that the client's protocol promises.
  var clientStreamType: StaticString {
    switch operation {
    case .ollamaChat, .ollamaGenerate: "application/x-ndjson"
    case .converseStream, .invokeStream: "application/vnd.amazon.eventstream"
    case .streamGenerateArray: "application/json; charset=UTF-8"
    default: "text/event-stream; charset=utf-8"
    }
  }
}
