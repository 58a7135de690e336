import SluiceDialects
import SluiceSimulator

/// An answer taken apart by a parser that has nothing in common with the code under test.
struct HTTPReply: Sendable {
  var status = 0
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []
  /// Bytes of the transcript that belong to it.
  var consumed = 0

  subscript(_ name: String) -> String? {
    headers.first { $0.name == name }?.value
  }

  var text: String { String(decoding: body, as: UTF8.self) }

  var json: JSONValue { (try? JSONReader.read(body)) ?? .null }

  /// The complete answer at the start of the bytes; `nil` if it is not complete or not HTTP.
  init?(_ bytes: [UInt8], isEnded: Bool = false) {
    guard let headEnd = Self.find([13, 10, 13, 10], in: bytes, from: 0) else { return nil }
    let lines = String(decoding: bytes[..<headEnd], as: UTF8.self).split(separator: "\r\n")
    guard let first = lines.first, first.hasPrefix("HTTP/1.1 "), let status = Int(first.dropFirst(9).prefix(3)) else {
      return nil
    }
    self.status = status
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { return nil }
      headers.append((String(parts[0]), String(parts[1].drop { $0 == " " })))
    }
    var position = headEnd + 4
    if let length = self["content-length"].flatMap({ Int($0) }) {
      guard bytes.count >= position + length else { return nil }
      body = Array(bytes[position..<position + length])
      consumed = position + length
    } else if self["transfer-encoding"] == "chunked" {
      while true {
        guard let lineEnd = Self.find([13, 10], in: bytes, from: position),
          let size = Int(String(decoding: bytes[position..<lineEnd], as: UTF8.self), radix: 16),
          bytes.count >= lineEnd + 2 + size + 2
        else { return nil }
        body += bytes[lineEnd + 2..<lineEnd + 2 + size]
        position = lineEnd + 2 + size + 2
        if size == 0 { break }
      }
      consumed = position
    } else {
      guard isEnded else { return nil }
      body = Array(bytes[position...])
      consumed = bytes.count
    }
  }

  private static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
    guard bytes.count >= start + needle.count else { return nil }
    return (start...bytes.count - needle.count).first { bytes[$0..<$0 + needle.count].elementsEqual(needle) }
  }

  /// The stream's events.
  var events: [(name: String?, data: String)] {
    text.split(separator: "\n\n").map { frame in
      var name: String?
      var data = ""
      for line in frame.split(separator: "\n") {
        if line.hasPrefix("event: ") { name = String(line.dropFirst(7)) }
        if line.hasPrefix("data: ") { data += line.dropFirst(6) }
      }
      return (name, data)
    }
  }

  /// The data of the stream's events as JSON, without `[DONE]`.
  var eventData: [JSONValue] {
    events.compactMap { try? JSONReader.read(Array($0.data.utf8)) }
  }
}
