public import Logging
public import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// A simulator of model providers: one listener that answers OpenAI's protocol under `/v1`, Anthropic's under
/// `/v1/messages` and the other providers' under their own paths or a prefix (`/gemini`, `/cohere`, `/mistral`, `/azure`,
/// `/huggingface`, `/local`, `/bedrock`), with real limits, believable latency and faults on demand.
///
///     let simulator = SimulatorServer()
///     let address = try await simulator.start()
///     // point an SDK at address.openAIBaseURL or address.anthropicBaseURL
///     try await simulator.setFaults([SimulatorFault(.status(.init(503)), rate: 0.2)])
///     let seen = await simulator.stats()
///     await simulator.stop()
///
/// Everything happens on one event loop. What the answers say depends on the seed and the request alone; `created`
/// times and request ids differ. Everything here can also be reached over HTTP under `/_simulator/`.
public final class SimulatorServer: Sendable {
  private let options: SimulatorOptions
  private let eventLoop: any EventLoop
  private let logger: Logger
  /// Filled while the simulator runs; touched on the event loop only.
  private let running: NIOLoopBoundBox<SimulatorListener?>

  /// Creates a simulator that does not run yet.
  /// - Parameters:
  ///   - options: Address, seed, latency and limits.
  ///   - eventLoop: The loop it runs on; one of the process-wide loops if absent.
  ///   - logger: Told about trouble of the listener.
  public init(
    _ options: SimulatorOptions = SimulatorOptions(), eventLoop: (any EventLoop)? = nil,
    logger: Logger = Logger(label: "sluice.simulator")
  ) {
    self.options = options
    self.logger = logger
    let loop = eventLoop ?? MultiThreadedEventLoopGroup.singleton.next()
    self.eventLoop = loop
    running = NIOLoopBoundBox.makeEmptyBox(valueType: SimulatorListener.self, eventLoop: loop)
  }

  /// Listens.
  /// - Throws: ``SimulatorError`` if it runs already, or the system's error if the address cannot be had.
  /// - Returns: where it is reached, with the port the system chose.
  public func start() async throws -> SimulatorAddress {
    let address = try await eventLoop.flatSubmit { [self] () -> EventLoopFuture<SocketAddress> in
      guard running.value == nil else {
        return eventLoop.makeFailedFuture(SimulatorError(description: "the simulator runs already"))
      }
      let core: SimulatorCore
      do {
        core = SimulatorCore(options, tls: try options.tls?.context(), loop: eventLoop, logger: logger)
      } catch { return eventLoop.makeFailedFuture(error) }
      let listener = SimulatorListener(core)
      running.value = listener
      let bound = listener.open()
      bound.assumeIsolated().whenFailure { _ in self.running.value = nil }
      return bound
    }.get()
    return SimulatorAddress(
      host: address.ipAddress ?? options.host, port: address.port ?? options.port, isSecure: options.tls != nil)
  }

  /// Closes the listener and every connection, and returns when they are closed. A stopped simulator can start again.
  public func stop() async {
    try? await eventLoop.flatSubmit { [self] () -> EventLoopFuture<Void> in
      guard let listener = running.value else { return eventLoop.makeSucceededVoidFuture() }
      running.value = nil
      return listener.close()
    }.get()
  }

  /// Replaces the scripted faults; an empty list ends them all.
  /// - Throws: ``SimulatorError`` if a fault makes no sense, cannot be done on this system, or there are too many.
  public func setFaults(_ faults: [SimulatorFault]) async throws {
    try await onLoop { listener in try listener.core.setFaults(faults) }
  }

  /// Says to the clients of HTTP/2, those connected now and later ones, how many streams a connection may have.
  /// - Throws: ``SimulatorError`` unless the number is within 0 to 2,147,483,647, or if the simulator does not run.
  public func setMaxConcurrentStreams(_ streams: Int) async throws {
    try await onLoop { listener in try listener.core.allow(streams: streams) }
  }

  /// Hits of each fault in force, in the order they were set.
  public func faultHits() async throws -> [Int] {
    try await onLoop { listener in listener.core.faults.entries.map(\.hits) }
  }

  /// What it has seen; all zero while it does not run.
  public func stats() async -> SimulatorStats {
    let stats = try? await onLoop { listener in listener.core.stats.stats }
    return stats ?? SimulatorStats()
  }

  /// Sets all counters to zero; what is open stays counted as open.
  public func resetStats() async {
    try? await onLoop { listener in listener.core.stats.reset() }
  }

  /// Moves a manual clock (``SimulatorClock/manual(startingAt:)``) and does what becomes due.
  /// - Throws: ``SimulatorError`` if the simulator uses the system's clock.
  public func advanceClock(by time: Duration) async throws {
    guard options.clock != .system else {
      throw SimulatorError(description: "only a manual clock can be moved")
    }
    let nanoseconds = FaultClock.nanoseconds(time)
    try await onLoop { listener in listener.core.timers.advance(by: nanoseconds) }
  }

  /// How many exchanges wait for a manual clock.
  public func pendingTimers() async throws -> Int {
    try await onLoop { listener in listener.core.timers.waiting }
  }

  private func onLoop<Value: Sendable>(
    _ body: @escaping @Sendable (SimulatorListener) throws -> Value
  ) async throws -> Value {
    try await eventLoop.submit { [running] in
      guard let listener = running.value else { throw SimulatorError(description: "the simulator does not run") }
      return try body(listener)
    }.get()
  }
}
