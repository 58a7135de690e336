/// A 64-bit hash of bounded text for affinity: the same on every run and machine (Swift's own hashing is seeded per
/// process). Multiply-and-fold over words of eight bytes, in the manner of wyhash; not for secrets.
struct PrefixHash {
  static let maxBytes = 4_096

  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15
  private var taken = 0

  /// Nothing was added.
  var isEmpty: Bool { taken == 0 }

  mutating func add(_ view: ByteView, _ range: Range<Int>) {
    let end = min(range.upperBound, range.lowerBound + Self.maxBytes - taken)
    guard end > range.lowerBound else { return }
    var index = range.lowerBound
    while index + 8 <= end {
      mix(view.word(at: index))
      index += 8
    }
    var rest: UInt64 = 0
    while index < end {
      rest = rest << 8 | UInt64(view[index])
      index += 1
    }
    mix(rest ^ UInt64(end - range.lowerBound) << 56)
    taken += end - range.lowerBound
  }

  /// Never zero when something was added: zero means "no text".
  var value: UInt64 { isEmpty ? 0 : max(1, state ^ state >> 32) }

  @inline(__always)
  private mutating func mix(_ word: UInt64) {
    let product = (state ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
    state = product.high ^ product.low ^ 0x9E37_79B9_7F4A_7C15
  }
}
