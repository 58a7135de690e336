package import SluiceDialects
package import SluicePolicy

/// How an exchange broke, and whether sending the request again can do no harm that the rules do not accept.
package struct UpstreamFailure: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Reason: Hashable, Sendable {
    /// The upstream closed the connection.
    case closed
    /// The upstream closed it without the closing message of TLS: the body's end cannot be trusted.
    case truncated
    case reset
    /// Bytes we sent were not acknowledged, although repeated: nobody is there.
    case deadPath
    /// A reused connection answered 408: it was closing as the request went out.
    case idleTimeoutAnswer
    /// What came is not HTTP as RFC 9112 has it.
    case malformed(HTTPParseError)
    case tooManyInformational
    /// More came in the read that ended the exchange before: it cannot be the answer to this request.
    case unsolicited
    /// Decrypting failed.
    case tls
    /// We closed the connection ourselves, for this reason.
    case closedHere(CloseReason)
    /// An error of the socket; the value is its errno.
    case socket(Int32)
    /// The upstream says that it did nothing about the request: REFUSED_STREAM, or a GOAWAY that names an earlier
    /// stream. Also when the connection could not take the request any more.
    case refused
    /// RST_STREAM with this code.
    case streamReset(HTTP2Code)
    /// What came is not HTTP/2 as RFC 9113 has it, or more of it than is bearable.
    case http2(HTTP2Fault)
    /// The request's head cannot be said in HTTP/2.
    case unsendable
    /// The answer is HTTP, but makes no sense in the provider's own protocol.
    case unreadable
  }

  package let reason: Reason
  /// Bytes of the response that had arrived.
  package let bytesReceived: Int
  /// The connection had served before this exchange.
  package let reused: Bool
  /// The request may be sent once more on a fresh connection (design: the replay rule): not a byte of it was sent; or
  /// the connection was reused (or had been waiting unused long enough to be as doubtful), not a byte came back, and it
  /// ended by EOF, reset or a dead path. Never after a timeout: those are the exchange's own clocks and end in `cancel`.
  package let replaySafe: Bool
  /// The request was certainly not processed, so it may go out again on any connection, and nobody is to blame.
  package var isRefused: Bool { reason == .refused }

  package init(reason: Reason, bytesReceived: Int, reused: Bool, replaySafe: Bool) {
    self.reason = reason
    self.bytesReceived = bytesReceived
    self.reused = reused
    self.replaySafe = replaySafe
  }

  package var failureClass: FailureClass {
    switch reason {
    case .closed, .truncated, .reset, .deadPath, .idleTimeoutAnswer, .tls, .socket, .refused: .network
    case .malformed, .tooManyInformational, .unsolicited, .http2, .unreadable: .protocolError
    case .streamReset(let code): code.failureClass
    case .unsendable: .caller
    case .closedHere: .cancelled
    }
  }

  /// Short and from a closed set, fit for a metric.
  package var label: String {
    switch reason {
    case .closed: bytesReceived == 0 ? "closed_before_response" : "closed_mid_response"
    case .truncated: "truncated"
    case .reset: "reset"
    case .deadPath: "dead_path"
    case .idleTimeoutAnswer: "idle_timeout_answer"
    case .malformed(let error): error.label
    case .tooManyInformational: "too_many_informational"
    case .unsolicited: "unsolicited_bytes"
    case .tls: "tls"
    case .closedHere(let reason): "closed_here_\(reason.label)"
    case .socket: "socket_error"
    case .refused: "refused_stream"
    case .streamReset(let code): "stream_reset_\(code.label)"
    case .http2(let fault): "http2_\(fault.rawValue)"
    case .unsendable: "unsendable"
    case .unreadable: "unreadable_answer"
    }
  }

  package var description: String { "\(label) after \(bytesReceived) bytes" + (reused ? ", reused connection" : "") }
}
