/// A model name with `*` for any run of characters; nothing else is special. Names match byte by byte.
package struct GlobPattern: Hashable, Sendable {
  package let text: String
  private let bytes: [UInt8]

  package init(_ text: String) {
    self.text = text
    bytes = Array(text.utf8)
  }

  /// Has no `*`: matches one name.
  package var isExact: Bool { !bytes.contains(0x2A) }

  /// Linear in the name for each `*` (the last star only is ever retried), so no pattern can be made slow.
  package func matches(_ name: String) -> Bool {
    var name = name
    return name.withUTF8 { text in
      matches(unsafe ByteSlice(UnsafeRawBufferPointer(text)))
    }
  }

  private func matches(_ name: ByteSlice) -> Bool {
    var index = 0
    var place = 0
    var retry: (place: Int, index: Int)?
    while index < name.count {
      if place < bytes.count, bytes[place] == 0x2A {
        retry = (place + 1, index)
        place += 1
      } else if place < bytes.count, bytes[place] == name[index] {
        place += 1
        index += 1
      } else if let last = retry {
        place = last.place
        index = last.index + 1
        retry = (last.place, last.index + 1)
      } else {
        return false
      }
    }
    return bytes[place...].allSatisfy { $0 == 0x2A }
  }
}
