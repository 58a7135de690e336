/// Bounds on what a peer may make us hold or look at before its message is understood.
package struct HTTPLimits: Hashable, Sendable {
  /// Offsets inside a head are kept in 16 bits, so no head is ever longer than this.
  package static let hardMaxHeadBytes = 65_536

  /// Bytes of a head, from its first line to the empty line.
  package var maxHeadBytes: Int { didSet { maxHeadBytes = Self.clampedHead(maxHeadBytes) } }
  /// Header fields in one head.
  package var maxHeaders: Int
  /// Bytes of the request line or status line.
  package var maxStartLine: Int
  /// Digits of a chunk's size.
  package var maxChunkSizeDigits: Int
  /// Bytes of chunk extensions over one whole body: they are dropped, so they may not be used to keep us busy.
  package var maxChunkExtensionBytes: Int
  /// Bytes of the trailer section.
  package var maxTrailerBytes: Int

  package static let standard = HTTPLimits()

  package init(
    maxHeadBytes: Int = HTTPLimits.hardMaxHeadBytes, maxHeaders: Int = 128, maxStartLine: Int = 16_384,
    maxChunkSizeDigits: Int = 16, maxChunkExtensionBytes: Int = 4_096, maxTrailerBytes: Int = 8_192
  ) {
    self.maxHeadBytes = Self.clampedHead(maxHeadBytes)
    self.maxHeaders = maxHeaders
    self.maxStartLine = maxStartLine
    self.maxChunkSizeDigits = maxChunkSizeDigits
    self.maxChunkExtensionBytes = maxChunkExtensionBytes
    self.maxTrailerBytes = maxTrailerBytes
  }

  private static func clampedHead(_ bytes: Int) -> Int { max(0, min(bytes, hardMaxHeadBytes)) }
}
