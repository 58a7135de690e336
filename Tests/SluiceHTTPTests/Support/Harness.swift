import NIOCore
import NIOPosix
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

/// What a test waited for and never got.
struct DidNotCome: Error, CustomStringConvertible {
  var what: String
  var description: String { "\(what) did not come" }
}

extension EventLoopFuture where Value: Sendable {
  /// The value; or, after a time that is generous even for a machine that does much else, an error that says what did not
  /// come. A test that only hangs says nothing.
  func arrival(of what: String) async throws -> Value {
    let promise = eventLoop.makePromise(of: Value.self)
    let limit = eventLoop.scheduleTask(in: .seconds(90)) { promise.fail(DidNotCome(what: what)) }
    whenComplete {
      limit.cancel()
      promise.completeWith($0)
    }
    return try await promise.futureResult.get()
  }
}

/// What an exchange came to, as its peer saw it.
struct Outcome: Sendable {
  var status: Int?
  var head = ""
  var reused = false
  var body: [UInt8] = []
  /// Bytes as they would be forwarded where chunks could stay as they were.
  var raw: [UInt8] = []
  var rawParts = 0
  var payloadParts = 0
  var hasLastRaw = false
  var reusable: Bool?
  var failure: UpstreamFailure?
  /// Calls after the end: none allowed.
  var late = 0

  var text: String { String(decoding: body, as: UTF8.self) }
}

/// Records everything. `@unchecked Sendable`: confined to the connection's loop, read after `finished`.
final class RecordingPeer: UpstreamPeer, @unchecked Sendable {
  private(set) var outcome = Outcome()
  private var isOver = false
  let headArrived: EventLoopPromise<Void>
  private let over: EventLoopPromise<Outcome>
  /// Run on every part, for back-pressure.
  var onHead: (() -> Void)?
  var onBody: ((Int) -> Void)?
  var onEnd: (() -> Void)?

  init(on eventLoop: any EventLoop) {
    headArrived = eventLoop.makePromise()
    over = eventLoop.makePromise()
  }

  /// Exchanges that were cancelled never end for their peer. After the others the loop may be gone already.
  deinit {
    guard !isOver else { return }
    headArrived.fail(ChannelError.eof)
    over.fail(ChannelError.eof)
  }

  func finished() async throws -> Outcome { try await over.futureResult.arrival(of: "the end of an exchange") }
  var isFinished: Bool { isOver }

  func upstreamHead(_ head: ResponseHead, bytes: ByteBuffer, reused: Bool) {
    note()
    outcome.status = head.status
    outcome.head = String(buffer: bytes)
    outcome.reused = reused
    headArrived.succeed()
    onHead?()
  }

  func upstreamBody(_ part: UpstreamBodyPart) {
    note()
    part.forEachPayload { outcome.body += $0 }
    if case .raw(let buffer, _, let last) = part {
      outcome.rawParts += 1
      outcome.raw += buffer.readableBytesView
      outcome.hasLastRaw = last
    } else {
      outcome.payloadParts += 1
    }
    onBody?(part.payloadBytes)
  }

  func upstreamReadComplete() { note() }

  func upstreamEnd(reusable: Bool) {
    note()
    outcome.reusable = reusable
    end()
    onEnd?()
  }

  func upstreamFailed(_ failure: UpstreamFailure) {
    note()
    outcome.failure = failure
    end()
  }

  private func note() {
    if isOver { outcome.late += 1 }
  }

  private func end() {
    isOver = true
    headArrived.fail(ChannelError.eof)
    over.succeed(outcome)
  }
}

/// Hears what a connection reports to its pool. `@unchecked Sendable`: confined to one event loop.
final class RecordingSink: ResourceEventSink, @unchecked Sendable {
  private let promise: EventLoopPromise<Interval?>
  private(set) var closedCount = 0
  private(set) var limits: [Interval] = []
  private(set) var capacities: [Int] = []
  private(set) var drainings = 0
  private(set) var reasons: [CloseReason] = []

  init(on eventLoop: any EventLoop) { promise = eventLoop.makePromise() }
  deinit { promise.fail(ChannelError.eof) }

  func closed() async throws -> Interval? { try await promise.futureResult.arrival(of: "the end of a connection") }

  func resourceClosed(_ resource: ResourceID, idleFor: Interval?, reason: CloseReason) {
    closedCount += 1
    reasons.append(reason)
    promise.succeed(idleFor)
  }

  func resourceCapacityChanged(_ resource: ResourceID, to capacity: Int) { capacities.append(capacity) }
  func resourceIdleLimitAnnounced(_ resource: ResourceID, _ limit: Interval) { limits.append(limit) }
  func resourceDraining(_ resource: ResourceID) { drainings += 1 }
}

/// A transport over the singleton loops and the usual steps of a test.
struct Harness: Sendable {
  let transport: HTTPTransport
  let connector: HTTPConnector
  let eventLoop: any EventLoop

  init(
    on loop: (any EventLoop)? = nil, _ change: (inout HTTPConnectionOptions) -> Void = { _ in }
  ) throws {
    var options = HTTPConnectionOptions.unhurried
    change(&options)
    eventLoop = loop ?? MultiThreadedEventLoopGroup.singleton.next()
    transport = HTTPTransport(loops: [eventLoop], options: options)
    connector = try HTTPConnector(transport: transport)
  }

  func open(
    _ origin: HTTPOrigin, within limit: TimeAmount = .hours(1), sink: RecordingSink? = nil
  ) async throws -> HTTPConnection {
    guard let connection = try await openAny(origin, within: limit, sink: sink).http1 else { throw NotHTTP1() }
    return connection
  }

  struct NotHTTP1: Error {}

