import Foundation
import SluiceDialects
import Testing

@Suite struct JSONWriterTests {
  @Test func structure() {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("a", 1)
    writer.key("b")
    writer.beginArray()
    writer.bool(true)
    writer.null()
    writer.beginObject()
    writer.endObject()
    writer.double(0.5)
    writer.double(.infinity)
    writer.endArray()
    writer.key(text: "c\"")
    writer.beginObject()
    writer.member("d", String?.none)
    writer.member("e", "x")
    writer.endObject()
    writer.member("f", false)
    writer.endObject()
    #expect(
      String(decoding: writer.bytes, as: UTF8.self)
        == "{\"a\":1,\"b\":[true,null,{},0.5,null],\"c\\\"\":{\"d\":null,\"e\":\"x\"},\"f\":false}")
  }

  /// Foundation reads back what was written, for every character below 0x300 and some above.
  @Test func escaping() throws {
    for value in Array(0..<0x300) + [0x2028, 0xFFFD, 0x1F600] {
      guard let scalar = Unicode.Scalar(UInt32(value)) else { continue }
      let text = "a\(Character(scalar))b"
      var writer = JSONWriter()
      writer.beginArray()
      writer.string(text)
      writer.endArray()
      #expect(!writer.bytes.contains { $0 < 0x20 || $0 == 0x7F })
      #expect(try JSONDecoder().decode([String].self, from: Data(writer.bytes)) == [text])
      let isValid = writer.bytes.withUnsafeBytes { bytes in
        var scanner = JSONScanner(bytes)
        return (try? scanner.skipValue()) != nil
      }
      #expect(isValid)
    }
  }

  @Test func brokenTextIsReplaced() {
    var writer = JSONWriter()
    ([0x61, 0xFF, 0x22] as [UInt8]).withUnsafeBytes { writer.string(bytes: $0) }
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "\"a\u{FFFD}\\\"\"")
  }
}
