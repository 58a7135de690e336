import SluiceDialects

/// What has to hold for any bytes whatever: checked by the fuzzing targets, by the seeded smoke run in the unit tests,
/// and for every committed fail case. The folder is shared with `FuzzTesting`, so it imports nothing but the parsers.
package enum ParserProperty: String, CaseIterable, Sendable {
  case requestHead = "request-head"
  case responseHead = "response-head"
  case chunked
  case sse
  case json
  case streams
  case documents

  package struct Violation: Error, CustomStringConvertible {
    package let description: String
  }

  /// Throws a `Violation` when the property does not hold for `bytes`.
  package func check(_ bytes: [UInt8]) throws(Violation) {
    switch self {
    case .requestHead: try HeadProperties.checkRequest(bytes)
    case .responseHead: try HeadProperties.checkResponse(bytes)
    case .chunked: try ChunkedProperties.check(bytes)
    case .sse: try SSEProperties.check(bytes)
    case .json: try JSONProperties.check(bytes)
    case .streams: try TranslationProperties.checkStream(bytes)
    case .documents: try TranslationProperties.checkDocument(bytes)
    }
  }
}

func require(_ holds: Bool, _ what: @autoclosure () -> String) throws(ParserProperty.Violation) {
  if !holds { throw ParserProperty.Violation(description: what()) }
}

/// Sizes of pieces to divide an input into: some fixed, some drawn from the input itself.
func pieceSizes(_ bytes: [UInt8]) -> [Int] {
  let sum = bytes.prefix(64).reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF }
  return bytes.count < 4_096 ? [1, 2, 3 + sum % 29] : [97 + sum % 1_000]
}