  /// A connection of whichever version comes about.
  func openAny(
    _ origin: HTTPOrigin, within limit: TimeAmount = .seconds(20), sink: RecordingSink? = nil
  ) async throws -> UpstreamConnection {
    if origin.tls != nil { try connector.add(origin) }
    let events = sink.map { ResourceEvents(resource: ResourceID(index: 1, generation: 1), sink: $0) }
    let promise = eventLoop.makePromise(of: UpstreamConnection.self)
    connector.open(origin, on: eventLoop, deadline: .now() + limit, events: events) { result in
      promise.completeWith(result.mapError { $0 as any Error })
    }
    return try await promise.futureResult.arrival(of: "a connection, or why there is none")
  }

  func open(_ server: RawServer, sink: RecordingSink? = nil) async throws -> HTTPConnection {
    try await open(HTTPOrigin(scheme: .http, host: "127.0.0.1", port: server.port), sink: sink)
  }

  /// The failure of a connect that must not succeed.
  func failure(_ origin: HTTPOrigin, within limit: TimeAmount = .hours(1)) async throws -> ConnectFailure? {
    do {
      let connection = try await open(origin, within: limit)
      connection.close(reason: .shutdown)
      return nil
    } catch let failure as ConnectFailure {
      return failure
    }
  }

  /// The failure of a connect whose deadline passes during a step. A short deadline may pass before on a busy machine;
  /// then a longer one is tried.
  func failure(_ origin: HTTPOrigin, during step: ConnectFailure.Step) async throws -> ConnectFailure? {
    var limit = TimeAmount.milliseconds(100)
    while true {
      let failure = try await failure(origin, within: limit)
      let isEarly = failure.map { $0.kind == .timeout && !$0.description.contains(step.rawValue) } ?? false
      guard isEarly, limit < .minutes(1) else { return failure }
      limit = limit * 4
    }
  }

  func start(
    _ connection: HTTPConnection, _ request: UpstreamRequest = .get, peer: RecordingPeer? = nil
  ) async throws -> RecordingPeer {
    try await eventLoop.submit {
      let peer = peer ?? RecordingPeer(on: self.eventLoop)
      connection.start(request, peer: peer)
      return peer
    }.get()
  }

  /// One exchange with a scripted answer.
  func exchange(
    _ connection: HTTPConnection, with server: RawPeer, answer: String, request: UpstreamRequest = .get
  ) async throws -> Outcome {
    let peer = try await start(connection, request)
    try await server.request()
    try await server.send(answer)
    return try await peer.finished()
  }

  /// `quietSince`: right after it has asked, the loop does nothing else for longer than the time since then.
  func verify(_ connection: HTTPConnection, quietSince: NIODeadline? = nil) async throws -> Bool {
    let promise = eventLoop.makePromise(of: Bool.self)
    eventLoop.execute {
      connection.verify(deadline: SystemClock().now() + .hours(1)) { promise.succeed($0) }
      let now = NIODeadline.now()
      let end = quietSince.map { now + (now - $0) + .milliseconds(200) } ?? now
      while NIODeadline.now() < end {}
    }
    return try await promise.futureResult.arrival(of: "the answer to a verification")
  }

  /// Real time has to pass where the kernel's own clock is under test.
  func kernelTime(_ amount: TimeAmount) async throws {
    try await eventLoop.scheduleTask(in: amount) {}.futureResult.get()
  }

  /// How long the kernel has heard nothing of the peer.
  func quietMilliseconds(_ connection: HTTPConnection) async throws -> UInt32 {
    try await eventLoop.submit {
      connection.descriptor.flatMap { SocketFacts.read($0) }?.lastHeardMilliseconds ?? .max
    }.get()
  }

  /// Waits until the monitor has looked at its connections this often since the exchange began.
  func monitorTicks(_ count: UInt64, _ connection: HTTPConnection) async throws {
    while try await eventLoop.submit({ connection.monitor.tick - connection.startedTick }).get() < count {
      try await kernelTime(.milliseconds(100))
    }
  }
}

extension HTTPConnectionOptions {
  /// Nothing grows old while a busy machine is slow.
  static var unhurried: HTTPConnectionOptions {
    var options = HTTPConnectionOptions()
    options.staleAfter = .hours(1)
    options.userTimeout = .hours(1)
    options.trustHeardWithin = .hours(1)
    return options
  }
}

extension HTTPClientTimeouts {
  static var unhurried: HTTPClientTimeouts {
    var timeouts = HTTPClientTimeouts()
    timeouts.acquire = .hours(1)
    timeouts.head = .hours(1)
    timeouts.between = .hours(1)
    timeouts.total = .hours(2)
    return timeouts
  }
}

extension Trait where Self == TimeLimitTrait {
  /// Ends a test that waits for something that never comes. No test takes a hundredth of this, however busy the machine.
  static var mustEnd: Self { .timeLimit(.minutes(10)) }
}

extension UpstreamRequest {
  static var get: UpstreamRequest {
    UpstreamRequest(head: ByteBuffer(string: "GET /v1/models HTTP/1.1\r\nhost: test\r\n\r\n"))
  }

  static var headOnly: UpstreamRequest {
    UpstreamRequest(head: ByteBuffer(string: "HEAD / HTTP/1.1\r\nhost: test\r\n\r\n"), isHead: true)
  }

  static func post(bytes: Int) -> UpstreamRequest {
    UpstreamRequest(
      head: ByteBuffer(string: "POST /v1/chat HTTP/1.1\r\nhost: test\r\ncontent-length: \(bytes)\r\n\r\n"),
      body: ByteBuffer(repeating: UInt8(ascii: "x"), count: bytes))
  }
}

let okAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
