import SluiceDialects
import Testing

@Suite struct HeaderIndexTests {
  /// A head may be read into the memory of an earlier one; nothing of that one shows.
  @Test func memoryOfAnEarlierHeadIsUsedAgain() throws {
    let first = head("GET / HTTP/1.1", "Host: a", "Accept: */*", "X-One: 1", "X-Two: 2")
    let second = head("POST /b HTTP/1.1", "Host: bb", "Content-Length: 0")
    var spare = HeaderIndex()
    let earlier = try #require(parse(first, reusing: &spare).head)
    spare = earlier.headers
    let later = try #require(parse(second, reusing: &spare).head)
    #expect(spare.isEmpty, "taken")
    #expect(later.headers.count == 2)
    #expect(!later.headers.contains(.accept))
    #expect(later.headers.first(.host).map { text($0, second) } == "bb")
    // Whoever still reads the earlier head reads what it was.
    #expect(earlier.headers.count == 4)
    #expect(earlier.headers.first(.host).map { text($0, first) } == "a")
    #expect(earlier.headers.contains(.accept))
  }

  @Test func aRefusedHeadLeavesNothingBehind() {
    var spare = HeaderIndex()
    #expect(parse(head("GET / HTTP/1.1", "Host: a", "Bad Name: x"), reusing: &spare).error != nil)
    let later = parse(head("GET / HTTP/1.1", "Host: a"), reusing: &spare)
    #expect(later.head?.headers.count == 1)
  }

  private func parse(_ bytes: [UInt8], reusing spare: inout HeaderIndex) -> HeadParse<RequestHead> {
    var search = HeadEndSearch()
    return bytes.withUnsafeBytes {
      RequestHeadParser.parse($0, limits: .standard, search: &search, reusing: &spare)
    }
  }

  @Test(arguments: KnownHeader.allCases.filter { $0 != .other })
  func knownInAnyCase(_ known: KnownHeader) throws {
    let name = "\(known.name)"
    for spelled in [name, name.uppercased(), title(name)] {
      #expect(try identity(of: spelled) == known)
    }
    // Near misses: a byte more, a byte less, the last byte changed.
    for other in [name + "x", String(name.dropLast()), name.dropLast() + "_"] {
      #expect(try identity(of: other) != known)
    }
  }

  private func identity(of name: String) throws -> KnownHeader {
    // The value suits every field that is looked into.
    let value = ["te", "connection"].contains(name.lowercased()) ? "x-token" : value(for: name.lowercased())
    let bytes = head("GET / HTTP/1.1", name.lowercased() == "host" ? "X-First: 1" : "Host: a", "\(name): \(value)")
    return try #require(requestHead(bytes).head).headers[1].known
  }

  private func title(_ name: String) -> String {
    name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: "-")
  }

  private func value(for name: String) -> String {
    switch name {
    case "host": "a"
    case "content-length": "1"
    case "transfer-encoding": "chunked"
    case "expect": "100-continue"
    default: "x"
    }
  }

  /// Every byte, at every place of names of several lengths, is a name's byte exactly when RFC 9110 calls it a token's.
  @Test(arguments: [1, 7, 8, 9, 15, 16, 17]) func namesAreTokens(_ length: Int) {
    let tokens = Set("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    for byte in UInt8.min...UInt8.max where byte != 0x3A {
      for place in 0..<length {
        var name = [UInt8](repeating: 0x6E, count: length)
        name[place] = byte
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8) + name + Array(": x\r\n\r\n".utf8)
        #expect((requestHead(bytes).head != nil) == tokens.contains(byte), "\(byte) at \(place)")
      }
    }
  }

  /// More fields than usual heads have, in the order received.
  @Test func longHeadsKeepOrderAndMarks() throws {
    let fields = (0..<100).map { "X-\($0): value \($0)" }
    let lines = ["GET / HTTP/1.1", "Host: a"] + fields + ["Connection: x-3, x-77", "Accept: z"]
    let bytes = head(lines: lines)
    let headers = try #require(requestHead(bytes).head).headers
    #expect(headers.count == 103)
    for index in 0..<100 {
      let field = headers[index + 1]
      #expect(text(field.name, bytes) == "X-\(index)" && text(field.value, bytes) == "value \(index)")
      #expect(field.isConnectionListed == (index == 3 || index == 77))
    }
    #expect(headers.first(.accept).map { text($0, bytes) } == "z")
    #expect(!headers.contains(.authorization) && headers.first(.authorization) == nil)
  }

  @Test func repeatedFieldsAreCounted() throws {
    let bytes = head("GET / HTTP/1.1", "Host: a", "Cookie: 1", "X: y", "cookie: 2")
    let headers = try #require(requestHead(bytes).head).headers
    #expect(headers.count(of: .cookie) == 2 && headers.count(of: .via) == 0)
    #expect(headers.first(.cookie).map { text($0, bytes) } == "1")
  }
}
