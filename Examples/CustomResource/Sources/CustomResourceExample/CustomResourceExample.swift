import NIOCore
import NIOPosix
import SluicePolicy
import SluiceRuntime
import SluiceTesting

/// A pool of something that Sluice knows nothing about: first the conformance suite checks the connector, then a pool
/// lends its connections to sixteen tasks.
@main
struct CustomResourceExample {
  static func main() async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    let server = try await LineServer.start(on: group)
    let port = server.localAddress?.port ?? 0

    var subject = ConformanceSubject(connector: LineConnector(), eventLoop: group.next(), origin: "\(port)")
    subject.closeByPeer = { connection in
      Task { _ = try? await connection.ask("quit") }
    }
    let violations = await ResourceConformanceSuite(subject).run()
    for violation in violations { print("violation: \(violation)") }
    print(violations.isEmpty ? "the connector conforms" : "\(violations.count) rules are broken")

    try await lend(port: port)
    try await server.close()
    if !violations.isEmpty { throw Nonconforming() }
  }

  /// Four connections for sixteen questions.
  static func lend(port: Int) async throws {
    var settings = PoolSettings(
      name: "lines", origins: [OriginSettings(identity: "\(port)", name: "line server")],
      endpoints: [EndpointSettings(identity: "line", name: "line", origin: 0)])
    settings.connections.max = 4
    let loops = Array(MultiThreadedEventLoopGroup.singleton.makeIterator()) as [any EventLoop]
    let pool = try PoolDriver(settings: settings, loops: loops, connector: LineConnector())
    try await withThrowingTaskGroup(of: String.self) { tasks in
      for number in 1...16 {
        tasks.addTask { try await pool.withLease { connection in try await connection.ask("question \(number)") } }
      }
      for try await answer in tasks { print(answer) }
    }
    print("drained: \(await pool.drain(within: .seconds(1)))")
  }

  struct Nonconforming: Error {}
}
