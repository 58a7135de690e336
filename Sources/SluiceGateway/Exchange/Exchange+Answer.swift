import NIOCore
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// The upstream's answer comes in.
extension Exchange {
  func upstreamHead(_ head: ResponseHead, bytes: ByteBuffer, reused: Bool) {
    let now = loop.clock.now()
    responseHead = head
    responseBytes = bytes
    noteQuota(now)
    if let signing, (200..<300).contains(head.status) { signer?.desk.accepted(signing.credentials) }
    // Without a body (HEAD, 204) nothing will come in events, whatever the type says.
    let isStream = head.bodyLength != .none && (head.isEventStream || isArrayStream)
    let decision = machine.upstreamHead(
      attempt: machine.currentAttempt, status: head.status, isEventStream: isStream, now: now)
    perform(decision, now)
  }

  /// An answer whose type says no more than JSON, but that is written piece by piece.
  private var isArrayStream: Bool {
    operation == .streamGenerateArray && target.pool.dialect.framing(upstreamOperation) == .jsonArray
  }

  func upstreamBody(_ part: UpstreamBodyPart) {
    switch stage {
    case .holding: hold(part)
    case .collecting: collect(part)
    case .opening: open(part)
    case .streaming: stream(part)
    case .forwarding: forward(part)
    case .idle, .waiting: break
    }
  }

  func upstreamReadComplete() {
    guard isActive else { return }
    let now = loop.clock.now()
    machine.upstreamBytes(attempt: machine.currentAttempt, now: now)
    if stage == .opening { return judgeOpening(now) }
    guard stage == .streaming || stage == .forwarding, let connection else { return }
    connection.flush()
    // The client may have become slow before the link was open, of which no event tells.
    writabilityChanged(connection.isWritable)
  }

  func upstreamEnd(reusable: Bool) {
    let now = loop.clock.now()
    if stage == .streaming || stage == .opening {
      meter?.finish(now: now) { streamTranslation?.readLast(event: $0, data: $1) }
    }
    let fate: ResourceFate = reusable ? .reusable : .close(.remoteClosed)
    switch stage {
    case .holding, .forwarding: ended(.complete, fate, now)
    case .streaming where streamTranslation != nil: ended(finishTranslated(), fate, now)
    case .streaming: ended(meter?.end ?? .complete, fate, now)
    case .collecting: refused(fate, now)
    case .opening: endedWhileOpening(fate, now)
    case .idle, .waiting: break
    }
  }

  func upstreamFailed(_ failure: UpstreamFailure) {
    guard isActive else { return }
    let now = loop.clock.now()
    link = .none
    if stage == .opening, refuseOpening(.close(.broken), now) { return }
    let target = target
    let loop = loop
    let decision = machine.upstreamFailed(
      attempt: machine.currentAttempt, failure.failureClass, replaySafe: failure.replaySafe,
      isRefused: failure.isRefused, now: now, random: loop.nextRandom()
    ) { loop.withdrawRetry(target, now) }
    perform(decision, now)
  }

  func ended(_ end: AnswerEnd, _ fate: ResourceFate, _ now: Instant) {
    let target = target
    let loop = loop
    let decision = machine.answerEnded(
      attempt: machine.currentAttempt, end, fate: fate, now: now, random: loop.nextRandom()
    ) { loop.withdrawRetry(target, now) }
    perform(decision, now)
  }

  /// An error answer is complete: what does it mean?
  private func refused(_ fate: ResourceFate, _ now: Instant) {
    guard let head = responseHead else { return }
    let target = target
    let signer = signer
    var failure = responseBytes.withUnsafeReadableBytes { bytes in
      collected.withUnsafeReadableBytes { body in
        target.pool.dialect.classify(
          status: head.status, headers: HeaderView(head.headers, in: ByteSlice(bytes)), body: ByteSlice(body),
          now: WallClock.now())
      }
    }.settled(with: signer, as: signing)
    if operation == .native { failure = failure.onNativePath }
    if !isCollectedCut {
      recorded = RecordedAnswer(
        head: head, bytes: responseBytes, body: collected, endpoint: endpointName, targetIndex: targetIndex,
        failure: failure, isRewritten: translation != nil)
    }
    let loop = loop
    let facts = failureFacts(failure, hasAnswer: !isCollectedCut)
    if let remedy = failure.remedy, let signer, mend(remedy, signer, facts, fate, now) { return }
    let decision = machine.answerRefused(
      attempt: machine.currentAttempt, facts, fate: fate, now: now, random: loop.nextRandom()
    ) { loop.withdrawRetry(target, now) }
    perform(decision, now)
  }
}

