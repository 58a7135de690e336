import NIOCore
import NIOPosix
import ServiceLifecycle
import SluiceSimulator

/// `sluice demo --tour`: shows step by step, on the running gateway and with faults of the simulator, what a pool does.
/// Everything printed was measured a moment before.
struct Tour: Service {
  struct Result: Sendable {
    var claims = 0
    var broken = 0
    var seconds = 0.0
    /// Ctrl-C came before its end.
    var isInterrupted = false
  }

  let url: String
  let simulator: SimulatorServer
  let configuration: TourConfiguration
  let onEnd: @Sendable (Result) -> Void

  func run() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    var result = Result()
    do {
      result = try await cancelWhenGracefulShutdown { try await walk(Array(group.makeIterator())) }
    } catch is CancellationError {
      result.isInterrupted = true
    } catch  where Task.isShuttingDownGracefully {
      result.isInterrupted = true
    } catch {
      Terminal.complain("the tour broke off: \(error)")
      result.broken += 1
    }
    try await group.shutdownGracefully()
    onEnd(result)
  }

  private func walk(_ loops: [any EventLoop]) async throws -> Result {
    let start = ContinuousClock.now
    let client = try TourClient(url: url, loops: loops)
    var stage = TourStage(client: client, simulator: simulator, configuration: configuration)
    for (index, step) in TourStep.all.enumerated() {
      Terminal.line(Terminal.output.styled("\(index + 1)/\(TourStep.all.count)  \(step.title)", .bold))
      Terminal.line("   " + Terminal.output.styled(step.lesson, .dim))
      try await step.run(&stage)
      Terminal.line()
    }
    try await simulator.setFaults([])
    await client.close()
    return Result(claims: stage.claims, broken: stage.broken, seconds: (ContinuousClock.now - start) / .seconds(1))
  }
}
