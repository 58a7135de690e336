import SluiceDialects

internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// What is to be done about one request.
struct ExchangePlan {
  /// Absent if a fault answers, or nobody does.
  var answer: Answer?
  /// Strikes within the answer.
  var fault: SimulatorFault.Kind?
  /// Strikes once the answer is out.
  var afterwards: SimulatorFault.Kind?
  /// Control requests are not counted and meet no faults.
  var isCounted: Bool
}

/// The simulator's state: one value on one event loop, so nothing here needs a lock.
final class SimulatorCore {
  let loop: any EventLoop
  let options: SimulatorOptions
  let timers: SimulatorTimers
  let logger: Logger
  let tls: NIOSSLContext?
  var stats = StatsBook()
  private(set) var faults: FaultBook
  private(set) var connections: [ObjectIdentifier: ConnectionDoor] = [:]
  private var world: World
  private var openAI: OpenAIService
  private var anthropic: AnthropicService
  private var others: [ProviderCall.Provider: HubService] = [:]
  private var dateLine: (second: Int64, line: [UInt8]) = (-1, [])
  /// Streams that a client of HTTP/2 may have open on one connection.
  private(set) var maxConcurrentStreams: Int
  /// Told when the set of faults changes, which may close or open the listener.
  var onFaultsChanged: () -> Void = {}

  init(_ options: SimulatorOptions, tls: NIOSSLContext? = nil, loop: any EventLoop, logger: Logger) {
    self.loop = loop
    self.options = options
    self.logger = logger
    self.tls = tls
    maxConcurrentStreams = options.maxConcurrentStreams
    timers = SimulatorTimers(options.clock, loop: loop)
    faults = FaultBook(seed: options.seed)
    world = World(options)
    openAI = OpenAIService(options)
    anthropic = AnthropicService(options)
    for provider in ProviderCall.Provider.allCases where provider != .openai && provider != .anthropic {
      others[provider] = HubService(provider, options)
    }
  }

  var now: Int64 { timers.now }

  // MARK: Connections

  /// False when there is no room.
  func admit(_ connection: ConnectionDoor) -> Bool {
    guard connections.count < options.maxConnections else {
      stats.connectionRefused()
      return false
    }
    connections[ObjectIdentifier(connection)] = connection
    stats.connectionOpened()
    return true
  }

