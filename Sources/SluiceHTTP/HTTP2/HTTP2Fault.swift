import NIOHTTP2
import SluicePolicy

/// How a peer broke the rules of HTTP/2, from a closed set.
package enum HTTP2Fault: String, Hashable, Sendable {
  /// Frames that cannot be read, or in places where they may not be.
  case framing
  case headerList = "header_list_too_large"
  case continuations = "continuation_flood"
  case resets = "reset_flood"
  case controlFrames = "control_frame_flood"
  case emptyFrames = "empty_frame_flood"
  case streamErrors = "stream_errors"
  case flowControl = "flow_control"
  /// A head or a length that RFC 9113 §8 does not allow; concerns one stream.
  case message

  /// The fault of one stream.
  static func ofStream(_ error: any Error) -> HTTP2Fault {
    let fault = HTTP2Fault(error)
    return fault == .framing ? .message : fault
  }

  init(_ error: any Error) {
    switch error {
    case is NIOHTTP2Errors.ExcessivelyLargeHeaderBlock: self = .headerList
    case is NIOHTTP2Errors.ExcessiveContinuationFrames: self = .continuations
    case is NIOHTTP2Errors.ExcessiveRSTFrames: self = .resets
    case is NIOHTTP2Errors.ExcessiveControlFrames, is NIOHTTP2Errors.ExcessiveOutboundFrameBuffering:
      self = .controlFrames
    case is NIOHTTP2Errors.ExcessiveEmptyDataFrames: self = .emptyFrames
    case is NIOHTTP2Errors.ExcessiveStreamErrors, is NIOHTTP2Errors.ExcessiveNumberOfGlitches: self = .streamErrors
    case is NIOHTTP2Errors.FlowControlViolation, is NIOHTTP2Errors.InvalidFlowControlWindowSize: self = .flowControl
    default: self = .framing
    }
  }
}

/// An error code of RFC 9113 §7.
package struct HTTP2Code: RawRepresentable, Hashable, Sendable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  init(_ code: HTTP2ErrorCode) {
    rawValue = UInt32(http2ErrorCode: code)
  }

  private static let labels = [
    "no_error", "protocol_error", "internal_error", "flow_control_error", "settings_timeout", "stream_closed",
    "frame_size_error", "refused_stream", "cancel", "compression_error", "connect_error", "enhance_your_calm",
    "inadequate_security", "http_1_1_required",
  ]

  /// Short and from a closed set.
  package var label: String {
    rawValue < UInt32(Self.labels.count) ? Self.labels[Int(rawValue)] : "unknown"
  }

  var failureClass: FailureClass {
    switch rawValue {
    case 0x1, 0x3, 0x5, 0x6, 0x9, 0xC, 0xD: .protocolError
    case 0x2: .server
    case 0xB: .overloaded
    default: .network
    }
  }
}
