import NIOCore
import SluiceDialects
import SluicePolicy
import SluiceRuntime

// Reading responses.
extension HTTPConnection {
  /// Takes what one read brought.
  func received(_ bytes: ByteBuffer) {
    var buffer = bytes
    if peer != nil { bytesReceived += buffer.readableBytes }
    if startedInRead, peer != nil { return fail(.unsolicited, closing: .protocolError) }
    while buffer.readableBytes > 0 {
      switch phase {
      case .head: readHead(&buffer)
      case .fixed: readFixed(&buffer)
      case .chunked: readChunks(&buffer)
      case .untilClose: deliver(.payload(take(buffer.readableBytes, of: &buffer)))
      case .idle: return unsolicited()
      case .spent, .closed: return
      }
    }
  }

  /// Bytes while nobody asked: a farewell such as `408 Request Timeout`, or a peer out of step. The connection is over
  /// either way, and how long it was unused tells about the peer's limit.
  private func unsolicited() {
    shut(reason: .protocolError, idleFor: idleTime)
  }

  private func readHead(_ buffer: inout ByteBuffer) {
    if partialHead != nil {
      partialHead?.writeBuffer(&buffer)
      guard var whole = partialHead else { return }
      partialHead = nil
      parseHead(&whole)
      buffer = whole
    } else {
      parseHead(&buffer)
    }
  }

  /// Leaves in `buffer` what follows the head. An incomplete head is put aside; the parser bounds its length.
  private func parseHead(_ buffer: inout ByteBuffer) {
    let result = buffer.withUnsafeReadableBytes { bytes in
      ResponseHeadParser.parse(
        bytes, requestMethod: isHead ? .head : .get, limits: options.limits, search: &headSearch,
        reusing: &spareHeaders)
    }
    switch result {
    case .incomplete:
      partialHead = buffer
      buffer.moveReaderIndex(to: buffer.writerIndex)
    case .invalid(let error):
      fail(.malformed(error), closing: .protocolError)
    case .complete(let head, let consumed):
      headSearch = HeadEndSearch()
      spareHeaders = head.headers
      guard let bytes = buffer.readSlice(length: consumed) else { return }
      if head.isInformational { return skipInformational(head) }
      accept(head, bytes, leftover: &buffer)
    }
  }

  private func skipInformational(_ head: ResponseHead) {
    informational += 1
    if informational > options.maxInformational { fail(.tooManyInformational, closing: .protocolError) }
  }

  private func accept(_ head: ResponseHead, _ bytes: ByteBuffer, leftover: inout ByteBuffer) {
    if head.status == 408, !head.keepAlive, isDoubtful { return fail(.idleTimeoutAnswer, closing: .remoteClosed) }
    keepAlive = keepAlive && head.keepAlive
    if let limit = head.keepAliveTimeout, limit != announcedLimit { announced(limit) }
    switch head.bodyLength {
    case .none, .fixed(0): break
    case .fixed(let length):
      phase = .fixed
      remaining = length
    case .chunked:
      phase = .chunked
      decoder = ChunkedDecoder(limits: options.limits)
    case .untilClose:
      phase = .untilClose
      keepAlive = false
    }
    let mine = exchange
    hasDelivered = true
    peer?.upstreamHead(head, bytes: bytes, reused: served > 0)
    if exchange == mine, head.bodyLength.isEmpty { finish(leftover: leftover.readableBytes) }
  }

  /// The upstream says how long it keeps an unused connection. A request on its way as it closes is the one case that
  /// costs a replay.
  private func announced(_ seconds: Int) {
    announcedLimit = seconds
    if seconds == 0 { keepAlive = false }
    // More than a day means none.
    if seconds > 0, seconds <= 86_400 { events?.idleLimitAnnounced(.seconds(Int64(seconds))) }
  }

  private func readFixed(_ buffer: inout ByteBuffer) {
    let mine = exchange
    let count = min(remaining, buffer.readableBytes)
    remaining -= count
    deliver(.payload(take(count, of: &buffer)))
    if exchange == mine, remaining == 0 { finish(leftover: buffer.readableBytes) }
  }

  private func take(_ count: Int, of buffer: inout ByteBuffer) -> ByteBuffer {
    buffer.readSlice(length: count) ?? ByteBuffer()
  }

  private func deliver(_ part: UpstreamBodyPart) {
    hasDelivered = true
    peer?.upstreamBody(part)
  }
}

// Chunked bodies.
extension HTTPConnection {
  private enum ChunkOutcome {
    case more, end
    case invalid(HTTPParseError)
  }

  private func readChunks(_ buffer: inout ByteBuffer) {
    let mine = exchange
    let began = decoder.isAtBoundary
    var used = 0
    let outcome = buffer.withUnsafeReadableBytes { decode($0, &used) }
    var isEnd = false
    if case .end = outcome { isEnd = true }
    if began, decoder.isAtBoundary, isCanonical(used, isEnd: isEnd) {
      deliver(.raw(take(used, of: &buffer), payload: ranges, last: isEnd))
    } else {
      deliverPayload(of: buffer, during: mine)
      buffer.moveReaderIndex(forwardBy: used)
    }
    ranges.removeAll(keepingCapacity: true)
    guard exchange == mine else { return }
    switch outcome {
    case .more: break
    case .end: finish(leftover: buffer.readableBytes)
    case .invalid(let error): fail(.malformed(error), closing: .protocolError)
    }
  }

  /// Fills `ranges` with the payload in `bytes`.
  private func decode(_ bytes: UnsafeRawBufferPointer, _ used: inout Int) -> ChunkOutcome {
    while true {
      switch decoder.next(bytes, from: &used) {
      case .payload(let range): ranges.append(range)
      case .needMore: return .more
      case .end: return .end
      case .invalid(let error): return .invalid(error)
      }
    }
  }

  /// Whether whole chunks of these payloads, written in the shortest way, make up exactly the bytes used: then there
  /// are no extensions, leading zeros or trailers, and another reader cannot understand them differently.
  private func isCanonical(_ used: Int, isEnd: Bool) -> Bool {
    var expected = isEnd ? 5 : 0
    for range in ranges {
      let digits = (UInt32.bitWidth - range.count.leadingZeroBitCount + 3) / 4
      expected += Int(range.count) + digits + 4
    }
    return used == expected
  }

  private func deliverPayload(of buffer: ByteBuffer, during mine: UInt64) {
    // A callback may end the exchange, and another one may begin in it.
    for index in ranges.indices where exchange == mine {
      let range = ranges[index]
      guard let slice = buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: Int(range.count)) else {
        continue
      }
      deliver(.payload(slice))
    }
  }
}
