/// Where and why bytes are not the JSON that was expected.
package struct JSONScanError: Error, Hashable, Sendable {
  /// The raw value is the stable label for messages and metrics.
  package enum Reason: String, Hashable, Sendable, CaseIterable {
    case unexpectedEnd = "unexpected_end"
    case unexpectedByte = "unexpected_byte"
    case trailingBytes = "trailing_bytes"
    case tooDeep = "too_deep"
    case tooLong = "too_long"
    case badNumber = "bad_number"
    case badEscape = "bad_escape"
    case controlInString = "control_in_string"
    case badUTF8 = "bad_utf8"
    // What a request body has to be beyond JSON
    case notAnObject = "not_an_object"
    case duplicateModel = "duplicate_model"
    case duplicateStream = "duplicate_stream"
    case modelNotAString = "model_not_a_string"
    case modelTooLong = "model_too_long"
    case streamNotABoolean = "stream_not_a_boolean"
  }

  /// Offset of the offending byte.
  package let offset: Int
  package let reason: Reason

  package init(offset: Int, reason: Reason) {
    self.offset = offset
    self.reason = reason
  }

  package var label: String { reason.rawValue }
}
