import NIOCore
import SluiceDialects
import SluicePolicy

/// What goes to the client.
extension Exchange {
  /// Bodies up to this size are copied behind the head: one buffer is written faster than two.
  private static let inlineBody = 16_384
  /// Chunks up to this size are copied between their framing.
  private static let inlineChunk = 4_096

  /// - Parameter contentType: replaces the provider's own.
  func writeHead(
    _ head: ResponseHead, _ bytes: ByteBuffer, body: ByteBuffer?, advice: GatewayError? = nil,
    contentType: StaticString? = nil
  ) {
    var scratch = loop.takeScratch()
    AnswerHead.append(head, from: bytes, advice: advice, contentType: contentType, notes: notes(), to: &scratch)
    let count = body?.readableBytes ?? 0
    let isInline = count <= Self.inlineBody
    connection?.writeHead(scratch, followedBy: isInline ? body : nil)
    bytesOut += scratch.count + count
    loop.giveBack(&scratch)
    if let body, !isInline { connection?.write(body) }
  }

  func notes() -> AnswerNotes {
    AnswerNotes(
      id: id, pool: target.pool.headerName, endpoint: endpointName.isEmpty ? nil : endpointName,
      attempts: machine.counters.sent, phases: machine.phases, framing: framing,
      closes: connection?.willClose(framing: framing) ?? true, dropped: translation?.dropped ?? [])
  }

  /// Bytes that have the client's framing already.
  func write(raw buffer: ByteBuffer) {
    guard buffer.readableBytes > 0 else { return }
    bytesOut += buffer.readableBytes
    connection?.write(buffer)
  }

  func write(payload buffer: ByteBuffer) {
    guard buffer.readableBytes > 0 else { return }
    guard framing == .chunked else { return write(raw: buffer) }
    let count = buffer.readableBytes
    var chunk = ByteBufferAllocator().buffer(capacity: 20 + (count <= Self.inlineChunk ? count : 0))
    Self.appendHex(count, to: &chunk)
    chunk.writeStaticString("\r\n")
    if count <= Self.inlineChunk {
      chunk.writeImmutableBuffer(buffer)
      chunk.writeStaticString("\r\n")
      return write(raw: chunk)
    }
    write(raw: chunk)
    write(raw: buffer)
    write(raw: ByteBuffer(staticString: "\r\n"))
  }

  /// What was put together for the client, in one piece with its framing.
  func write(payload bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    guard framing == .chunked else { return write(raw: ByteBuffer(bytes: bytes)) }
    var chunk = ByteBufferAllocator().buffer(capacity: 20 + bytes.count)
    Self.appendHex(bytes.count, to: &chunk)
    chunk.writeStaticString("\r\n")
    chunk.writeBytes(bytes)
    chunk.writeStaticString("\r\n")
    write(raw: chunk)
  }

  /// Ends the client's message the proper way.
  func writeTerminator() {
    guard framing == .chunked, !isTerminated else { return }
    isTerminated = true
    write(raw: ByteBuffer(staticString: Self.terminator))
  }

  /// The answer was passed on to its end.
  func finishAnswer(_ now: Instant) {
    if let tail, (200..<300).contains(status) {
      measure = tail.withBytes { UsageMeter.measure(target.pool.dialect, upstreamOperation, tail: $0) }
    }
    if let rest = heldEvent.takeAll() { write(payload: rest) }
    writeTerminator()
    connection?.flush()
    complete(status: status, closes: framing == .untilClose, now)
  }

  /// The answer has begun and cannot be finished. A stream says so in its own words and ends properly; a plain answer
  /// is cut, so that its length or its missing terminator tells.
  func breakOff(_ failure: SluiceDialects.ExchangeFailure, _ now: Instant) {
    loop.metrics.update(on: loop.id) { $0.rejected[failure.code, default: 0] &+= 1 }
    // What the client speaks to the provider past the gateway is known only as far as it is server-sent events.
    // What is written anew ends with whole events whatever the provider sent.
    let isPassedOn = streamTranslation == nil
    let isReadable = meter?.isBlind != true && (operation != .native || eventFraming == .serverSentEvents)
    let isWhole = !isPassedOn || isReadable && !heldEvent.isTorn
    let canSpeak = stage == .streaming && isWhole && !isTerminated
    guard canSpeak else {
      loop.metrics.update(on: loop.id) { $0.answersCut &+= 1 }
      connection?.flush()
      connection?.cutAnswer(framing: framing)
      return complete(status: status, closes: true, now)
    }
    // An event that was never completed is not the client's business.
    _ = heldEvent.takeAll()
    let error = gatewayError(failure)
    write(payload: errorEvent(error))
    writeTerminator()
    connection?.flush()
    complete(status: status, closes: framing == .untilClose, now)
  }

  private func errorEvent(_ error: GatewayError) -> [UInt8] {
    guard streamTranslation == nil else {
      var event: [UInt8] = []
      streamTranslation?.fail(error, into: &event)
      return event
    }
    guard eventFraming == .jsonArray else {
      return GatewayErrorBody.streamEvent(
        surface, operation, error, requestID: id.description, sequenceNumber: meter?.eventCount ?? 0)
    }
    return GatewayErrorBody.arrayEnd(error, continuation: heldEvent.continuation)
  }

