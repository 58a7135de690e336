import Sluice
import SluiceSimulator
import Testing

struct SluiceLifetimeTests {
  private static let stalled = SimulatorFault(.stall(.events(4), nil))

  @Test func leavingTheLoopClosesTheUpstream() async throws {
    try await SluiceScene.run(faults: [Self.stalled]) { scene in
      for try await delta in scene.sluice.stream(model: "gpt-4o-mini", [.user("Hi")]) {
        if !delta.text.isEmpty { break }
      }
      #expect(await scene.eventually { $0.cancelled.midStream == 1 && $0.connections.open == 0 })
    }
  }

  @Test func cancelledTaskClosesTheUpstream() async throws {
    try await SluiceScene.run(faults: [Self.stalled]) { scene in
      let sluice = scene.sluice
      await withTaskGroup(of: Bool.self) { tasks in
        tasks.addTask {
          do {
            for try await _ in sluice.stream(model: "claude-sonnet-4-5", [.user("Hi")]) {}
            return false
          } catch {
            return error is CancellationError
          }
        }
        #expect(await scene.eventually { $0.requests.concurrent == 1 && $0.bytesSent > 0 })
        tasks.cancelAll()
        #expect(await tasks.next() == true)
      }
      #expect(await scene.eventually { $0.cancelled.midStream == 1 && $0.connections.open == 0 })
    }
  }

  @Test func cancelledChatClosesTheUpstream() async throws {
    try await SluiceScene.run(faults: [SimulatorFault(.hang(.request))]) { scene in
      let sluice = scene.sluice
      await withTaskGroup(of: Bool.self) { tasks in
        tasks.addTask {
          do {
            _ = try await sluice.chat(model: "gpt-4o-mini", [.user("Hi")])
            return false
          } catch {
            return error is CancellationError
          }
        }
        #expect(await scene.eventually { $0.requests.total == 1 })
        tasks.cancelAll()
        #expect(await tasks.next() == true)
      }
      #expect(await scene.eventually { $0.cancelled.beforeFirstByte == 1 })
    }
  }

  @Test func streamsNothingBeforeItIsAsked() async throws {
    try await SluiceScene.run { scene in
      _ = scene.sluice.stream(model: "gpt-4o-mini", [.user("Hi")]).makeAsyncIterator()
      #expect(await scene.simulator.stats().connections.opened == 0)
    }
  }

  @Test func shutdownClosesAndRefuses() async throws {
    try await SluiceScene.run { scene in
      _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")])
      #expect(await scene.simulator.stats().connections.open == 1)
      await scene.sluice.shutdown()
      #expect(await scene.eventually { $0.connections.open == 0 })
      let error = await scene.failure { _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")]) }
      #expect(error?.code == .shutDown)
    }
  }

  @Test func serviceEndsByDraining() async throws {
    try await SluiceScene.run { scene in
      let sluice = scene.sluice
      _ = try await sluice.chat(model: "gpt-4o-mini", [.user("Hi")])
      await withTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try? await sluice.run() }
        tasks.cancelAll()
      }
      #expect(await scene.eventually { $0.connections.open == 0 })
    }
  }

  /// What runs when the end is announced runs on to its own end.
  @Test(arguments: [true, false]) func shutdownLetsRunningCallsFinish(streams: Bool) async throws {
    let pause =
      streams
      ? SimulatorFault.Kind.stall(.events(4), .seconds(2))
      : .slow(
        firstByte: .seconds(2), tokensPerSecond: nil)
    try await SluiceScene.run(faults: [SimulatorFault(pause)]) { scene in
      let sluice = scene.sluice
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
          if streams {
            for try await _ in sluice.stream(model: "gpt-4o-mini", [.user("Hi")]) {}
          } else {
            _ = try await sluice.chat(model: "gpt-4o-mini", [.user("Hi")])
          }
        }
        // Not that it is running: a machine under load may look away for as long as that takes.
        #expect(await scene.eventually { $0.requests.total == 1 })
        await sluice.shutdown()
        try await tasks.waitForAll()
      }
      #expect(await scene.simulator.stats().requests.completed == 1)
    }
  }

  @Test func lettingGoClosesTheConnections() async throws {
    try await SluiceScene.run { scene in
      var sluice: Sluice? = try await Sluice(
        configuration: .yaml(SluiceScene.configuration(scene.address), environment: [:]))
      _ = try await sluice?.chat(model: "gpt-4o-mini", [.user("Hi")])
      #expect(await scene.simulator.stats().connections.open > 0)
      sluice = nil
      #expect(await scene.eventually { $0.connections.open == 0 })
    }
  }
}
