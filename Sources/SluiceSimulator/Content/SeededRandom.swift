#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

import SluiceDialects

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014): eight bytes of
/// state, the same numbers on every machine.
package struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) {
    state = seed
  }

  /// A generator for one purpose: the same seed gives unrelated numbers for different purposes.
  package init(seed: UInt64, stream: UInt64) {
    state = seed ^ Self.mix(stream &+ 0x9E37_79B9_7F4A_7C15)
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  package static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// In [0, 1).
  package mutating func unit() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// In 0..<bound; the bias of the multiplication is far below anything visible for the small bounds used here.
  package mutating func below(_ bound: Int) -> Int {
    guard bound > 1 else { return 0 }
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Log-normal with this median, `spread` being the standard deviation of the logarithm (Box–Muller).
  package mutating func logNormal(median: Double, spread: Double) -> Double {
    let radius = (-2 * log(1 - unit())).squareRoot()
    return median * exp(spread * radius * cos(2 * .pi * unit()))
  }

  /// Letters and digits, as identifiers use them.
  package mutating func identifier(_ count: Int, into bytes: inout [UInt8]) {
    let alphabet: StaticString = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    for _ in 0..<count { bytes.append(alphabet.utf8Start[below(62)]) }
  }

  package mutating func identifier(_ prefix: String, _ count: Int) -> String {
    var bytes = Array(prefix.utf8)
    identifier(count, into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// FNV-1a over the meaning of a request: everything that should change the answer, and nothing that should not.
struct ContentHash {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ text: String) {
    for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    value = (value ^ 0xFF) &* 0x100_0000_01B3
  }

  mutating func add(_ json: JSONValue) {
    switch json {
    case .null: add("n")
    case .bool(let flag): add(flag ? "t" : "f")
    case .int(let number): add(number.description)
    case .double(let number): add(number.description)
    case .literal(let text), .string(let text): add(text)
    case .array(let items):
      add("[")
      for item in items { add(item) }
    case .object(let members):
      add("{")
      for member in members {
        add(member.name)
        add(member.value)
      }
    }
  }

  /// The same question streamed or not gets the same answer.
  static func of(_ body: JSONValue) -> UInt64 {
    var hash = ContentHash()
    for member in body.members ?? [] where member.name != "stream" && member.name != "stream_options" {
      hash.add(member.name)
      hash.add(member.value)
    }
    return hash.value
  }
}
