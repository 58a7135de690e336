import SluiceDialects

/// Chunks: any division gives the same payload and the same outcome, and uses the same bytes.
enum ChunkedProperties {
  private struct Decoded: Equatable {
    var payload: [UInt8] = []
    var outcome = "more"
    var used = 0
  }

  static func check(_ bytes: [UInt8]) throws(ParserProperty.Violation) {
    let whole = decode(bytes, bytes.count)
    for size in pieceSizes(bytes) {
      let divided = decode(bytes, size)
      try require(divided == whole, "pieces of \(size): \(divided), whole: \(whole)")
    }
    try require(whole.payload.count <= whole.used, "more payload than bytes")
    try require(whole.outcome != "more" || whole.used == bytes.count, "more is wanted but bytes are left")
  }

  private static func decode(_ bytes: [UInt8], _ size: Int) -> Decoded {
    var decoder = ChunkedDecoder()
    var result = Decoded()
    while result.outcome == "more", result.used < bytes.count {
      let piece = Array(bytes[result.used...].prefix(size))
      var from = 0
      piece.withUnsafeBytes { piece in
        scan: while true {
          switch decoder.next(piece, from: &from) {
          case .payload(let range): result.payload += range.slice(piece)
          case .needMore: break scan
          case .end:
            result.outcome = "end"
            break scan
          case .invalid(let error):
            result.outcome = error.label
            break scan
          }
        }
      }
      result.used += from
    }
    return result
  }
}
