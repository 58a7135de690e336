import NIOCore
import SluiceDialects
import SluicePolicy
import SluiceRuntime

/// One exchange between a connection and a task.
///
/// States: waiting (no head yet) → streaming → over. The head promise is answered once, by a head, a failure, a clock or
/// cancellation; afterwards the body carries the end. Over is reached once and gives the connection back.
/// With a judge, an answer of status 400 and up never reaches the caller as an answer: waiting → refused (its body is
/// collected up to `HTTPRefusal.maxBody`) → over, with the judge's word in the report and as the error.
/// Bounds: at most `high` pieces of one read each wait for the reader.
/// Confined to the connection's event loop, which `@unchecked Sendable` relies on; what tasks call hops first.
final class ClientExchange: UpstreamPeer, NIOAsyncSequenceProducerDelegate, @unchecked Sendable {
  static let low = 2
  static let high = 8

  private let connection: UpstreamConnection
  private var exchange: (any UpstreamExchange)?
  private let timeouts: HTTPClientTimeouts
  private let judge: HTTPRefusal.Judge?
  private let giveBack: (ExchangeReport) -> Void
  private var refusal: HTTPRefusal?
  /// Let go of once answered: a future keeps its value, and the body has to go when its reader lets go.
  private var head: EventLoopPromise<HTTPClientResponse>?
  private var source: HTTPClientBody.Producer.Source?
  private var hasHead = false
  private var isOver = false
  private var isPaused = false
  private let started: NIODeadline
  private var firstByte = Interval.zero
  private var lastPiece: NIODeadline
  private var timer: Scheduled<Void>?

  init(
    _ connection: UpstreamConnection, timeouts: HTTPClientTimeouts, judge: HTTPRefusal.Judge? = nil,
    giveBack: @escaping (ExchangeReport) -> Void
  ) {
    self.connection = connection
    self.timeouts = timeouts
    self.judge = judge
    self.giveBack = giveBack
    started = connection.eventLoop.now
    lastPiece = started
  }

  /// The response's head; the exchange goes on under the body that it carries.
  func run(_ request: UpstreamRequest) async throws -> HTTPClientResponse {
    let eventLoop = connection.eventLoop
    let head = eventLoop.makePromise(of: HTTPClientResponse.self)
    return try await withTaskCancellationHandler {
      eventLoop.execute {
        // Cancelled before it began: the connection may be somebody else's by now.
        guard !self.isOver else { return head.fail(CancellationError()) }
        self.head = head
        self.armTimer()
        self.exchange = self.connection.start(request, peer: self)
      }
      return try await head.futureResult.get()
    } onCancel: {
      eventLoop.execute { self.stop(CancellationError(), .cancelled) }
    }
  }

  func upstreamHead(_ head: ResponseHead, bytes: ByteBuffer, reused: Bool) {
    hasHead = true
    lastPiece = connection.eventLoop.now
    firstByte = Interval(nanoseconds: (lastPiece - started).nanoseconds)
    if judge != nil, head.status >= 400 {
      refusal = HTTPRefusal(head: head, bytes: bytes)
      return armTimer()
    }
    let made = HTTPClientBody.Producer.makeSequence(
      elementType: ByteBuffer.self, failureType: (any Error).self,
      backPressureStrategy: .init(lowWatermark: Self.low, highWatermark: Self.high), finishOnDeinit: false,
      delegate: self)
    source = made.source
    armTimer()
    let promise = self.head
    self.head = nil
    promise?.succeed(
      HTTPClientResponse(head, bytes, body: HTTPClientBody(sequence: made.sequence), reused: reused))
  }

