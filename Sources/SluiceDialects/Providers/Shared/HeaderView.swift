/// The header fields of one head together with the bytes they lie in, borrowed for one call.
package struct HeaderView {
  private let index: HeaderIndex
  private let bytes: ByteSlice

  /// - Parameter bytes: those that the head was parsed from.
  package init(_ index: HeaderIndex, in bytes: ByteSlice) {
    self.index = index
    self.bytes = bytes
  }

  package static var none: HeaderView { HeaderView(HeaderIndex(), in: .empty) }

  /// Calls `body` for each field in the order received.
  package func visit(_ body: (_ name: ByteSlice, _ value: ByteSlice) -> Void) {
    for position in index.indices {
      let field = index[position]
      body(bytes[field.name.range], bytes[field.value.range])
    }
  }

  package func contains(_ known: KnownHeader) -> Bool { index.contains(known) }

  /// The value of the first field with this identity.
  package func first(_ known: KnownHeader) -> ByteSlice? {
    index.first(known).map { bytes[$0.range] }
  }
}
