import NIOCore
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// The beginning of a stream. Its head alone promises nothing: providers send it before they know whether they can
/// serve. So the client's head waits for the first event and goes out together with it; until then a stream that breaks,
/// falls silent or begins with an error is as good as one that never began, and may be tried again elsewhere.
///
/// What does not count as an event (comments, pings) is kept back as well: it comes from servers that are still waiting
/// for their model, which is when most of them give up. That has three bounds: `server.keepalive_comment`, when the
/// client is due a sign of life; without that, the first sign of life of the provider's own after `silencePatience`; and the
/// bytes of one held event.
extension Exchange {
  /// How long the provider's own signs of life are kept from the client where the gateway sends none itself.
  static let silencePatience = Interval.seconds(15)

  /// A stream's head has come.
  func awaitFirstEvent(_ now: Instant) {
    let dialect = target.pool.dialect
    eventFraming = streamFraming ?? dialect.framing(upstreamOperation)
    meter = StreamMeter(dialect, upstreamOperation, eventFraming)
    streamTranslation = translation?.stream(eventFraming)
    heldEvent = HeldEvent(eventFraming, continuation: meter?.continuation ?? "")
    if upstreamOperation == .responses { responseReader = StoredResponseReader() }
    lastSentAt = now
    stage = .opening
    // Of streams nobody here knows, no event could be judged.
    if upstreamOperation == .native { openStream(with: nil, now) }
    connection?.deadlineMoved(nextDeadline)
  }

  /// What the answer's own type says, which counts where the operation is not known.
  private var streamFraming: StreamFraming? {
    guard let type = responseHead?.headers.first(.contentType) else { return nil }
    return responseBytes.withUnsafeReadableBytes { StreamFraming(contentType: ByteSlice(type.slice($0))) }
  }

  /// A piece of a stream of which the client has nothing yet.
  func open(_ part: UpstreamBodyPart) {
    // What follows the error does not matter.
    guard meter?.beginning == .silent else { return }
    let now = loop.clock.now()
    read(part, now)
    switch meter?.beginning {
    case .content: openStream(with: part, now)
    case .silent:
      keep(part)
      if collected.readableBytes > connectionLimits.maxHeldEvent || isOverdue(now) { openStream(with: nil, now) }
    case .failure, nil: break
    }
  }

  private func isOverdue(_ now: Instant) -> Bool {
    connectionLimits.keepaliveComment == nil && now - lastSentAt >= Self.silencePatience
  }

  /// The head goes to the client, with all that has come so far. From here on errors are events of the stream.
  func openStream(with part: UpstreamBodyPart?, _ now: Instant) {
    let first = firstPiece(part)
    guard streamTranslation == nil else { return openTranslated(now) }
    begin(now)
    if let first { pass(first) }
  }

  /// As `openStream`, but an event that cannot be read is no beginning either.
  private func openTranslated(_ now: Instant) {
    guard streamTranslation?.problem == nil || !turned.isEmpty else {
      link.cancel()
      return upstreamFailed(Self.unreadable)
    }
    begin(now)
    sendTurned()
  }

  private func begin(_ now: Instant) {
    commit(isOldClient ? .untilClose : .chunked, now)
    stage = .streaming
    loop.metrics.update(on: loop.id) { $0.streamsOpen += 1 }
    connection?.deadlineMoved(nextDeadline)
  }

  /// All that has come so far. Usually that is one piece, which stays as it is.
  private func firstPiece(_ part: UpstreamBodyPart?) -> UpstreamBodyPart? {
    guard collected.readableBytes > 0 else { return part }
    if let part { keep(part) }
    let all = collected
    collected = ByteBuffer()
    return .payload(all)
  }

  /// The upstream has no more to read for now: if it has begun with an error, it need not be waited for.
  func judgeOpening(_ now: Instant) {
    guard meter?.beginning == .failure else { return }
    let old = link
    link = .none
    old.cancel()
    _ = refuseOpening(.close(.cancelled), now)
  }

  /// The upstream's answer is over before the client had anything of it.
  func endedWhileOpening(_ fate: ResourceFate, _ now: Instant) {
    guard !refuseOpening(fate, now) else { return }
    guard let end = meter?.end, end != .truncated else { return ended(.truncated, fate, now) }
    openStream(with: nil, now)
    ended(streamTranslation == nil ? end : finishTranslated(), fate, now)
  }

  /// Treats a stream that began with an error like an answer with that error's status; false if it did not.
  func refuseOpening(_ fate: ResourceFate, _ now: Instant) -> Bool {
    guard let head = responseHead, let meter, meter.beginning == .failure, let failure = meter.measure.failure else {
      return false
    }
    recorded = RecordedAnswer(
      head: head, bytes: responseBytes, body: ByteBuffer(), endpoint: endpointName, targetIndex: targetIndex,
      failure: failure, isRewritten: true)
    ended(.failed(failureFacts(failure)), fate, now)
    return true
  }
}
