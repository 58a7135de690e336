import NIOCore
import SluiceConfiguration
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// A running pool with what a call needs beside it.
struct ClientPool: Sendable {
  let name: String
  let dialect: ProviderDialect
  let driver: PoolDriver<UpstreamConnection>
  let attempts: Int
  let total: Interval
  let timeouts: (@Sendable (_ streams: Bool) -> HTTPClientTimeouts)
  /// Shared by all calls: retries must not multiply an outage.
  let budget: Guarded<RetryBudget>
  private let endpoints: [EndpointID: AssembledPool.Endpoint]
  private let catalogue: ModelCatalogue

  init(_ pool: AssembledPool, _ catalogue: ModelCatalogue) {
    self.catalogue = catalogue
    let configuration = pool.blueprint.configuration
    name = configuration.name
    dialect = pool.blueprint.dialect
    driver = pool.driver
    attempts = max(1, configuration.retry.attempts)
    total = configuration.timeouts.total
    let clocks = configuration.timeouts
    timeouts = { streams in
      var timeouts = HTTPClientTimeouts()
      timeouts.head = streams ? clocks.firstToken ?? AnswerClocks.streamFloor : clocks.firstByte ?? clocks.total
      timeouts.between = streams ? clocks.betweenBytes : clocks.total
      timeouts.total = clocks.total
      return timeouts
    }
    budget = Guarded(RetryBudget(share: configuration.retry.budget, now: pool.driver.clock.now()))
    endpoints = Dictionary(pool.endpoints.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Whom a request is written for. The catalogue knows a model by its own name, the provider by that of its deployment.
  func target(model: String) -> ChatTarget {
    ChatTarget(
      provider: dialect.provider, model: dialect.upstreamModel(model), facts: catalogue.facts(model, dialect.provider),
      options: dialect.options)
  }

  /// What has to sign each try at an endpoint, and the host to sign it for.
  func signer(_ endpoint: EndpointID) -> (signer: RequestSigner, host: String)? {
    guard let endpoint = endpoints[endpoint], let signer = endpoint.credential.signer else { return nil }
    return (signer, endpoint.origin.hostHeader)
  }

  /// The request in the words of the endpoint that was granted: its host, its path, its credential. Signed anew for each
  /// try, where the credential is one that signs.
  func request(
    _ call: UpstreamCall, body: ByteBuffer, for endpoint: EndpointID, as identity: SigningIdentity?
  ) -> UpstreamRequest? {
    guard let endpoint = endpoints[endpoint] else { return nil }
    let host = endpoint.origin.hostHeader
    var head = Array("POST ".utf8)
    dialect.appendUpstreamTarget(
      basePath: ProviderDialect.normalizedBasePath(endpoint.origin.basePath), call, to: &head)
    let accept = call.streams ? dialect.framing(call.operation).mediaType : "application/json"
    head.append(
      contentsOf: """
         HTTP/1.1\r\nhost: \(host)\r\ncontent-type: \(Self.contentType)\r\naccept: \(accept)\r\n\
        accept-encoding: identity\r\nuser-agent: sluice\r\ncontent-length: \(body.readableBytes)\r\n
        """.utf8)
    head.append(contentsOf: endpoint.credential.lines)
    dialect.appendMissingHeaders(client: .none, call, to: &head)
    head.append(contentsOf: "\r\n".utf8)
    if let signer = endpoint.credential.signer, let identity {
      body.withUnsafeReadableBytes { bytes in
        signer.sign(head: &head, host: host, body: ByteSlice(bytes), as: identity)
      }
    }
    return UpstreamRequest(head: ByteBuffer(bytes: head), body: body)
  }

  private static let contentType = "application/json"
}
