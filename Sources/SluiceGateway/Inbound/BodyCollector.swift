package import NIOCore
package import SluiceDialects
package import SluicePolicy

/// Collects one request body, within its bound and within what the process may hold.
///
/// A body that came in the same read as its head is a slice of it; one that comes in pieces is copied together, since
/// it is scanned as a whole.
package struct BodyCollector {
  package enum Outcome: Hashable {
    case needMore
    case complete
    case tooLarge
    /// The process holds as many bytes of bodies as it may.
    case noMemory
    case malformed(HTTPParseError)
  }

  private let length: BodyLength
  private let limit: Int
  private var decoder: ChunkedDecoder
  package private(set) var body = ByteBuffer()
  package private(set) var reserved = 0
  /// How slowly it may come.
  private let pace: BodyPace

  package init(length: BodyLength, limit: Int, http: HTTPLimits, pace: BodyPace) {
    self.pace = pace
    self.length = length
    self.limit = limit
    decoder = ChunkedDecoder(limits: http)
  }

  /// When more of it has to have come.
  package func deadline(_ now: Instant) -> Instant { pace.deadline(received: body.readableBytes, now: now) }

  /// Takes what belongs to the body from the front of `input`.
  package mutating func take(from input: inout ByteBuffer, _ purse: inout BufferPurse) -> Outcome {
    switch length {
    case .none, .untilClose: return .complete
    case .fixed(let count): return takeFixed(count, &input, &purse)
    case .chunked: return takeChunks(&input, &purse)
    }
  }

  private mutating func takeFixed(_ count: Int, _ input: inout ByteBuffer, _ purse: inout BufferPurse) -> Outcome {
    guard count <= limit else { return .tooLarge }
    let missing = count - body.readableBytes
    let available = min(missing, input.readableBytes)
    guard reserve(available, &purse) else { return .noMemory }
    if available == count, let slice = input.readSlice(length: count) {
      body = slice
      return .complete
    }
    if body.capacity == 0 { body.reserveCapacity(min(count, 262_144)) }
    if let slice = input.readSlice(length: available) { body.writeImmutableBuffer(slice) }
    return available == missing ? .complete : .needMore
  }

  private mutating func takeChunks(_ input: inout ByteBuffer, _ purse: inout BufferPurse) -> Outcome {
    var used = 0
    var outcome: Outcome?
    let bytes = input
    bytes.withUnsafeReadableBytes { bytes in
      while outcome == nil {
        switch decoder.next(bytes, from: &used) {
        case .payload(let range):
          if body.readableBytes + Int(range.count) > limit {
            outcome = .tooLarge
          } else if reserve(Int(range.count), &purse) {
            body.writeBytes(range.slice(bytes))
          } else {
            outcome = .noMemory
          }
        case .needMore: outcome = .needMore
        case .end: outcome = .complete
        case .invalid(let error): outcome = .malformed(error)
        }
      }
    }
    input.moveReaderIndex(forwardBy: used)
    return outcome ?? .needMore
  }

  private mutating func reserve(_ bytes: Int, _ purse: inout BufferPurse) -> Bool {
    guard purse.reserve(bytes) else { return false }
    reserved += bytes
    return true
  }
}
