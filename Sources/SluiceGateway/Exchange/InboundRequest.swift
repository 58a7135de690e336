import NIOCore
import SluiceDialects
import SluicePolicy

/// One request of a client as it came in.
///
/// A reference, since it is handed on many times and rather large; a client connection uses the same object for one
/// request after the other. Confined to the connection's event loop.
final class InboundRequest {
  var id: RequestID
  /// When its first byte arrived.
  var began: Instant
  var head: RequestHead
  /// Exactly the head; its offsets count from the reader index.
  var bytes: ByteBuffer
  var match: SurfaceMatch
  var caller: Caller
  var body = ByteBuffer()
  /// The only endpoint that can answer it.
  var pinned: EndpointID?
  /// The stored response it is about.
  var stored: UInt64?
  /// Bytes taken from the loop's purse for the body.
  var reserved = 0

  init(id: RequestID, began: Instant, head: RequestHead, bytes: ByteBuffer, match: SurfaceMatch, caller: Caller) {
    self.id = id
    self.began = began
    self.head = head
    self.bytes = bytes
    self.match = match
    self.caller = caller
  }

  /// Becomes another request. Every property is set here: whatever stayed would be another client's request's.
  func become(
    id: RequestID, began: Instant, head: RequestHead, bytes: ByteBuffer, match: SurfaceMatch, caller: Caller
  ) {
    self.id = id
    self.began = began
    self.head = head
    self.bytes = bytes
    self.match = match
    self.caller = caller
    if body.capacity > 0 { body = ByteBuffer() }
    reserved = 0
    pinned = nil
    stored = nil
  }

  /// Lets go of what was read, which keeps the memory of whole reads alive.
  func dropBytes() {
    if bytes.capacity > 0 { bytes = ByteBuffer() }
    if body.capacity > 0 { body = ByteBuffer() }
  }
}

extension InboundRequest {
  /// The model's name where the path has it, decoded.
  var modelInPath: String? {
    guard match.operation != .native, let range = match.identifier else { return nil }
    return bytes.withUnsafeReadableBytes { PercentDecoding.decode(ByteSlice($0)[head.path.range][range]) }
  }

  /// The client's own deadline.
  func callerDeadline() -> Instant {
    guard let value = head.headers.first(.sluiceDeadline) else { return .distantFuture }
    let wait = bytes.withUnsafeReadableBytes { DeadlineHeader.parse(ByteSlice(value.slice($0))) }
    return wait.map { began + $0 } ?? .distantFuture
  }

  /// What should stay on one endpoint; 0 for nothing.
  func affinity(_ pool: GatewayPool, _ fields: RequestFields?) -> UInt64 {
    if let value = head.headers.first(.sluiceAffinity), pool.affinity != .none {
      return bytes.withUnsafeReadableBytes { Self.hash(value.slice($0)) }
    }
    switch pool.affinity {
    case .none, .header: return 0
    case .promptPrefix: return fields?.prefixHash ?? 0
    case .user:
      guard let user = fields?.user else { return 0 }
      return body.withUnsafeReadableBytes { Self.hash(user.slice($0)) }
    }
  }

  /// FNV-1a; never 0, which means none.
  private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash == 0 ? 1 : hash
  }
}
