import SluicePolicy
import SluiceRuntime
import SluiceSimulator

/// The configuration that the tour's gateway reloads, and how it is written with further keys of OpenAI's pool.
struct TourConfiguration: Sendable {
  let current: DemoConfiguration
  let write: @Sendable (_ added: [String]) -> String
}

/// What a step of the tour works with: calls to the gateway, faults at the simulator, and the claims it makes.
///
/// A claim that does not hold is printed as such and makes the tour's exit status 1: the tour never says what did not
/// happen before its eyes.
struct TourStage: Sendable {
  let client: TourClient
  let simulator: SimulatorServer
  let configuration: TourConfiguration
  private(set) var claims = 0
  private(set) var broken = 0

  /// How long the simulated providers take when nothing else is scripted.
  private static let usual = SimulatorFault(.slow(firstByte: .milliseconds(20), tokensPerSecond: nil))
  private static let patience = Duration.seconds(40)

  init(client: TourClient, simulator: SimulatorServer, configuration: TourConfiguration) {
    self.client = client
    self.simulator = simulator
    self.configuration = configuration
  }

  func faults(_ faults: SimulatorFault...) async throws {
    try await simulator.setFaults(faults + [Self.usual])
  }

  /// Ends all faults and puts a pool's endpoints back as if nothing had happened.
  func heal(_ pool: String) async throws {
    try await faults()
    for endpoint in try await client.pool(pool).endpoints {
      _ = try await client.operate("reset", pool: pool, endpoint: endpoint.name)
    }
  }

  /// That many calls, some of them at once, in the order in which they were answered.
  func calls(
    _ count: Int, atOnce: Int = 1, _ call: @escaping @Sendable (TourClient) async throws -> TourClient.Answer
  ) async throws -> [TourClient.Answer] {
    let client = client
    return try await withThrowingTaskGroup(of: [TourClient.Answer].self) { tasks in
      for worker in 0..<atOnce {
        tasks.addTask {
          var answers: [TourClient.Answer] = []
          for _ in stride(from: worker, to: count, by: atOnce) { answers.append(try await call(client)) }
          return answers
        }
      }
      var all: [TourClient.Answer] = []
      for try await answers in tasks { all += answers }
      return all.sorted { $0.finished < $1.finished }
    }
  }

  /// Calls without a pause while something else is done, and what came of both.
  func traffic<Done>(
    atOnce: Int, _ call: @escaping @Sendable (TourClient) async throws -> TourClient.Answer,
    during: () async throws -> Done
  ) async throws -> (answers: [TourClient.Answer], done: Done) {
    let client = client
    let isOver = Guarded(false)
    return try await withThrowingTaskGroup(of: [TourClient.Answer].self) { tasks in
      for _ in 0..<atOnce {
        tasks.addTask {
          var answers: [TourClient.Answer] = []
          while !isOver.value { answers.append(try await call(client)) }
          return answers
        }
      }
      let done: Done
      do { done = try await during() } catch {
        isOver.replace(with: true)
        throw error
      }
      isOver.replace(with: true)
      var all: [TourClient.Answer] = []
      for try await answers in tasks { all += answers }
      return (all.sorted { $0.finished < $1.finished }, done)
    }
  }

  /// Waits until a pool is as wished; the seconds it took, or nothing after a while.
  func wait(for pool: String, until isWished: (TourClient.Pool) -> Bool) async throws -> Double? {
    let start = ContinuousClock.now
    while ContinuousClock.now - start < Self.patience {
      if isWished(try await client.pool(pool)) { return (ContinuousClock.now - start) / .seconds(1) }
      try await Task.sleep(for: .milliseconds(10))
    }
    return nil
  }

  /// Prints a claim with whether it came true.
  mutating func claim(_ holds: Bool, _ text: String) {
    claims += 1
    broken += holds ? 0 : 1
    let mark = holds ? Terminal.output.styled("✓", .green) : Terminal.output.styled("✗ not so:", .red)
    Terminal.line("   \(mark) \(text)")
  }

  /// Prints what was seen.
  func observe(_ text: String) {
    Terminal.line("     \(text)")
  }
}
