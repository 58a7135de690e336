internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP1

/// Heads between HTTP/2 and the form that everything else in the simulator knows, HTTP/1.1's.
enum HTTP2Head {
  /// Nil without method and path, which the codec would not have let through.
  static func request(_ fields: HPACKHeaders) -> HTTPRequestHead? {
    guard let method = fields.first(name: ":method"), let path = fields.first(name: ":path") else { return nil }
    var head = HTTPRequestHead(
      version: HTTPVersion(major: 2, minor: 0), method: HTTPMethod(rawValue: method), uri: path)
    if let host = fields.first(name: ":authority") { head.headers.add(name: "host", value: host) }
    for (name, value, _) in fields where !name.hasPrefix(":") { head.headers.add(name: name, value: value) }
    return head
  }

  /// A complete head in HTTP/1.1's form, the empty line included.
  static func response(_ head: [UInt8]) -> HPACKHeaders {
    var lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
    var fields = HPACKHeaders()
    let status = lines.removeFirst().split(separator: " ", maxSplits: 2)
    fields.add(name: ":status", value: status.count > 1 ? String(status[1]) : "500")
    for line in lines {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      fields.add(name: line[..<colon].lowercased(), value: String(value))
    }
    return fields
  }
}
