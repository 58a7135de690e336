/// Writes messages of AWS's binary event stream (`application/vnd.amazon.eventstream`): total length, length of the
/// headers and their checksum, headers, payload, checksum of everything; numbers big-endian, checksums CRC-32 as in zlib.
package enum AWSEventStream {
  /// An event: `:event-type`, `:content-type`, `:message-type`.
  package static func event(_ type: String, _ payload: [UInt8]) -> [UInt8] {
    message([(":event-type", type), (":content-type", "application/json"), (":message-type", "event")], payload)
  }

  /// The error that ends a stream after its 200.
  package static func exception(_ type: String, _ payload: [UInt8]) -> [UInt8] {
    message(
      [(":exception-type", type), (":content-type", "application/json"), (":message-type", "exception")], payload)
  }

  private static func message(_ headers: [(String, String)], _ payload: [UInt8]) -> [UInt8] {
    var block: [UInt8] = []
    for (name, value) in headers {
      block.append(UInt8(truncatingIfNeeded: name.utf8.count))
      block.append(contentsOf: name.utf8)
      block.append(7)
      append(UInt16(truncatingIfNeeded: value.utf8.count), to: &block)
      block.append(contentsOf: value.utf8)
    }
    var message: [UInt8] = []
    message.reserveCapacity(block.count + payload.count + 16)
    append(UInt32(truncatingIfNeeded: block.count + payload.count + 16), to: &message)
    append(UInt32(truncatingIfNeeded: block.count), to: &message)
    append(CRC32.checksum(message), to: &message)
    message += block
    message += payload
    append(CRC32.checksum(message), to: &message)
    return message
  }

  private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
    var shift = number.bitWidth - 8
    while shift >= 0 {
      bytes.append(UInt8(truncatingIfNeeded: number >> shift))
      shift -= 8
    }
  }
}

/// CRC-32 of IEEE 802.3, reflected, as zlib computes it; one table lookup per byte.
package enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { index in
    var value = UInt32(index)
    for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    return value
  }

  package static func checksum(_ bytes: ByteSlice) -> UInt32 {
    var value: UInt32 = 0xFFFF_FFFF
    for index in 0..<bytes.count {
      value = table[Int((value ^ UInt32(bytes[index])) & 0xFF)] ^ (value >> 8)
    }
    return value ^ 0xFFFF_FFFF
  }

  package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var value: UInt32 = 0xFFFF_FFFF
    for byte in bytes { value = table[Int((value ^ UInt32(byte)) & 0xFF)] ^ (value >> 8) }
    return value ^ 0xFFFF_FFFF
  }
}
