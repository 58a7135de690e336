/// What routing, limits and metering need of a request body, read without decoding it.
package struct RequestFields: Hashable, Sendable {
  /// The decoded name.
  package var model: String?
  /// The `model` literal with its quotes, for replacement.
  package var modelRange: ByteRange?
  package var stream: Bool?
  /// `max_completion_tokens`, else `max_output_tokens`, else `max_tokens`; nil unless a positive integer.
  package var maxTokens: Int?
  /// Content of `user`, else of `metadata.user_id`, without quotes and with escapes as written.
  package var user: ByteRange?
  /// `stream_options.include_usage`.
  package var includeUsage: Bool?
  /// `tools` or `functions` is an array with something in it.
  package var toolsPresent = false
  package var imagesPresent = false
  /// Bytes of prompt text, escapes as written; media and identifiers do not count.
  package var promptBytes = 0
  /// Hash of the system text, or of the first message when there is none; at most the first 4 KiB of it. Zero: no text.
  /// Requests of one conversation share it, so it steers them to where the provider has their prefix cached.
  package var prefixHash: UInt64 = 0
  /// Behind the top-level `{`: where a member could be inserted.
  package var membersStart = 0
  /// The top-level object has no member.
  package var isEmpty = true
}
