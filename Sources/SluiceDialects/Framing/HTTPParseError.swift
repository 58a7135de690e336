/// Why bytes are not an HTTP/1 message that we accept. The raw value is the stable label for logs and metrics.
package enum HTTPParseError: String, Error, Hashable, Sendable, CaseIterable {
  // Start line
  case requestLine = "bad_request_line"
  case method = "bad_method"
  case connectMethod = "connect_method"
  case target = "bad_target"
  case targetForm = "bad_target_form"
  case startLineTooLong = "start_line_too_long"
  case version = "bad_version"
  case versionNotSupported = "version_not_supported"
  case statusLine = "bad_status_line"
  case unexpectedUpgrade = "unexpected_upgrade"
  // Head
  case headTooLarge = "head_too_large"
  case tooManyHeaders = "too_many_headers"
  case headerNameTooLong = "header_name_too_long"
  case headerName = "bad_header_name"
  case whitespaceBeforeColon = "whitespace_before_colon"
  case lineFolding = "line_folding"
  case bareCarriageReturn = "bare_carriage_return"
  case bareLineFeed = "bare_line_feed"
  case controlByte = "control_byte"
  case missingHost = "missing_host"
  case duplicateHost = "duplicate_host"
  case host = "bad_host"
  case connectionHeader = "bad_connection_header"
  case expectation = "unknown_expectation"
  // Body framing
  case duplicateContentLength = "duplicate_content_length"
  case contentLength = "bad_content_length"
  case lengthAndTransferEncoding = "length_and_transfer_encoding"
  case transferEncoding = "bad_transfer_encoding"
  case transferCodingNotSupported = "transfer_coding_not_supported"
  case transferEncodingInOldVersion = "transfer_encoding_in_http_1_0"
  case chunkSize = "bad_chunk_size"
  case chunkSizeTooLarge = "chunk_size_too_large"
  case chunkExtension = "bad_chunk_extension"
  case chunkExtensionTooLong = "chunk_extension_too_long"
  case chunkEnd = "bad_chunk_end"
  case trailer = "bad_trailer"
  case trailerTooLarge = "trailer_too_large"
  case forbiddenTrailer = "forbidden_trailer"

  package var label: String { rawValue }

  /// The status that answers a client who sent this. (An upstream that sent it is answered for with 502.)
  package var status: Int {
    switch self {
    case .startLineTooLong: 414
    case .headTooLarge, .tooManyHeaders, .headerNameTooLong, .trailerTooLarge: 431
    case .expectation: 417
    case .connectMethod, .transferCodingNotSupported: 501
    case .versionNotSupported: 505
    default: 400
    }
  }
}