/// Answers that are kept back.
extension Exchange {
  /// A plain answer waits until it is complete, so that a break can still become another try.
  private func hold(_ part: UpstreamBodyPart) {
    keep(part)
    guard translation == nil else { return holdTranslated() }
    guard collected.readableBytes > connectionLimits.maxHeldAnswer else { return }
    let now = loop.clock.now()
    let first = collected
    collected = ByteBuffer()
    noteStored(first)
    commit(forwardedFraming, now)
    stage = .forwarding
    tail = AnswerTail(first)
    write(payload: first)
    connection?.flush()
  }

  /// What is turned into another protocol is needed whole.
  private func holdTranslated() {
    guard collected.readableBytes > Self.maxTranslatedAnswer else { return }
    link.cancel()
    upstreamFailed(Self.unreadable)
  }

  private func collect(_ part: UpstreamBodyPart) {
    guard collected.readableBytes + part.payloadBytes <= connectionLimits.maxHeldAnswer else {
      isCollectedCut = true
      return
    }
    keep(part)
  }

  func keep(_ part: UpstreamBodyPart) {
    if case .payload(let buffer) = part, collected.readableBytes == 0 {
      collected = buffer
      return
    }
    part.forEachPayload { collected.writeBytes($0) }
  }

  /// A held answer is complete.
  func deliver(_ now: Instant) {
    guard let head = responseHead else { return complete(status: 502, closes: true, now) }
    var body = collected
    measure = responseBytes.withUnsafeReadableBytes { bytes in
      body.withUnsafeReadableBytes {
        UsageMeter.measure(
          target.pool.dialect, upstreamOperation, headers: HeaderView(head.headers, in: ByteSlice(bytes)),
          body: ByteSlice($0))
      }
    }
    firstTokenAt = now
    if let translation {
      guard let turned = translatedAnswer(translation, body) else {
        return fail(ExchangeFailure(.protocolError, .upstreamProtocol), now)
      }
      body = turned
      framing = .length(body.readableBytes)
      writeHead(head, responseBytes, body: body, contentType: "application/json")
      connection?.flush()
      return complete(status: head.status, now)
    }
    noteStored(body)
    framing = head.bodyLength == .none ? .none : .length(body.readableBytes)
    writeHead(head, responseBytes, body: body)
    connection?.flush()
    complete(status: head.status, now)
  }

  /// The head goes to the client now, so nothing is tried again.
  func commit(_ framing: AnswerFraming, _ now: Instant) {
    guard let head = responseHead else { return }
    self.framing = framing
    machine.headSent(now: now)
    status = head.status
    writeHead(head, responseBytes, body: nil, contentType: streamTranslation == nil ? nil : clientStreamType)
    lastSentAt = now
    forgetRequest()
    // What only heads need would otherwise stay for as long as the answer takes.
    responseBytes = ByteBuffer()
    upstreamHeadBytes = ByteBuffer()
    connection?.dropOutput()
  }

  /// For plain answers that are passed on as they come.
  private var forwardedFraming: AnswerFraming {
    switch responseHead?.bodyLength {
    case .fixed(let count): .length(count)
    case .chunked, .untilClose: isOldClient ? .untilClose : .chunked
    case .none?, nil: .none
    }
  }

  var connectionLimits: GatewayLimits { connection?.limits ?? GatewayLimits() }
}

/// Responses that a provider stored.
extension Exchange {
  /// A plain answer, or its beginning: remembers who stored the new response, forgets the one that was deleted.
  private func noteStored(_ body: ByteBuffer) {
    guard let status = responseHead?.status, (200..<300).contains(status) else { return }
    switch operation == .native ? upstreamOperation : operation {
    case .responses:
      if let id = body.withUnsafeReadableBytes({ StoredResponseReader.answer($0) }) { remember(id) }
    case .deleteResponse:
      if let stored = request?.stored { loop.stored.withLock { $0.forget(stored) } }
    default: break
    }
  }

  func readResponse(_ part: UpstreamBodyPart) {
    var found: String?
    part.forEachPayload { piece in
      if let id = responseReader?.consume(piece) { found = id }
    }
    guard let found else { return }
    responseReader = nil
    remember(found)
  }

  private func remember(_ id: String) {
    let (key, account) = (StoredResponses.key(id, owner: owner), account)
    loop.stored.withLock { $0.remember(key, account: account) }
  }
}

