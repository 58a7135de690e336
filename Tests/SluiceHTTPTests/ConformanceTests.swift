import NIOCore
import NIOPosix
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

/// The rules that pools rely on, over real sockets.
@Suite(.mustEnd) struct ConformanceTests {
  @Test func theConnectorKeepsEveryRule() async throws {
    let harness = try Harness()
    let working = try await RawServer.start()
    let silent = try await RawServer.start()
    try await silent.dropSilently()
    let closed = try await RawServer.start()
    let origins = [working, silent, closed].map { HTTPOrigin(scheme: .http, host: "127.0.0.1", port: $0.port) }
    for origin in origins { try harness.connector.add(origin) }
    try await closed.stop()

    var subject = ConformanceSubject(
      connector: harness.connector, eventLoop: harness.eventLoop, origin: origins[0].identity)
    subject.silentOrigin = origins[1].identity
    subject.refusingOrigin = origins[2].identity
    // The server knows its connections by their port, which is the client's local one.
    subject.closeByPeer = { connection in
      guard let port = connection.localAddress?.port else { return }
      working.close(clientPort: port)
    }
    // What works answers long before; only what is broken is waited for.
    var times = ConformanceTimes()
    times.patience = .minutes(5)
    times.slack = .minutes(5)
    let violations = await ResourceConformanceSuite(subject, times: times).run()
    #expect(violations.isEmpty, "\(violations)")
    try await working.stop()
    try await silent.stop()
  }
}
