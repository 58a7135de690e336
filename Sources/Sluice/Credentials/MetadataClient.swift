import NIOCore
import SluiceDialects
import SluiceHTTP
import SluicePolicy

/// One question to a metadata endpoint, over a connection of its own, with a bound on time and size.
struct MetadataClient: Sendable {
  /// For connecting and the whole answer, as in the SDKs.
  static let usualPatience = TimeAmount.seconds(1)

  struct Answer: Sendable {
    var status: Int
    var body: [UInt8]
  }

  struct Failure: Error {
    var reason: String
  }

  private let origin: HTTPOrigin
  private let connector: HTTPConnector
  private let host: String
  private let patience: TimeAmount

  /// Reads certificate authorities where the endpoint wants TLS: not for an event loop. Nil for a URL that cannot be
  /// asked.
  init?(_ url: AWSMetadataURL, transport: HTTPTransport, patience: TimeAmount) {
    guard let origin = try? HTTPOrigin(url: url.base),
      let connector = try? HTTPConnector(transport: transport, origins: [origin])
    else { return nil }
    self.origin = origin
    self.connector = connector
    host = origin.hostHeader
    self.patience = patience
  }

  /// `done` is called once, on `loop`.
  func ask(
    _ question: AWSMetadataDialogue.Question, on loop: any EventLoop,
    _ done: @escaping @Sendable (Result<Answer, Failure>) -> Void
  ) {
    let headers = question.headers.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    let request = HTTPClientRequest(
      method: question.method, path: question.target, headers: [("user-agent", "sluice")] + headers,
      body: question.method == "PUT" ? ByteBuffer() : nil)
    let upstream: UpstreamRequest
    do {
      upstream = try request.serialised(host: host, basePath: "")
    } catch {
      return done(.failure(Failure(reason: "\(error)")))
    }
    let deadline = NIODeadline.now() + patience
    connector.open(origin, on: loop, deadline: deadline) { opened in
      switch opened {
      case .failure(let failure): done(.failure(Failure(reason: failure.description)))
      case .success(let connection): MetadataExchange(connection, done).begin(upstream, deadline: deadline)
      }
    }
  }
}

/// States: waiting → over, by the end of the answer, its failure, its length or the deadline. Confined to the
/// connection's event loop.
private final class MetadataExchange: UpstreamPeer {
  private let connection: UpstreamConnection
  private var done: ((Result<MetadataClient.Answer, MetadataClient.Failure>) -> Void)?
  private var answer = MetadataClient.Answer(status: 0, body: [])
  private var exchange: (any UpstreamExchange)?
  private var timer: Scheduled<Void>?

  init(
    _ connection: UpstreamConnection,
    _ done: @escaping (Result<MetadataClient.Answer, MetadataClient.Failure>) -> Void
  ) {
    self.connection = connection
    self.done = done
  }

  func begin(_ request: UpstreamRequest, deadline: NIODeadline) {
    timer = connection.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      self.over(.failure(MetadataClient.Failure(reason: "no answer in time")))
    }
    exchange = connection.start(request, peer: self)
  }

  func upstreamHead(_ head: ResponseHead, bytes: ByteBuffer, reused: Bool) { answer.status = head.status }

  func upstreamBody(_ part: UpstreamBodyPart) {
    guard answer.body.count + part.payloadBytes <= AWSMetadataDialogue.maxAnswer else {
      return over(.failure(MetadataClient.Failure(reason: "its answer is too long")))
    }
    part.forEachPayload { answer.body.append(contentsOf: $0) }
  }

  func upstreamReadComplete() {}
  func upstreamEnd(reusable: Bool) { over(.success(answer)) }

  func upstreamFailed(_ failure: UpstreamFailure) {
    over(.failure(MetadataClient.Failure(reason: "\(failure)")))
  }

  private func over(_ result: Result<MetadataClient.Answer, MetadataClient.Failure>) {
    guard let done else { return }
    self.done = nil
    timer?.cancel()
    timer = nil
    exchange?.cancel()
    exchange = nil
    connection.close(reason: .verification)
    done(result)
  }
}
