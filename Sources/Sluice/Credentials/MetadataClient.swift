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
    connector.ask(
      origin, on: loop, bound: AWSMetadataDialogue.maxAnswer, deadline: .now() + patience, { upstream }
    ) { result in
      switch result {
      case .failure(let failure): done(.failure(Failure(reason: failure.description)))
      case .success(let answer) where !answer.isWhole: done(.failure(Failure(reason: "its answer is too long")))
      case .success(let answer):
        done(.success(Answer(status: answer.status, body: Array(answer.body.readableBytesView))))
      }
    }
  }
}
