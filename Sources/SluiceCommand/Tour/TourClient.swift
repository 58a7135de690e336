import Foundation
import NIOCore
import NIOPosix
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// The tour's own client: real calls over loopback to the gateway, and what its answers say about how they were served.
struct TourClient: Sendable {
  struct Answer: Sendable {
    var status: Int
    var pool: String
    var endpoint: String
    /// Requests sent upstream for it.
    var attempts: Int
    var retryAfter: Double?
    var body: String
    /// From the tour's first call on.
    var finished: Duration
  }

  /// As `/api/pools/{pool}` tells it.
  struct Pool: Decodable, Sendable {
    struct Connections: Decodable, Sendable { var opened: Int }
    struct Waiting: Decodable, Sendable { var total: Int }
    struct Endpoint: Decodable, Sendable {
      var name: String, state: String
      var returns_in_seconds: Double?
    }
    var connections: Connections
    var waiting: Waiting
    var endpoints: [Endpoint]

    func endpoint(_ name: String) -> Endpoint? { endpoints.first { $0.name == name } }
  }

  /// As `/api/alerts` tells it.
  struct Alert: Decodable, Sendable {
    var name: String, severity: String, pool: String, endpoint: String
  }

  /// As `POST /api/config/reload` answers.
  struct Reload: Decodable, Sendable {
    var applied: Bool, generation: UInt64, problems: [String]
  }

  private struct AlertList: Decodable {
    var alerts: [Alert]
  }

  private static let maxAnswer = 1 << 20
  private static let maxConnections = 64
  private let driver: PoolDriver<UpstreamConnection>
  private let client: SimpleHTTPClient
  private let start = ContinuousClock.now

  init(url: String, loops: [any EventLoop]) throws {
    let origin = try HTTPOrigin(url: url)
    var settings = PoolSettings(
      name: "tour", origins: [OriginSettings(identity: origin.identity, name: "gateway")],
      endpoints: [EndpointSettings(identity: "gateway", name: "gateway", origin: 0)])
    settings.connections.max = Self.maxConnections
    settings.connections.poolMax = Self.maxConnections
    let connector = try HTTPConnector(transport: HTTPTransport(loops: loops), origins: [origin])
    driver = try PoolDriver(settings: settings, loops: loops, clock: SystemClock(), seed: 1, connector: connector)
    client = SimpleHTTPClient(pool: driver, origin: origin)
  }

  func close() async { _ = await driver.drain(within: .seconds(1)) }

  /// One chat by an OpenAI client.
  func chat(_ model: String, stream: Bool = false, headers: [(name: String, value: String)] = []) async throws -> Answer
  {
    let body =
      #"{"model":"\#(model)","stream":\#(stream),"max_tokens":40,"messages":[{"role":"user","content":"Say hello."}]}"#
    return try await post("/v1/chat/completions", body, headers: headers)
  }

  /// One streamed message by an Anthropic client.
  func message(_ model: String) async throws -> Answer {
    let body =
      #"{"model":"\#(model)","stream":true,"max_tokens":40,"messages":[{"role":"user","content":"Say hello."}]}"#
    return try await post("/v1/messages", body, headers: [("anthropic-version", "2023-06-01")])
  }

  /// An operator's word: `drain`, `resume` or `reset` for an endpoint.
  func operate(_ operation: String, pool: String, endpoint: String) async throws -> Bool {
    try await post("/api/pools/\(pool)/endpoints/\(endpoint)/\(operation)", "{}", headers: []).status == 200
  }

  func pool(_ name: String) async throws -> Pool { try await get("/api/pools/\(name)") }

  func alerts() async throws -> [Alert] {
    let list: AlertList = try await get("/api/alerts")
    return list.alerts
  }

  /// Has the configuration read again, and how many seconds that took.
  func reload() async throws -> (report: Reload, seconds: Double) {
    let began = ContinuousClock.now
    let answer = try await post("/api/config/reload", "{}", headers: [])
    let report = try JSONDecoder().decode(Reload.self, from: Data(answer.body.utf8))
    return (report, (ContinuousClock.now - began) / .seconds(1))
  }

  private func get<Document: Decodable>(_ path: String) async throws -> Document {
    let response = try await client.send(HTTPClientRequest(path: path))
    let body = try await response.body.collect(upTo: Self.maxAnswer)
    return try JSONDecoder().decode(Document.self, from: Data(body.readableBytesView))
  }

  private func post(
    _ path: String, _ body: String, headers: [(name: String, value: String)]
  ) async throws -> Answer {
    let response = try await client.send(
      HTTPClientRequest(
        method: "POST", path: path, headers: [("content-type", "application/json")] + headers,
        body: ByteBuffer(string: body)))
    let text = String(buffer: try await response.body.collect(upTo: Self.maxAnswer))
    return Answer(
      status: response.status, pool: response.header("x-sluice-pool") ?? "",
      endpoint: response.header("x-sluice-endpoint") ?? "",
      attempts: response.header("x-sluice-attempts").flatMap { Int($0) } ?? 0,
      retryAfter: response.header("retry-after").flatMap { Double($0) }, body: text,
      finished: ContinuousClock.now - start)
  }
}
