import NIOCore
import NIOEmbedded
import NIOHTTP1

/// Reads the same bytes with llhttp, as NIO drives it: the oracle of the differential tests.
enum LlhttpReader {
  static func requests(_ bytes: [UInt8]) -> WireReading {
    let channel = EmbeddedChannel(
      handler: ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
    defer { _ = try? channel.finish() }
    var reading = WireReading()
    do {
      try channel.writeInbound(ByteBuffer(bytes: bytes))
    } catch {
      reading.error = "\(error)"
    }
    var open: WireReading.Message?
    while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
      switch part {
      case .head(let head): open = .init(start: "\(head.method.rawValue) \(head.uri)", body: [])
      case .body(let body): open?.body += body.readableBytesView
      case .end:
        if let message = open { reading.messages.append(message) }
        open = nil
      }
    }
    reading.isUnfinished = open != nil
    return reading
  }

  static func response(_ bytes: [UInt8], to method: String) -> WireReading {
    let channel = EmbeddedChannel(
      handler: ByteToMessageHandler(
        HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward)))
    defer { _ = try? channel.finish() }
    var reading = WireReading()
    let request = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method), uri: "/")
    do {
      try channel.writeOutbound(HTTPClientRequestPart.head(request))
      try channel.writeInbound(ByteBuffer(bytes: bytes))
    } catch {
      reading.error = "\(error)"
    }
    // The end of the connection ends a body without a length.
    channel.pipeline.fireChannelInactive()
    do { try channel.throwIfErrorCaught() } catch { reading.error = reading.error ?? "\(error)" }
    collect(channel, &reading)
    return reading
  }

  private static func collect(_ channel: EmbeddedChannel, _ reading: inout WireReading) {
    var open: WireReading.Message?
    while let part = try? channel.readInbound(as: HTTPClientResponsePart.self) {
      switch part {
      case .head(let head):
        if head.status.code < 200 {
          reading.messages.append(.init(start: "\(head.status.code)", body: []))
        } else {
          open = .init(start: "\(head.status.code)", body: [])
        }
      case .body(let body): open?.body += body.readableBytesView
      case .end:
        if let message = open { reading.messages.append(message) }
        open = nil
      }
    }
    reading.isUnfinished = open != nil
  }
}
