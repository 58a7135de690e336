import NIOCore
import NIOPosix
import SluiceDialects
import SluiceGateway
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// A real gateway on loopback in front of upstreams that the test plays. Its time stands still unless the test wants
/// another clock, which those do where something has to run out by itself or is tried again after a pause.
final class TestGateway: Sendable {
  static let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)

  let server: GatewayServer
  let address: SocketAddress
  let pools: [PoolDriver<UpstreamConnection>]
  let connector: HTTPConnector
  private let ownGroup: MultiThreadedEventLoopGroup?

  struct Pool {
    var name = "openai"
    var dialect = ProviderDialect.openai
    var ports: [Int]
    /// Names and secrets; each port × key is an endpoint.
    var keys = ["first"]
    var exchange = ExchangeSettings.unhurried()
    var models: Set<String> = []
    /// The allow list.
    var allowed: [String] = []
    var affinity = PoolAffinity.header
    var maxConnections = 16
    var version = HTTPVersionChoice.auto
    var queueCapacity: Int?
    var settle: (@Sendable (inout PoolSettings) -> Void)?
  }

  private init(
    server: GatewayServer, address: SocketAddress, pools: [PoolDriver<UpstreamConnection>], connector: HTTPConnector,
    ownGroup: MultiThreadedEventLoopGroup?
  ) {
    self.ownGroup = ownGroup
    self.server = server
    self.address = address
    self.pools = pools
    self.connector = connector
  }

  static func start(
    _ pools: [Pool], routes: [RouteDefinition] = [], access: AccessTable = .open,
    limits: GatewayLimits = .unhurried, settings: GatewaySettings? = nil, admin: (any AdminHandler)? = nil,
    adminToken: KeyDigest? = nil, hosts: [String] = [], clock: any MonotonicClock = HeldClock(), ownLoops: Int? = nil,
    catalogue: ModelCatalogue = .shipped
  ) async throws -> TestGateway {
    // Tests that count on clients taking turns over the loops must not share them.
    let group = ownLoops.map { MultiThreadedEventLoopGroup(numberOfThreads: $0) } ?? Self.group
    let all = Array(group.makeIterator())
    let connector = try HTTPConnector(transport: HTTPTransport(loops: all, options: .unhurried))
    var built: [GatewayPool] = []
    for pool in pools { built.append(try make(pool, loops: all, connector, clock: clock)) }
    let configuration = try configuration(
      built, pools, routes: routes, access: access, limits: limits, adminToken: adminToken,
      hosts: hosts, catalogue: catalogue)
    let server = GatewayServer(
      settings: settings ?? GatewaySettings(listen: [.tcp(host: "127.0.0.1", port: 0)]), group: group,
      configuration: configuration, admin: admin, clock: clock, seed: 7)
    let addresses = try await server.start()
    return TestGateway(
      server: server, address: addresses[0], pools: built.map(\.driver), connector: connector,
      ownGroup: ownLoops == nil ? nil : group)
  }

  static func configuration(
    _ built: [GatewayPool], _ pools: [Pool], routes: [RouteDefinition] = [], access: AccessTable = .open,
    limits: GatewayLimits = .unhurried, adminToken: KeyDigest? = nil, hosts: [String] = [],
    catalogue: ModelCatalogue = .shipped
  ) throws -> GatewayConfiguration {
    let table = try RouteTable(
      routes: routes,
      pools: pools.map {
        RoutePool(name: $0.name, dialect: $0.dialect, models: $0.models, allowed: $0.allowed)
      })
    return GatewayConfiguration(
      pools: built, routes: table, access: access, limits: limits, adminToken: adminToken, hosts: hosts,
      catalogue: catalogue)
  }

  static func settings(_ pool: Pool) -> (PoolSettings, [HTTPOrigin]) {
    let origins = pool.ports.map { port in
      var origin = HTTPOrigin(scheme: .http, host: "127.0.0.1", port: port, basePath: "/v1")
      origin.version = pool.version
      return origin
    }
    var endpoints: [EndpointSettings] = []
    for (index, origin) in origins.enumerated() {
      for key in pool.keys {
        endpoints.append(EndpointSettings(identity: "\(origin.identity)#\(key)", name: key, origin: index))
      }
    }
    var settings = PoolSettings(
      name: pool.name, origins: origins.map { OriginSettings(identity: $0.identity, name: $0.identity) },
      endpoints: endpoints)
    settings.connections.max = pool.maxConnections
    settings.connections.poolMax = pool.maxConnections
    settings.connections.unhurry()
    // No more connections than requests under way: which of several serves next would depend on chance.
    settings.connections.warmRatio = 1
    settings.balance.strategy = .roundRobin
    settings.health.unhealthyAfter = 1_000
    pool.settle?(&settings)
    return (settings, origins)
  }

  static func make(
    _ pool: Pool, loops: [any EventLoop], _ connector: HTTPConnector, clock: any MonotonicClock = HeldClock(),
    driver: PoolDriver<UpstreamConnection>? = nil
  ) throws -> GatewayPool {
    let (settings, origins) = settings(pool)
    for origin in origins { try connector.add(origin) }
    let layout: PoolLayout
    let used: PoolDriver<UpstreamConnection>
    if let driver {
      used = driver
      layout = try driver.reconfigure(settings)
    } else {
      used = try PoolDriver(settings: settings, loops: loops, clock: clock, seed: 11, connector: connector)
      layout = used.layout
    }
    var endpoints: [GatewayEndpoint] = []
    for (index, endpoint) in settings.endpoints.enumerated() {
      let origin = origins[endpoint.origin]
      endpoints.append(
        GatewayEndpoint(
          id: layout.endpoints[index], name: endpoint.name, host: origin.hostHeader,
          basePath: pool.dialect.surface == .openai ? origin.basePath : "",
          credential: try pool.dialect.prepare(UpstreamCredential("sk-\(endpoint.name)"))))
    }
    return GatewayPool(
      name: pool.name, dialect: pool.dialect, driver: used, endpoints: endpoints, exchange: pool.exchange,
      affinity: pool.affinity, allowedModels: pool.allowed)
  }

  func connect(autoRead: Bool = true, receiveBuffer: Int32? = nil) async throws -> RawSocket {
    try await RawSocket.connect(to: address, on: Self.group, autoRead: autoRead, receiveBuffer: receiveBuffer)
  }

  func stop() async {
    await server.drain(within: .seconds(5))
    for pool in pools { _ = await pool.drain(within: .minutes(1)) }
    try? await ownGroup?.shutdownGracefully()
  }

  /// What a socket could not send although the gateway had all the time it needs to read: every one of its loops
  /// answers other clients again and again meanwhile, and nothing moves any more.
  func unsentWhenSettled(_ socket: RawSocket) async throws -> Int {
    var unsent = -1
    var quietRounds = 0
    while quietRounds < 20 {
      for _ in 1...2 {
        let other = try await connect()
        try await other.send(Requests.get("/nowhere"))
        _ = await other.readAnswer()
        other.close()
      }
      let now = try await socket.channel.getOption(.bufferedWritableBytes).get()
      quietRounds = now == unsent ? quietRounds + 1 : 0
      unsent = now
    }
    return unsent
  }

  /// The gateway's counters, once `condition` holds: they are written when an answer is over, which a client may see
  /// a moment earlier.
  func metrics(
    where condition: @Sendable (GatewayMetricsSnapshot) -> Bool = { _ in true }
  ) async throws -> GatewayMetricsSnapshot {
    while true {
      let snapshot = try await server.metrics.snapshot()
      if condition(snapshot) { return snapshot }
      await Task.yield()
    }
  }
}

enum Requests {
  static func chat(
    model: String = "gpt-4o-mini", stream: Bool = false, headers: String = "", extra: String = ""
  ) -> String {
    let body =
      #"{"model":"\#(model)","stream":\#(stream),"messages":[{"role":"user","content":"hello"}]\#(extra)}"#
    return post("/v1/chat/completions", body, headers: headers)
  }

  static func post(_ path: String, _ body: String, headers: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\(headers)"
      + "content-length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  static func get(_ path: String, headers: String = "") -> String {
    "GET \(path) HTTP/1.1\r\nhost: localhost\r\n\(headers)\r\n"
  }

  static func chunk(_ text: String, finish: Bool = false) -> String {
    let reason = finish ? #""stop""# : "null"
    return
      #"data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"\#(text)"},"finish_reason":\#(reason)}]}"#
      + "\n\n"
  }

  /// What a chat stream begins with before the model has said anything.
  static let opening =
    #"data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#
    + "\n\n"

  static let done = "data: [DONE]\n\n"

  static let answer =
    #"{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#
}