  func upstreamBody(_ part: UpstreamBodyPart) {
    lastPiece = connection.eventLoop.now
    switch part {
    case .payload(let buffer): yield(buffer)
    case .raw(let buffer, let ranges, _):
      var payload = ByteBuffer()
      for range in ranges {
        if var slice = buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: Int(range.count)) {
          payload.writeBuffer(&slice)
        }
      }
      if payload.readableBytes > 0 { yield(payload) }
    }
  }

  func upstreamReadComplete() {}

  func upstreamEnd(reusable: Bool) {
    over(ExchangeReport(result: .success, fate: reusable ? .reusable : .close(.remoteClosed)), throwing: nil)
  }

  func upstreamFailed(_ failure: UpstreamFailure) {
    let result = failure.isRefused ? ExchangeResult.unused : .failed(failure.failureClass)
    let report = ExchangeReport(result: result, fate: .close(.broken))
    over(report, throwing: HTTPClientError.upstream(failure))
  }

  // The body's reader.

  func produceMore() {
    connection.eventLoop.execute {
      guard !self.isOver else { return }
      self.isPaused = false
      self.lastPiece = self.connection.eventLoop.now
      self.exchange?.setReading(true)
    }
  }

  func didTerminate() {
    connection.eventLoop.execute { self.stop(HTTPClientError.abandoned, .cancelled) }
  }
}

extension ClientExchange {
  private func yield(_ buffer: ByteBuffer) {
    if refusal?.collect(buffer) == false {
      // Enough to judge by; the rest is not worth waiting for.
      exchange?.cancel()
      return over(ExchangeReport(result: .success, fate: .close(.cancelled)), throwing: nil)
    }
    guard let source else { return }
    if case .stopProducing = source.yield(contentsOf: CollectionOfOne(buffer)) {
      isPaused = true
      exchange?.setReading(false)
    }
  }

  private func stop(_ error: any Error, _ result: ExchangeResult) {
    guard !isOver else { return }
    exchange?.cancel()
    over(ExchangeReport(result: result, fate: .close(.cancelled)), throwing: error)
  }

  private func over(_ report: ExchangeReport, throwing error: (any Error)?) {
    guard !isOver else { return }
    isOver = true
    timer?.cancel()
    timer = nil
    var report = report
    report.latency = firstByte
    report.total = Interval(nanoseconds: (connection.eventLoop.now - started).nanoseconds)
    var error = error
    if let refusal, let judge, !(error is CancellationError) {
      // What came of its body tells enough even when the end is missing.
      let failure = refusal.judged(by: judge)
      report.result = .failed(failure.failureClass)
      report.scope = failure.reach.scope
      report.coolFor = failure.retryAfter
      error = HTTPRefusedAnswer(failure: failure)
    }
    exchange = nil
    giveBack(connection.settled(report))
    if let error {
      if let source { source.finish(error) } else { head?.fail(error) }
    } else {
      source?.finish()
    }
    source = nil
    head = nil
  }

  /// One timer for the three clocks: set for the next one due, looked at again when it was moved meanwhile.
  private func armTimer() {
    let due = nextDue().deadline
    timer?.cancel()
    timer = connection.eventLoop.scheduleTask(deadline: due) {
      let due = self.nextDue()
      guard due.deadline <= self.connection.eventLoop.now else { return self.armTimer() }
      self.stop(HTTPClientError.timeout(due.clock), .failed(.timeout))
    }
  }

  private func nextDue() -> (deadline: NIODeadline, clock: HTTPClientError.Clock) {
    let total = started + .nanoseconds(timeouts.total.nanoseconds)
    guard hasHead else { return min(total, .head, started, timeouts.head) }
    // A reader that takes its time is not the upstream's fault.
    let from = isPaused ? connection.eventLoop.now : lastPiece
    return min(total, .between, from, timeouts.between)
  }

  private func min(
    _ total: NIODeadline, _ clock: HTTPClientError.Clock, _ from: NIODeadline, _ limit: Interval
  ) -> (NIODeadline, HTTPClientError.Clock) {
    let due = from + .nanoseconds(limit.nanoseconds)
    return due < total ? (due, clock) : (total, .total)
  }
}
