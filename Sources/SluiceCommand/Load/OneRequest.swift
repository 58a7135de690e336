import NIOCore
import NIOPosix
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// One request of a command to a running gateway, with its whole answer in memory (at most 16 MiB).
struct OneRequest {
  struct Answer: Sendable {
    var status: Int
    var body: [UInt8]
  }

  /// For all of it.
  private static let patience = TimeAmount.seconds(5)

  var url: String
  var path: String
  var token: String?

  func send() async throws -> Answer {
    let origin = try HTTPOrigin(url: url)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let answer = await ask(origin, on: group.next())
    try await group.shutdownGracefully()
    return try answer.get()
  }

  /// The first of answer, failure and deadline counts.
  private func ask(_ origin: HTTPOrigin, on loop: any EventLoop) async -> Result<Answer, any Error> {
    let connector: HTTPConnector
    do { connector = try HTTPConnector(transport: HTTPTransport(loops: [loop]), origins: [origin]) } catch {
      return .failure(error)
    }
    let promise = loop.makePromise(of: Answer.self)
    let deadline = NIODeadline.now() + Self.patience
    let timer = loop.scheduleTask(deadline: deadline) {
      promise.fail(CommandFailure("\(url) did not answer within \(Self.patience.nanoseconds / 1_000_000_000) seconds"))
    }
    connector.open(origin, on: loop, deadline: deadline) { opened in
      switch opened {
      case .failure(let failure): promise.fail(failure)
      case .success(let connection):
        connection.start(UpstreamRequest(head: head(origin)), peer: AnswerCollector(promise))
      }
    }
    let answer = await promise.futureResult.resultAsync()
    timer.cancel()
    return answer
  }

  private func head(_ origin: HTTPOrigin) -> ByteBuffer {
    let authorization = token.map { "authorization: Bearer \($0)\r\n" } ?? ""
    return ByteBuffer(
      string: "GET \(path) HTTP/1.1\r\nhost: \(origin.hostHeader)\r\n\(authorization)accept: */*\r\n\r\n")
  }
}

extension EventLoopFuture where Value: Sendable {
  fileprivate func resultAsync() async -> Result<Value, any Error> {
    do { return .success(try await get()) } catch { return .failure(error) }
  }
}

/// Keeps an answer until it is complete. Confined to the connection's loop.
private final class AnswerCollector: UpstreamPeer {
  private static let most = 16 << 20
  private let promise: EventLoopPromise<OneRequest.Answer>
  private var isTooLarge = false
  private var answer = OneRequest.Answer(status: 0, body: [])

  init(_ promise: EventLoopPromise<OneRequest.Answer>) { self.promise = promise }

  func upstreamHead(_ head: ResponseHead, bytes: ByteBuffer, reused: Bool) { answer.status = head.status }
  func upstreamBody(_ part: UpstreamBodyPart) {
    part.forEachPayload { bytes in
      guard !isTooLarge else { return }
      isTooLarge = answer.body.count + bytes.count > Self.most
      if !isTooLarge { answer.body.append(contentsOf: bytes) }
    }
  }
  func upstreamReadComplete() {}
  func upstreamEnd(reusable: Bool) {
    guard !isTooLarge else { return promise.fail(CommandFailure("the answer is larger than 16 MiB")) }
    promise.succeed(answer)
  }
  func upstreamFailed(_ failure: UpstreamFailure) { promise.fail(failure) }
}
