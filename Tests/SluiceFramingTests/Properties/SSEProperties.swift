import SluiceDialects

/// Event streams: any division gives the events that a plain reading of the standard gives.
enum SSEProperties {
  struct Event: Equatable, Sendable {
    var name: [UInt8]?
    var data: [UInt8]
  }

  static func check(_ bytes: [UInt8]) throws(ParserProperty.Violation) {
    let expected = reference(bytes)
    for size in pieceSizes(bytes) + [max(1, bytes.count)] {
      var parser = SSEParser()
      var events: [Event] = []
      do throws(SSEError) {
        for start in stride(from: 0, to: bytes.count, by: size) {
          let piece = Array(bytes[start..<min(bytes.count, start + size)])
          var end = 0
          try consume(piece, &parser) { event, place in
            events.append(event)
            end = place
          }
          if end > piece.count { throw .eventTooLarge }
        }
      } catch {
        try require(bytes.count > SSEParser.defaultMaxEventBytes, "\(error) for \(bytes.count) bytes")
        continue
      }
      try require(events == expected, "pieces of \(size): \(events), expected: \(expected)")
    }
  }

  /// Hands copies of the events of one piece to `onEvent`, with the offset behind them.
  static func consume(
    _ piece: [UInt8], _ parser: inout SSEParser, _ onEvent: (Event, Int) -> Void
  ) throws(SSEError) {
    var failure: SSEError?
    piece.withUnsafeBytes { bytes in
      do throws(SSEError) {
        try parser.consume(bytes) { event in
          onEvent(Event(name: event.name.map { [UInt8]($0) }, data: [UInt8](event.data)), event.end)
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  /// The standard's algorithm, written down plainly: all lines first, then fields.
  static func reference(_ bytes: [UInt8]) -> [Event] {
    var events: [Event] = []
    var name: [UInt8] = []
    var data: [UInt8]?
    for line in lines(bytes) {
      if line.isEmpty {
        if let data { events.append(Event(name: name.isEmpty ? nil : name, data: data)) }
        name = []
        data = nil
        continue
      }
      let field = Array(line.prefix { $0 != 0x3A })
      var value = Array(line.dropFirst(field.count + 1))
      if value.first == 0x20 { value.removeFirst() }
      switch String(decoding: field, as: UTF8.self) {
      case "data": data = data.map { $0 + [10] + value } ?? value
      case "event": name = value
      default: break
      }
    }
    return events
  }

  /// Complete lines; the rest after the last line end belongs to no event.
  private static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var line: [UInt8] = []
    var index = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    while index < bytes.count {
      if bytes[index] == 10 || bytes[index] == 13 {
        if bytes[index] == 13, index + 1 < bytes.count, bytes[index + 1] == 10 { index += 1 }
        lines.append(line)
        line = []
      } else {
        line.append(bytes[index])
      }
      index += 1
    }
    return lines
  }
}
