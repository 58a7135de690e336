/// Response headers as they go onto the wire.
struct HeaderLines {
  private(set) var bytes: [UInt8] = []

  init() {
    bytes.reserveCapacity(640)
  }

  mutating func add(_ name: StaticString, _ value: String) {
    start(name)
    // Some values repeat what a client sent; none of it may end the line.
    for byte in value.utf8 where byte >= 0x20 && byte != 0x7F { bytes.append(byte) }
    end()
  }

  mutating func add(_ name: StaticString, _ value: Int) {
    start(name)
    JSONWriter.append(value, to: &bytes)
    end()
  }

  private mutating func start(_ name: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    bytes.append(UInt8(ascii: ":"))
    bytes.append(UInt8(ascii: " "))
  }

  private mutating func end() {
    bytes.append(0x0D)
    bytes.append(0x0A)
  }
}