/// Answers that are passed on.
extension Exchange {
  private func stream(_ part: UpstreamBodyPart) {
    let now = loop.clock.now()
    read(part, now)
    lastSentAt = now
    if streamTranslation == nil { pass(part) } else { sendTurned() }
  }

  /// Looks at a piece of a stream: what it says about the exchange, and what it becomes in the client's protocol.
  func read(_ part: UpstreamBodyPart, _ now: Instant) {
    let hadToken = firstTokenAt != nil
    part.forEachPayload { read(ByteSlice($0), now) }
    if responseReader != nil { readResponse(part) }
    guard !hadToken, let token = meter?.firstTokenAt else { return }
    firstTokenAt = token
    machine.firstTokenSeen(attempt: machine.currentAttempt)
    learn(beginning: machine.sinceSent(token))
  }

  /// The piece is cut into events once, for the meter and for the translation.
  private func read(_ piece: ByteSlice, _ now: Instant) {
    guard streamTranslation != nil else {
      meter?.consume(piece, now: now)
      return
    }
    if turned.isEmpty { turned = loop.takeScratch() }
    meter?.consume(piece, now: now) { streamTranslation?.read(event: $0, data: $1) }
    streamTranslation?.endPiece(isReadable: meter?.isBlind == false, into: &turned)
    if turned.isEmpty { loop.giveBack(&turned) }
  }

  /// Hands on what is whole of a stream in the client's own protocol, whose latest piece has been read.
  func pass(_ part: UpstreamBodyPart) {
    guard let meter else { return }
    guard meter.isAtEventBoundary || meter.isBlind else { return holdTail(part) }
    if let earlier = heldEvent.takeAll() { write(payload: earlier) }
    heldEvent.boundaryReached(meter.continuation)
    forwardWhole(part, mayTerminate: meter.end != .truncated)
  }

  /// The piece ends inside an event: only what is before it goes.
  private func holdTail(_ part: UpstreamBodyPart) {
    let limit = connectionLimits.maxHeldEvent
    let unfinished = meter?.unfinishedBytes
    var rest = part.payloadBytes
    part.forEachPayload { piece in
      rest -= piece.count
      guard let whole = heldEvent.take(piece, limit: limit, unfinished: unfinished.map { max(0, $0 - rest) }) else {
        return
      }
      write(payload: whole)
    }
  }

  private func forward(_ part: UpstreamBodyPart) {
    part.forEachPayload { tail?.append($0) }
    forwardWhole(part, mayTerminate: true)
  }

  private func forwardWhole(_ part: UpstreamBodyPart, mayTerminate: Bool) {
    switch part {
    case .payload(let buffer): write(payload: buffer)
    case .raw(var buffer, let ranges, let last):
      guard framing == .chunked else {
        for range in ranges {
          if let slice = buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: Int(range.count)) {
            write(payload: slice)
          }
        }
        return
      }
      if last, !mayTerminate {
        buffer =
          buffer.getSlice(at: buffer.readerIndex, length: buffer.readableBytes - Self.terminator.utf8CodeUnitCount)
          ?? ByteBuffer()
      } else if last {
        isTerminated = true
      }
      write(raw: buffer)
    }
  }

  static let terminator: StaticString = "0\r\n\r\n"

  /// Says that the model is still at it, where the client's protocol has a way to say so.
  func sendComment(_ now: Instant) {
    lastSentAt = now
    guard heldEvent.isEmpty, !heldEvent.isTorn, !isPaused else { return }
    var comment = loop.takeScratch()
    if streamTranslation != nil {
      streamTranslation?.keepAlive(into: &comment)
    } else {
      comment.append(passedComment)
    }
    if !comment.isEmpty {
      write(payload: comment)
      connection?.flush()
      loop.metrics.update(on: loop.id) { $0.keepaliveComments &+= 1 }
    }
    loop.giveBack(&comment)
  }

  /// For streams that are passed on as they come.
  private var passedComment: StaticString {
    switch eventFraming {
    case .serverSentEvents:
      surface == .anthropic ? "event: ping\ndata: {\"type\": \"ping\"}\n\n" : StreamFraming.comment
    case .jsonArray: "\n"
    case .lines, .awsEventStream: ""
    }
  }

  var commentDue: Instant {
    // Behind the end mark there is nothing to wait for.
    if meter?.isComplete == true { return .distantFuture }
    return connectionLimits.keepaliveComment.map { lastSentAt + $0 } ?? .distantFuture
  }
}
