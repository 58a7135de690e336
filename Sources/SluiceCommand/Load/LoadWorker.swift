import NIOCore
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// One client of a load run: sends a request, waits for its whole answer, sends the next. Opens a new connection when the
/// old one is gone.
///
/// Confined to its event loop, hence unchecked: everything after `start` happens there.
final class LoadWorker: UpstreamPeer, @unchecked Sendable {
  private let connector: HTTPConnector
  private let origin: HTTPOrigin
  private let loop: any EventLoop
  private let plan: LoadPlan
  private let ticket: @Sendable () -> Bool
  private let done: EventLoopPromise<LoadResult>
  private var requests: [(LoadPlan.Shape, ByteBuffer)] = []
  private var random: SplitMix64
  private var connection: UpstreamConnection?
  private var current: LoadPlan.Shape?
  private var result = LoadResult()
  private var began = NIODeadline.now()
  private var status = 0
  private var tail: [UInt8] = []
  private var isFinished = false

  /// `ticket` says whether one more request may be sent; asked before each.
  init(
    connector: HTTPConnector, origin: HTTPOrigin, loop: any EventLoop, plan: LoadPlan, seed: UInt64,
    ticket: @escaping @Sendable () -> Bool
  ) {
    self.connector = connector
    self.origin = origin
    self.loop = loop
    self.plan = plan
    self.ticket = ticket
    done = loop.makePromise()
    random = SplitMix64(seed: seed)
    requests = plan.shapes.flatMap { shape in
      Array(repeating: (shape, Self.serialize(shape, host: origin.hostHeader)), count: max(1, shape.weight))
    }
  }

  func start() -> EventLoopFuture<LoadResult> {
    loop.execute { self.next() }
    return done.futureResult
  }

  /// Ends after the current request; its answer is not waited for longer than the caller waits for the result.
  func stop() {
    loop.execute {
      self.isFinished = true
      if self.current == nil { self.finish() }
    }
  }

  private static func serialize(_ shape: LoadPlan.Shape, host: String) -> ByteBuffer {
    var head = "POST \(shape.path) HTTP/1.1\r\nhost: \(host)\r\ncontent-type: application/json\r\n"
    for (name, value) in shape.headers { head += "\(name): \(value)\r\n" }
    head += "content-length: \(shape.body.utf8.count)\r\n\r\n"
    return ByteBuffer(string: head + shape.body)
  }

  private func next() {
    guard !isFinished, ticket() else { return finish() }
    if let connection, connection.isOpen { return send(on: connection) }
    let deadline = NIODeadline.now() + .seconds(10)
    connector.open(origin, on: loop, deadline: deadline) { [self] opened in
      switch opened {
      case .success(let connection):
        self.connection = connection
        send(on: connection)
      case .failure(let failure):
        result.fail("connect: \(failure.kind.rawValue)")
        pauseThenNext(atLeast: .milliseconds(50))
      }
    }
  }

  private func send(on connection: UpstreamConnection) {
    let (shape, bytes) = requests[Int(random.next() % UInt64(requests.count))]
    current = shape
    began = .now()
    status = 0
    tail.removeAll(keepingCapacity: true)
    connection.start(UpstreamRequest(head: bytes), peer: self)
  }

  func upstreamHead(_ head: ResponseHead, bytes: ByteBuffer, reused: Bool) {
    status = head.status
    result.firstByte.record(elapsed)
  }

  func upstreamBody(_ part: UpstreamBodyPart) {
    // The end of the answer is enough to see whether a stream was whole, or what an error says.
    part.forEachPayload { bytes in
      tail.append(contentsOf: bytes.suffix(256))
      if tail.count > 512 { tail.removeFirst(tail.count - 256) }
    }
  }

  func upstreamReadComplete() {}

  func upstreamEnd(reusable: Bool) {
    guard let shape = current else { return }
    if status != 200 {
      result.fail("status \(status)")
    } else if shape.isStream && !streamIsWhole {
      result.fail("stream cut short")
    } else {
      result.completed += 1
      result.byShape[shape.name, default: 0] += 1
      if shape.isStream { result.streams += 1 }
      result.latency.record(elapsed)
    }
    if !reusable { connection = nil }
    answered()
  }

  func upstreamFailed(_ failure: UpstreamFailure) {
    connection = nil
    result.fail(failure.label)
    answered()
  }

  private func answered() {
    current = nil
    pauseThenNext(atLeast: .zero)
  }

  private func pauseThenNext(atLeast least: Interval) {
    let pause = max(least, plan.pause)
    if pause > .zero {
      loop.scheduleTask(in: .nanoseconds(pause.nanoseconds)) { self.next() }
    } else {
      // From the loop anew: a fast upstream must not make this recursive.
      loop.execute { self.next() }
    }
  }

  private func finish() {
    isFinished = true
    connection?.close(reason: .shutdown)
    connection = nil
    done.succeed(result)
  }

  private var elapsed: Double { Double((NIODeadline.now() - began).nanoseconds) / 1_000_000 }

  private var streamIsWhole: Bool {
    let text = String(decoding: tail, as: UTF8.self)
    return text.contains("[DONE]") || text.contains("message_stop") || text.contains("response.completed")
  }
}
