import Logging
import NIOPosix
import Sluice
import SluiceConfiguration
import SluicePolicy
import Testing

/// Who is taken for a model server at its usual place.
struct LocalServerFinderTests {
  private func answers(_ stage: MetadataStage, mark: String, within patience: Interval = .minutes(1)) async throws
    -> Bool
  {
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let finder = LocalServerFinder(
      loop: MultiThreadedEventLoopGroup.singleton.next(), logger: logger, patience: patience)
    var server = try #require(Discovery.localServers(environment: [:]).first)
    (server.baseURL, server.mark) = (stage.url + "/v1", mark)
    return await finder.answers(server)
  }

  @Test func onlyTheServerItselfIsTakenForIt() async throws {
    let stage = try await MetadataStage.start { _, _ in (200, #"{"data":[{"id":"m","owned_by":"llamacpp"}]}"#) }
    #expect(try await answers(stage, mark: "llamacpp"))
    #expect(try await answers(stage, mark: ""))
    #expect(try await !answers(stage, mark: "vllm"))
    #expect(stage.requests.allSatisfy { $0.line == "GET /v1/models HTTP/1.1" })
    await stage.stop()
  }

  @Test func whoeverSaysNothingIsNoServer() async throws {
    let stage = try await MetadataStage.start { _, _ in nil }
    #expect(try await !answers(stage, mark: "", within: .milliseconds(50)))
    await stage.stop()
  }
}
