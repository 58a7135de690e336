import NIOCore
import NIOPosix
import NIOSSL
import SluiceRuntime

/// One end of a real connection, driven step by step by a test: bytes out, bytes in, nothing interpreted.
final class RawSocket: Sendable {
  enum Event: Sendable {
    case bytes(ByteBuffer)
    case closed
  }

  let channel: any Channel
  private let events: BoundedMailbox<Event>
  private let unread = Guarded(ByteBuffer())
  private let ended = Guarded(false)

  fileprivate init(channel: any Channel, events: BoundedMailbox<Event>) {
    self.channel = channel
    self.events = events
  }

  static func connect(
    to address: SocketAddress, on group: any EventLoopGroup, autoRead: Bool = true, receiveBuffer: Int32? = nil
  ) async throws -> RawSocket {
    let events = BoundedMailbox<Event>(capacity: 1 << 20)
    var bootstrap = ClientBootstrap(group: group)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.autoRead, value: autoRead)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(RawHandler(events: events))
        }
      }
    if case .unixDomainSocket = address {
      bootstrap = ClientBootstrap(group: group).channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(RawHandler(events: events))
        }
      }
    } else if let receiveBuffer {
      bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
    }
    return RawSocket(channel: try await bootstrap.connect(to: address).get(), events: events)
  }

  /// Over TLS, whoever the server says it is.
  static func connectTLS(to address: SocketAddress, on group: any EventLoopGroup) async throws -> RawSocket {
    let events = BoundedMailbox<Event>(capacity: 1 << 20)
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = .none
    let context = try NIOSSLContext(configuration: configuration)
    let channel = try await ClientBootstrap(group: group)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
          try channel.pipeline.syncOperations.addHandler(RawHandler(events: events))
        }
      }
      .connect(to: address).get()
    return RawSocket(channel: channel, events: events)
  }

  /// For the accepting side: hands the socket over with its first bytes.
  static func accept(_ channel: any Channel, _ used: @escaping @Sendable (RawSocket) -> Void) throws {
    let events = BoundedMailbox<Event>(capacity: 1 << 20)
    try channel.pipeline.syncOperations.addHandler(
      RawHandler(events: events) { used(RawSocket(channel: $0, events: events)) })
  }

  func send(_ text: String) async throws {
    try await channel.writeAndFlush(ByteBuffer(string: text)).get()
  }

  /// Does not wait until the bytes are out.
  func post(_ text: String) {
    channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
  }

  func close() {
    channel.close(promise: nil)
  }

  func closeOutput() {
    channel.close(mode: .output, promise: nil)
  }

  /// Closes with a reset.
  func reset() {
    guard let socket = channel as? any SocketOptionProvider else { return close() }
    // `struct linger`: on, for zero seconds.
    let linger: (Int32, Int32) = (1, 0)
    socket.unsafeSetSocketOption(level: .socket, name: .so_linger, value: linger).whenComplete { _ in self.close() }
  }

  /// Adds what comes next to what is unread; false at the end of the connection.
  private func more() async -> Bool {
    if ended.value { return false }
    switch await events.next() {
    case .bytes(var buffer):
      unread.withLock { _ = $0.writeBuffer(&buffer) }
      return true
    case .closed, nil:
      ended.replace(with: true)
      return false
    }
  }

  /// Everything up to and including `mark`; what there was, when the connection ends before.
  func read(until mark: String) async -> String {
    while true {
      let found = unread.withLock { buffer -> String? in
        let text = String(buffer: buffer)
        guard let range = text.range(of: mark) else { return nil }
        let count = text[..<range.upperBound].utf8.count
        buffer.moveReaderIndex(forwardBy: count)
        return String(text[..<range.upperBound])
      }
      if let found { return found }
      if await !more() { return takeAll() }
    }
  }

  func read(count: Int) async -> String {
    while true {
      if let text = unread.withLock({ $0.readString(length: count) }) { return text }
      if await !more() { return takeAll() }
    }
  }

  /// Everything until the connection ends.
  func readToEnd() async -> String {
    while await more() {}
    return takeAll()
  }

  /// Waits for the end and drops what comes before it.
  func waitForEnd() async {
    while await more() { unread.replace(with: ByteBuffer()) }
  }

  private func takeAll() -> String {
    unread.withLock { buffer in
      defer { buffer = ByteBuffer() }
      return String(buffer: buffer)
    }
  }
}

extension String {
  fileprivate func range(of mark: String) -> Range<String.Index>? {
    let (text, mark) = (Array(utf8), Array(mark.utf8))
    guard !mark.isEmpty, text.count >= mark.count else { return nil }
    for start in 0...(text.count - mark.count) where text[start] == mark[0] {
      if text[start..<start + mark.count].elementsEqual(mark) {
        let low = utf8.index(startIndex, offsetBy: start)
        return low..<utf8.index(low, offsetBy: mark.count)
      }
    }
    return nil
  }
}

private final class RawHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let events: BoundedMailbox<RawSocket.Event>
  private var used: ((any Channel) -> Void)?

  /// `used` is called once, when something has arrived.
  init(events: BoundedMailbox<RawSocket.Event>, used: ((any Channel) -> Void)? = nil) {
    self.events = events
    self.used = used
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    events.send(.bytes(unwrapInboundIn(data)))
    used?(context.channel)
    used = nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    events.send(.closed)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

/// An answer as it came over the wire.
struct RawAnswer {
  var status: Int
  var head: String
  var body: String

  func header(_ name: String) -> String? {
    for line in head.split(separator: "\r\n").dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      if line[..<colon].lowercased() == name { return line[line.index(after: colon)...].trimmed }
    }
    return nil
  }
}

extension Substring {
  var trimmed: String {
    var text = self
    while text.first == " " { text = text.dropFirst() }
    while text.last == " " { text = text.dropLast() }
    return String(text)
  }
}

extension RawSocket {
  /// One whole answer: by its length, its chunks, or the end of the connection.
  func readAnswer() async -> RawAnswer {
    let head = await read(until: "\r\n\r\n")
    let words = head.split(separator: " ", maxSplits: 2)
    var answer = RawAnswer(status: words.count > 1 ? Int(words[1]) ?? 0 : 0, head: head, body: "")
    if let length = answer.header("content-length").flatMap(Int.init) {
      answer.body = await read(count: length)
    } else if answer.header("transfer-encoding") == "chunked" {
      answer.body = await readChunks()
    } else if answer.status != 204, answer.status >= 200 {
      answer.body = await readToEnd()
    }
    return answer
  }

  /// A chunked body; ends with `<cut>` when the terminator is missing.
  func readChunks() async -> String {
    var body = ""
    while true {
      guard let chunk = await readChunk() else { return body + "<cut>" }
      if chunk.isEmpty { return body }
      body += chunk
    }
  }

  /// The next chunk's payload; empty for the last one, nil when the connection ended.
  func readChunk() async -> String? {
    let line = await read(until: "\r\n")
    guard line.hasSuffix("\r\n"),
      let size = Int(line.dropLast(1), radix: 16) ?? Int(line.prefix { $0 != "\r" && $0 != "\r\n" }, radix: 16)
    else { return nil }
    let payload = await read(count: size + 2)
    guard payload.utf8.count == size + 2 else { return nil }
    return String(decoding: payload.utf8.prefix(size), as: UTF8.self)
  }
}
