internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTP2

/// One stream of a session: collects its request, then answers it.
///
/// States: receiving → answering (or unanswered: a fault says that nobody does) → over. The answer is pulled from an
/// `Exchange` in HTTP/1.1's form without chunks; its head is turned into fields on the way. Invariants: after `end` the
/// session is not called any more; at most one timer is set; at most one batch waits for the client's windows.
final class HTTP2Stream: TimerTarget {
  /// How it ends when it is not answered to its end.
  enum End { case cancelled, broken }

  let id: HTTP2StreamID
  private weak var session: HTTP2Session?
  private let core: SimulatorCore
  private var request: SimulatedRequest
  private var exchange: Exchange?
  private var isServed = false
  private var isCounted = false
  private var isOver = false
  private var isBlocked = false
  private var isRequestComplete = false
  private var timer: SimulatorTimers.Token?
  /// The head as far as it was made; nil once it is on its way.
  private var head: [UInt8]? = []

  init(_ id: HTTP2StreamID, _ head: HTTPRequestHead, _ session: HTTP2Session) {
    self.id = id
    self.session = session
    core = session.core
    request = SimulatedRequest(head: head)
    let declared = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
    request.isTooLarge = declared > core.options.maxBodyBytes
  }

  /// More of the body is of use.
  var takesMore: Bool { !isServed && !isOver }

  // MARK: The request

  func begin(isComplete: Bool) {
    isRequestComplete = isComplete
    if isComplete || request.isTooLarge { serve() }
  }

  func continued(_ bytes: ByteBuffer) {
    guard takesMore else { return }
    var bytes = bytes
    request.body.setOrWriteBuffer(&bytes)
    guard (request.body?.readableBytes ?? 0) > core.options.maxBodyBytes else { return }
    request.body = nil
    request.isTooLarge = true
    serve()
  }

  func completed() {
    isRequestComplete = true
    if takesMore { serve() }
  }

  private func serve() {
    guard let session else { return }
    isServed = true
    let plan = core.plan(request)
    isCounted = plan.isCounted
    if let answer = plan.answer {
      session.serves(id)
      if plan.isCounted { core.stats.answered(status: answer.status) }
      exchange = Exchange(
        answer, plan, framing: ResponseFraming(isStream: true), isHead: request.method == .HEAD, core: core)
      if case .goAway(let mode) = plan.fault { session.goAway(mode, at: id) }
      return pump()
    }
    switch plan.fault {
    case .reset: session.breakOff(.reset, at: self)
    case .resetStream(_, let error): session.breakOff(.resetStream(error), at: self)
    case .garbage: session.breakOff(.garbage, at: self)
    case .goAway(let mode): session.goAway(mode, at: id)
    default: break  // Hangs: the client has to give up.
    }
  }

  // MARK: The answer

  func timerFired() {
    timer = nil
    pump()
  }

  /// Sends what is due, as long as the client takes it.
  private func pump() {
    while let session, !isOver, !isBlocked, exchange != nil {
      var out = session.buffer()
      let step = exchange?.produce(into: &out, scratch: &session.scratch, now: core.now) ?? .ended
      if step == .ended { return finish(out, session) }
      send(out, isEnd: false, waits: step == .more, session)
      guard !isOver else { return }
      switch step {
      case .more, .ended: break
      case .wait(let due):
        timer = core.timers.schedule(at: due, self)
        return
      case .stalled: return
      case .broken(let end): return session.breakOff(end, at: self)
      }
    }
  }

  private func finish(_ last: ByteBuffer, _ session: HTTP2Session) {
    // The codec says that the stream is closed from inside the write.
    isOver = true
    let afterwards = exchange?.plan.afterwards
    exchange = nil
    if isCounted { core.stats.requestCompleted() }
    send(last, isEnd: true, waits: false, session)
    // The rest of a body that is too large is not worth waiting for (RFC 9113 §8.1).
    if !isRequestComplete { session.write(.rstStream(.noError), on: id) }
    session.flush()
    session.ended(self, afterwards: afterwards)
  }

  private func send(_ bytes: ByteBuffer, isEnd: Bool, waits: Bool, _ session: HTTP2Session) {
    core.stats.sent(bytes.readableBytes)
    var body = bytes
    if head != nil, !sendHead(&body, isEnd: isEnd, session) { return }
    guard body.readableBytes > 0 || isEnd else { return session.flush() }
    var written: EventLoopPromise<Void>?
    if waits {
      // Behind the client's windows; the next batch is made when this one has left.
      isBlocked = true
      let promise = core.loop.makePromise(of: Void.self)
      let loop = core.loop
      // Not from inside the write, which may end at once.
      promise.futureResult.assumeIsolated().whenComplete { _ in
        loop.assumeIsolated().execute {
          self.isBlocked = false
          self.pump()
        }
      }
      written = promise
    }
    session.write(.data(.init(data: .byteBuffer(body), endStream: isEnd)), on: id, promise: written)
    session.flush()
  }

  /// Takes the head off the bytes. False when there is nothing behind it to send.
  private func sendHead(_ bytes: inout ByteBuffer, isEnd: Bool, _ session: HTTP2Session) -> Bool {
    var head = self.head ?? []
    let end = Array("\r\n\r\n".utf8)
    while bytes.readableBytes > 0, head.suffix(end.count) != end[...], let byte: UInt8 = bytes.readInteger() {
      head.append(byte)
    }
    guard head.suffix(end.count) == end[...] else {
      self.head = head
      return false
    }
    self.head = nil
    let isAll = isEnd && bytes.readableBytes == 0
    session.write(.headers(.init(headers: HTTP2Head.response(head), endStream: isAll)), on: id)
    if isAll { session.flush() }
    return !isAll
  }

  // MARK: The end

  /// Ends without an answer, or within it; the session has forgotten it.
  func end(_ end: End) {
    guard !isOver else { return }
    isOver = true
    if let timer { core.timers.cancel(timer) }
    timer = nil
    guard isCounted else { return }
    switch end {
    case .broken: core.stats.requestBroken()
    case .cancelled: core.stats.requestCancelled(midStream: exchange?.hasSentBytes ?? false)
    }
  }
}
