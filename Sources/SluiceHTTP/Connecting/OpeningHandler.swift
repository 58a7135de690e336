import NIOCore
import NIOTLS
import SluiceDialects

/// Stands at the end of the pipeline until the connection is ready, and speaks with the proxy if there is one.
///
/// States: waiting (TCP is there, TLS may be under way) ; proxy: asked → answered. Everything a proxy sends before its
/// answer's end and anything behind it, an answer without 2xx, and an answer beyond the bound fail the attempt: the
/// origin does not speak first, so more bytes could only be the proxy's own.
final class OpeningHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// A proxy's answer is a few lines; some explain themselves.
  static let limits = HTTPLimits(maxHeadBytes: 16_384, maxHeaders: 64)

  private(set) var lastError: (any Error)?
  private var answer: ByteBuffer?
  private var search = HeadEndSearch()
  private var onAnswer: ((Result<Void, ConnectFailure>) -> Void)?
  private var proxyName = ""
  var onInactive: (() -> Void)?
  /// What TLS agreed on.
  private(set) var negotiated: String?
  /// Bytes that came before anybody was there for them: a server of HTTP/2 may speak first.
  private var early: ByteBuffer?
  private var isPassing = false

  /// Asks for a tunnel; the result comes once.
  func askProxy(
    _ proxy: HTTPProxy, for origin: HTTPOrigin, context: ChannelHandlerContext,
    _ done: @escaping (Result<Void, ConnectFailure>) -> Void
  ) {
    proxyName = "proxy \(proxy.host):\(proxy.port)"
    onAnswer = done
    answer = ByteBuffer()
    context.writeAndFlush(wrapOutboundOut(Self.request(proxy, origin)), promise: nil)
    context.read()
  }

  private static func request(_ proxy: HTTPProxy, _ origin: HTTPOrigin) -> ByteBuffer {
    var text = "CONNECT \(origin.connectTarget) HTTP/1.1\r\nhost: \(origin.connectTarget)\r\n"
    if let credentials = proxy.credentials {
      text += "proxy-authorization: Basic \(Base64.encoded(Array(credentials.utf8)))\r\n"
    }
    return ByteBuffer(string: text + "\r\n")
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    guard onAnswer != nil else { return isPassing ? context.fireChannelRead(data) : keep(bytes) }
    answer?.writeBuffer(&bytes)
    guard let answer else { return }
    let parsed = answer.withUnsafeReadableBytes {
      ResponseHeadParser.parse($0, requestMethod: .get, limits: Self.limits, search: &search)
    }
    switch parsed {
    case .incomplete: break
    case .invalid(let error): answered(.failure(failure(.proxyProtocol, "its answer is malformed (\(error.label))")))
    case .complete(let head, let consumed): judge(head, isWhole: consumed == answer.readableBytes)
    }
  }

  /// RFC 9110 §9.3.6: a 2xx to CONNECT has no body whatever its head says.
  private func judge(_ head: ResponseHead, isWhole: Bool) {
    if !(200..<300).contains(head.status) {
      let hint = head.status == 407 ? "; it wants other credentials" : ""
      answered(.failure(failure(.proxyRefused, "it refused the tunnel with status \(head.status)\(hint)")))
    } else if !isWhole {
      answered(.failure(failure(.proxyProtocol, "it sent more than its answer")))
    } else {
      answered(.success(()))
    }
  }

  private func keep(_ bytes: ByteBuffer) {
    guard (early?.readableBytes ?? 0) <= Self.limits.maxHeadBytes else { return }
    early.setOrWriteImmutableBuffer(bytes)
  }

  /// The connection's handlers stand behind this one now: they get what has come, and what still comes this way.
  func pass(_ context: ChannelHandlerContext) {
    isPassing = true
    guard let bytes = early else { return }
    early = nil
    context.fireChannelRead(wrapInboundOut(bytes))
    context.fireChannelReadComplete()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent { self.negotiated = negotiated }
    context.fireUserInboundEventTriggered(event)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if isPassing { return context.fireChannelReadComplete() }
    // The channel reads on demand only, and until the connection is ready nobody else demands.
    context.read()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if lastError == nil { lastError = error }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if onAnswer != nil { answered(.failure(failure(.proxyRefused, "it closed the connection without an answer"))) }
    onInactive?()
    context.fireChannelInactive()
  }

  private func failure(_ kind: ConnectFailure.Kind, _ text: String) -> ConnectFailure {
    ConnectFailure(kind, "\(proxyName): \(text)")
  }

  private func answered(_ result: Result<Void, ConnectFailure>) {
    let done = onAnswer
    onAnswer = nil
    answer = nil
    done?(result)
  }
}

/// RFC 4648 §4, for one header.
package enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  package static func encoded(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      bits <<= UInt32(8 * (3 - group.count))
      for index in 0..<4 {
        let isPadding = index > group.count
        text.append(isPadding ? UInt8(ascii: "=") : alphabet[Int(bits >> UInt32(18 - 6 * index)) & 63])
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
