import SluiceDialects

/// Bytes of a text in which `\r`, `\n`, `\t`, `\0`, `\\` and `\xHH` are written out, as in the corpus files.
func unescaped(_ text: some StringProtocol) -> [UInt8] {
  var bytes: [UInt8] = []
  var rest = Array(text.utf8)[...]
  while let byte = rest.popFirst() {
    guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else {
      bytes.append(byte)
      continue
    }
    switch kind {
    case UInt8(ascii: "r"): bytes.append(13)
    case UInt8(ascii: "n"): bytes.append(10)
    case UInt8(ascii: "t"): bytes.append(9)
    case UInt8(ascii: "0"): bytes.append(0)
    case UInt8(ascii: "x"):
      bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
      rest = rest.dropFirst(2)
    default: bytes.append(kind)
    }
  }
  return bytes
}

/// A head as lines, each followed by CRLF, and the empty line.
func head(_ lines: String...) -> [UInt8] { head(lines: lines) }

func head(lines: [String]) -> [UInt8] { Array((lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8) }

func text(_ range: ByteRange, _ bytes: [UInt8]) -> String {
  bytes.withUnsafeBytes { range.string(in: $0) }
}

func requestHead(_ bytes: [UInt8], limits: HTTPLimits = .standard) -> HeadParse<RequestHead> {
  bytes.withUnsafeBytes { RequestHeadParser.parse($0, limits: limits) }
}

func responseHead(
  _ bytes: [UInt8], to method: HTTPMethodToken = .get, limits: HTTPLimits = .standard
) -> HeadParse<ResponseHead> {
  bytes.withUnsafeBytes { ResponseHeadParser.parse($0, requestMethod: method, limits: limits) }
}

extension HeadParse {
  var head: Head? {
    if case .complete(let head, _) = self { return head }
    return nil
  }

  var error: HTTPParseError? {
    if case .invalid(let error) = self { return error }
    return nil
  }

  var isIncomplete: Bool {
    if case .incomplete = self { return true }
    return false
  }
}

/// A small reproducible generator (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
