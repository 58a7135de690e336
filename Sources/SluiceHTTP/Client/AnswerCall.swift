package import NIOCore
package import SluiceDialects
package import SluicePolicy
package import SluiceRuntime

/// What came back for one small request.
package struct SmallAnswer: Sendable {
  package var head: ResponseHead
  /// The head's own bytes, which its offsets are relative to.
  package var headBytes: ByteBuffer
  /// At most as much as was to be kept.
  package var body = ByteBuffer()
  /// False: the body went on beyond what was to be kept, and the rest was not waited for.
  package var isWhole = true
  /// The connection can serve again.
  package var reusable = false

  package var status: Int { head.status }
}

/// Why there is no answer.
package enum AnswerFailure: Error, Hashable, Sendable, CustomStringConvertible {
  case connect(ConnectFailure)
  /// The deadline passed before the end of the answer.
  case timeout
  case exchange(UpstreamFailure)

  package var failureClass: FailureClass {
    switch self {
    case .connect(let failure): failure.failureClass
    case .timeout: .timeout
    case .exchange(let failure): failure.failureClass
    }
  }

  package var description: String {
    switch self {
    case .connect(let failure): failure.description
    case .timeout: "no answer in time"
    case .exchange(let failure): failure.description
    }
  }
}

/// One small request and its answer: heartbeats, probes, questions to metadata services. HTTP/1.1 or HTTP/2, whichever
/// the connection speaks. Confined to the connection's event loop.
///
/// States: waiting → over, by the end of the answer, its length, its failure, the deadline or `cancel`.
/// Invariants: `done` is called at most once, and not after `cancel`; it is called before an exchange that has not
/// ended is let go of (which closes an HTTP/1.1 connection, so that whoever reports to a pool can do so first); nothing
/// is kept beyond `bound` bytes of body, and nothing runs on the connection after the call is over.
package final class AnswerCall: UpstreamPeer {
  package typealias Done = (Result<SmallAnswer, AnswerFailure>) -> Void

  private let bound: Int
  private var done: Done?
  private var exchange: (any UpstreamExchange)?
  private var timer: Scheduled<Void>?
  private var answer: SmallAnswer?

  private init(bound: Int, _ done: @escaping Done) {
    self.bound = bound
    self.done = done
  }

  /// On the connection's event loop, which also calls `done`; never from inside this call.
  @discardableResult
  package static func start(
    _ request: UpstreamRequest, on connection: UpstreamConnection, bound: Int, deadline: NIODeadline,
    _ done: @escaping Done
  ) -> AnswerCall {
    let call = AnswerCall(bound: bound, done)
    call.timer = connection.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      call.finish(.failure(.timeout))
    }
    call.exchange = connection.start(request, peer: call)
    return call
  }

  /// The answer is not wanted any more.
  package func cancel() {
    done = nil
    letGo()
  }

  package func upstreamHead(_ head: ResponseHead, bytes: ByteBuffer, reused: Bool) {
    answer = SmallAnswer(head: head, headBytes: bytes)
  }

  package func upstreamBody(_ part: UpstreamBodyPart) {
    guard var answer else { return }
    // Not shared while it grows.
    self.answer = nil
    part.forEachPayload { bytes in
      let room = bound - answer.body.readableBytes
      answer.body.writeBytes(bytes.prefix(room))
      if bytes.count > room { answer.isWhole = false }
    }
    self.answer = answer
    if !answer.isWhole { finish(.success(answer)) }
  }

  package func upstreamReadComplete() {}

  package func upstreamEnd(reusable: Bool) {
    exchange = nil
    guard var answer else { return }
    answer.reusable = reusable
    finish(.success(answer))
  }

  package func upstreamFailed(_ failure: UpstreamFailure) {
    exchange = nil
    finish(.failure(.exchange(failure)))
  }

  private func finish(_ result: Result<SmallAnswer, AnswerFailure>) {
    guard let done else { return }
    self.done = nil
    done(result)
    letGo()
  }

  private func letGo() {
    timer?.cancel()
    timer = nil
    exchange?.cancel()
    exchange = nil
    answer = nil
  }
}

extension HTTPConnector {
  /// Asks over a connection of its own, which is closed afterwards. `deadline` holds for connecting and the answer;
  /// `request` is made once the connection is open; `done` is called once, on `eventLoop`.
  package func ask(
    _ origin: HTTPOrigin, on eventLoop: any EventLoop, bound: Int, deadline: NIODeadline,
    clock: any MonotonicClock = SystemClock(), _ request: @escaping @Sendable () -> UpstreamRequest,
    _ done: @escaping @Sendable (Result<SmallAnswer, AnswerFailure>) -> Void
  ) {
    open(origin, on: eventLoop, deadline: deadline, clock: clock) { opened in
      switch opened {
      case .failure(let failure): done(.failure(.connect(failure)))
      case .success(let connection):
        AnswerCall.start(request(), on: connection, bound: bound, deadline: deadline) { result in
          connection.close(reason: .verification)
          done(result)
        }
      }
    }
  }
}
