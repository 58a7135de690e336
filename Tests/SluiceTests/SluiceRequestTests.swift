import Foundation
import Sluice
import SluiceSimulator
import Testing

/// What is sent, and what is not even tried.
struct SluiceRequestTests {
  @Test func emptyRequestsAreRefusedHere() async throws {
    try await SluiceScene.run { scene in
      var wild = ChatOptions()
      wild.temperature = .nan
      var silent = ChatOptions()
      silent.maxTokens = 0
      var choppy = ChatOptions()
      choppy.stop = ["a", "b", "c", "d", "e"]
      let refused: [() async throws -> Void] = [
        { _ = try await scene.sluice.chat(model: "gpt-4o-mini", []) },
        { _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.system("Be brief.")]) },
        { _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")], options: wild) },
        { _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")], options: silent) },
        { _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")], options: choppy) },
        { for try await _ in scene.sluice.stream(model: "claude-sonnet-4-5", []) {} },
        { _ = try await scene.sluice.embed(model: "text-embedding-3-small", []) },
      ]
      for (number, call) in refused.enumerated() {
        #expect(await scene.failure(call)?.code == .invalidRequest, "call \(number)")
      }
      #expect(await scene.simulator.stats().requests.total == 0)
    }
  }

  /// The providers say it in different words.
  @Test(arguments: ["gpt-4o-mini", "claude-sonnet-4-5"]) func optionsArrive(model: String) async throws {
    try await SluiceScene.run { scene in
      var options = ChatOptions()
      options.maxTokens = 3
      let answer = try await scene.sluice.chat(model: model, [.user("Tell me everything.")], options: options)
      #expect(answer.usage.outputTokens == 3)
      #expect(answer.finishReason == "length")
    }
  }

  @Test func eachIterationAsksAnew() async throws {
    try await SluiceScene.run { scene in
      let stream = scene.sluice.stream(model: "gpt-4o-mini", [.user("Hi")])
      for _ in 0..<2 {
        for try await _ in stream {}
      }
      #expect(await scene.simulator.stats().requests.completed == 2)
    }
  }

  @Test func errorIsThrownOnce() async throws {
    try await SluiceScene.run(faults: [SimulatorFault(.truncate(.events(4), clean: true))]) { scene in
      var iterator = scene.sluice.stream(model: "gpt-4o-mini", [.user("Hi")]).makeAsyncIterator()
      var errors = 0
      do {
        while try await iterator.next() != nil {}
      } catch {
        errors += 1
      }
      #expect(errors == 1)
      let more = try await iterator.next()
      #expect(more == nil)
      #expect(await scene.simulator.stats().requests.total == 1)
    }
  }

  @Test func configurationFromAFile() async throws {
    try await SluiceScene.run { scene in
      let folder = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      let file = folder.appending(path: "sluice.yaml")
      try Data(SluiceScene.configuration(scene.address).utf8).write(to: file)
      for configuration in [
        Sluice.Configuration.file(file.path, environment: [:]),
        .discovered(environment: ["SLUICE_CONFIG": file.path]),
      ] {
        let sluice = try await Sluice(configuration: configuration)
        let answer = try await sluice.chat(model: "quick", [.user("Hi")])
        #expect(answer.model == "gpt-4o-mini")
        await sluice.shutdown()
      }
      let missing = folder.appending(path: "none.yaml").path
      let error = await scene.failure { _ = try await Sluice(configuration: .file(missing, environment: [:])) }
      #expect(error?.code == .configuration)
      #expect(error?.message.contains(missing) == true)
    }
  }
}