  /// Nothing reached the client yet: answer with the failure.
  func fail(_ failure: SluiceDialects.ExchangeFailure, _ now: Instant) {
    var error = gatewayError(failure)
    if failure.usesRecordedAnswer, let recorded, recorded.isRewritten {
      become(recorded)
      error = GatewayError(recorded.failure)
      error.retryAfter = failure.retryAfter ?? error.retryAfter
      error.shouldRetry = failure.shouldRetry ?? error.shouldRetry
    } else if failure.usesRecordedAnswer, let recorded {
      become(recorded)
      translation = nil
      framing = recorded.head.bodyLength == .none ? .none : .length(recorded.body.readableBytes)
      writeHead(recorded.head, recorded.bytes, body: recorded.body, advice: error)
      connection?.flush()
      return complete(status: recorded.head.status, now)
    }
    loop.metrics.update(on: loop.id) { $0.rejected[failure.code, default: 0] &+= 1 }
    framing = .length(0)
    var scratch = loop.takeScratch()
    AnswerHead.appendError(
      error, surface: surface, hasBody: !isHead, date: loop.dateLine(), notes: notes(), to: &scratch)
    bytesOut += scratch.count
    connection?.writeHead(scratch, followedBy: nil)
    loop.giveBack(&scratch)
    connection?.flush()
    complete(status: error.status, now)
  }

  /// The answer is an earlier target's, so it is shown and counted as that one's.
  private func become(_ recorded: RecordedAnswer) {
    targetIndex = recorded.targetIndex
    endpointName = recorded.endpoint
  }

  private func gatewayError(_ failure: SluiceDialects.ExchangeFailure) -> GatewayError {
    if failure.code == .unsupportedField, let refusal {
      return GatewayError(.unsupportedField, message: refusal.message, param: refusal.field)
    }
    let message: String? =
      switch failure.code {
      case .credentialsMissing: complaint
      case .rateLimited where failure.retryAfter == nil: Self.withoutCredit
      default: nil
      }
    return GatewayError(
      failure.code, message: message, retryAfter: failure.retryAfter, shouldRetry: failure.shouldRetry)
  }

  private static let withoutCredit =
    "Every account of the pool is out of credit, or at a limit of which no end is known. Add credit, then reset the endpoints."

  private static func appendHex(_ value: Int, to buffer: inout ByteBuffer) {
    var shift = max(0, (Int.bitWidth - value.leadingZeroBitCount + 3) / 4 * 4 - 4)
    while shift >= 0 {
      let nibble = UInt8(truncatingIfNeeded: value >> shift) & 15
      buffer.writeInteger(nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
      shift -= 4
    }
  }
}

/// Accounts.
extension Exchange {
  func record(_ now: Instant) {
    let duration = now - began
    let firstToken = firstTokenAt.map { $0 - began } ?? .zero
    let phases = machine.phases
    let counters = machine.counters
    let surface = surface
    let isBroken = isStreamBroken
    let cost = target.entry?.price.cost(of: measure)
    loop.metrics.update(on: loop.id) { metrics in
      metrics.withCell(slot: target.slot, surface: surface) { cell in
        cell.byStatusClass[status == 499 ? 0 : min(5, max(1, status / 100))] &+= 1
        cell.duration.record(duration)
        if firstToken > .zero { cell.firstToken.record(firstToken) }
        for phase in PhaseClock.Phase.allCases { cell.phases[phase.rawValue].record(phases[phase]) }
        cell.overhead.record(phases.total - phases[.upstream])
        cell.add(counters)
        cell.add(measure)
        if let cost { cell.cost &+= UInt64(cost) }
        cell.bytesIn &+= UInt64(bytesIn)
        cell.bytesOut &+= UInt64(bytesOut)
        if status == 499 { cell.cancelled &+= 1 }
        if stage == .streaming { cell.streams &+= 1 }
        if isBroken { cell.streamsBroken &+= 1 }
      }
    }
    keepRecord(duration, firstToken)
  }

  private var isStreamBroken: Bool {
    guard stage == .streaming, case .failed = machine.outcome else { return false }
    return true
  }

  private func keepRecord(_ duration: Interval, _ firstToken: Interval) {
    var code = ""
    if case .failed(_, let failure) = machine.outcome { code = failure.rawValue }
    if status == 499 { code = "cancelled" }
    let keys = connection?.configuration.access.keys ?? []
    let caller = connection?.callerKey.flatMap { $0 < keys.count ? keys[$0].name : nil } ?? ""
    loop.metrics.record(
      RequestRecord(
        id: id, began: began, surface: surface, operation: operation,
        model: RequestRecord.cut(model: route?.model ?? ""),
        pool: target.pool.name, endpoint: endpointName, caller: caller, status: status, isStream: stage == .streaming,
        code: code, duration: duration, firstToken: firstToken, phases: machine.phases, counters: machine.counters,
        bytesIn: bytesIn, bytesOut: bytesOut, inputTokens: measure.usage?.input ?? 0,
        outputTokens: measure.usage?.output ?? 0, isEstimate: measure.isEstimate),
      on: loop.id)
  }
}

extension RequestCounters {
  mutating func add(_ counters: ExchangeCounters) {
    retries &+= UInt64(counters.retries)
    replays &+= UInt64(counters.replays)
    walks &+= UInt64(counters.walks)
    spills &+= UInt64(counters.spills)
    budgetRefusals &+= UInt64(counters.budgetRefusals)
  }

  mutating func add(_ measure: AnswerMeasure) {
    if let usage = measure.usage {
      inputTokens &+= UInt64(max(0, usage.input))
      outputTokens &+= UInt64(max(0, usage.output))
      if measure.isEstimate {
        estimatedInputTokens &+= UInt64(max(0, usage.input))
        estimatedOutputTokens &+= UInt64(max(0, usage.output))
      }
      cachedTokens &+= UInt64(max(0, usage.cachedInput))
      reasoningTokens &+= UInt64(max(0, usage.reasoning))
    }
    switch measure.safety {
    case .refusal: refusals &+= 1
    case .contentFilter: contentFiltered &+= 1
    case nil: break
    }
  }
}