  func forget(_ connection: ConnectionDoor) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    stats.connectionClosed()
  }

  /// Says to every open connection of HTTP/2, and to those to come, how many streams it may have.
  func allow(streams: Int) throws(SimulatorError) {
    guard SimulatorOptions.streamLimits.contains(streams) else {
      throw SimulatorError(description: "max_concurrent_streams must be \(SimulatorOptions.streamLimits)")
    }
    maxConcurrentStreams = streams
    for session in sessions { session.allow(streams: streams) }
  }

  var sessions: [HTTP2Session] { connections.values.compactMap { $0.guest as? HTTP2Session } }

  /// The fault that meets a new connection.
  func acceptFault() -> SimulatorFault.Kind? {
    strike(.accept, nil)
  }

  // MARK: Requests

  func plan(_ request: SimulatedRequest) -> ExchangePlan {
    if request.path.hasPrefix(ControlPlane.prefix) {
      let answer = ControlPlane.answer(request, self)
      return ExchangePlan(answer: answer, isCounted: false)
    }
    world.now = timers.now
    world.unixSeconds = timers.unixSeconds
    guard var call = ProviderRouter.route(request) else {
      stats.requestBegan(key: "", path: "other")
      let error = ProviderError(404, type: "invalid_request_error", "Unknown request URL: \(request.path)")
      return ExchangePlan(answer: OpenAIService.render(error, requestID: "req_none", limits: []), isCounted: true)
    }
    call.body = Self.decode(request)
    stats.requestBegan(key: call.key.text, path: call.countedPath)
    var plan = ExchangePlan(isCounted: true)
    if !faults.isEmpty {
      let subject = FaultBook.Subject(
        provider: call.provider.rawValue, key: call.key.text, path: String(request.path), model: call.model)
      plan.fault = strike(.answer, subject)
      plan.afterwards = strike(.afterwards, subject)
    }
    plan.answer = answer(call, plan.fault)
    return plan
  }

  private func answer(_ call: ProviderCall, _ fault: SimulatorFault.Kind?) -> Answer? {
    switch fault {
    case .hang, .reset(.bytes(0)), .resetStream(.bytes(0), _), .garbage(.head), .goAway(.before): return nil
    case .status(let status): return scripted(status, call)
    default: break
    }
    let answer =
      switch call.provider {
      case .openai: openAI.answer(call, &world)
      case .anthropic: anthropic.answer(call, &world)
      default: others[call.provider]?.answer(call, &world)
      }
    guard let answer else { return nil }
    if answer.status == 429 { stats.rateLimited() }
    if case .streamError = fault, case .whole = answer.content, answer.status == 200 {
      // Without a stream the same trouble is an error status.
      return scripted(.init(call.provider == .anthropic ? 529 : 500), call)
    }
    return answer
  }

  private func scripted(_ status: SimulatorFault.Status, _ call: ProviderCall) -> Answer {
    switch call.provider {
    case .openai:
      OpenAIService.render(
        OpenAIService.scripted(status), requestID: world.requestIDs.identifier("req_", 24), limits: [])
    case .anthropic:
      AnthropicService.render(
        AnthropicService.scripted(status), requestID: world.requestIDs.identifier("req_01", 22))
    default:
      HubErrors.render(
        HubErrors.scripted(status, call.provider), call.provider,
        requestID: world.requestIDs.identifier("req-", 24))
    }
  }

  private static func decode(_ request: SimulatedRequest) -> Result<JSONValue, JSONError>? {
    guard let body = request.body, body.readableBytes > 0 else { return nil }
    return body.withUnsafeReadableBytes { bytes in
      do throws(JSONError) { return .success(try JSONReader.read(ByteSlice(bytes))) } catch { return .failure(error) }
    }
  }

  // MARK: Faults

  private func strike(_ phase: SimulatorFault.Kind.Phase, _ subject: FaultBook.Subject?) -> SimulatorFault.Kind? {
    guard let kind = faults.strike(phase, subject, now: timers.now) else { return nil }
    stats.faultHit(kind)
    return kind
  }

  func setFaults(_ list: [SimulatorFault]) throws(SimulatorError) {
    guard list.count <= options.maxFaults else {
      throw SimulatorError(description: "at most \(options.maxFaults) faults can be set")
    }
    for (index, fault) in list.enumerated() {
      if let problem = fault.problem() { throw SimulatorError(description: "fault \(index): \(problem)") }
    }
    faults.set(list, now: timers.now)
    onFaultsChanged()
  }

  // MARK: Heads

  /// Status line and headers; `length` is absent where the body is chunked.
  func head(_ answer: Answer, length: Int?, framing: ResponseFraming) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(answer.headers.bytes.count + 192)
    let status = HTTPResponseStatus(statusCode: answer.status)
    out.append(contentsOf: "HTTP/1.1 \(answer.status) \(status.reasonPhrase)\r\n".utf8)
    out.append(contentsOf: dateHeader())
    let isStream = if case .stream = answer.content { true } else { false }
    let type: StaticString = isStream ? answer.streamType : "application/json"
    out.append(contentsOf: "content-type: \(type)\r\n".utf8)
    if isStream { out.append(contentsOf: "cache-control: no-cache\r\n".utf8) }
    if let length {
      out.append(contentsOf: "content-length: \(length)\r\n".utf8)
    } else if framing.isChunked {
      out.append(contentsOf: Array("transfer-encoding: chunked\r\n".utf8))
    }
    if framing.closes {
      out.append(contentsOf: Array("connection: close\r\n".utf8))
    } else if framing.isOld {
      out.append(contentsOf: Array("connection: keep-alive\r\n".utf8))
    }
    out.append(contentsOf: answer.headers.bytes)
    out.append(contentsOf: [0x0D, 0x0A])
    return out
  }

  private func dateHeader() -> [UInt8] {
    let second = timers.unixSeconds
    if dateLine.second != second {
      dateLine = (second, Array("date: \(TimeText.httpDate(unixSeconds: second))\r\n".utf8))
    }
    return dateLine.line
  }
}

/// How the end of an answer is told to the client.
struct ResponseFraming {
  /// HTTP/1.0 knows no chunks.
  var isOld = false
  var closes = false
  /// A stream of HTTP/2 has an end of its own.
  var isStream = false
  var isChunked: Bool { !isOld && !isStream }
}
