/// RFC 4648, section 4.
package enum Base64 {
  package static func encode(_ bytes: [UInt8]) -> [UInt8] {
    let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let group =
        UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
        | (left > 2 ? UInt32(bytes[index + 2]) : 0)
      text.append(alphabet.utf8Start[Int(group >> 18)])
      text.append(alphabet.utf8Start[Int(group >> 12 & 63)])
      text.append(left > 1 ? alphabet.utf8Start[Int(group >> 6 & 63)] : UInt8(ascii: "="))
      text.append(left > 2 ? alphabet.utf8Start[Int(group & 63)] : UInt8(ascii: "="))
      index += 3
    }
    return text
  }
}
