import SluicePolicy

extension GatewayError {
  /// A provider's failure for a client of another protocol: the class decides code and status, the provider's own words
  /// are kept. What concerns the gateway's key is never shown as the client's own.
  package init(_ failure: ProviderFailure) {
    let message = failure.message
    switch failure.failureClass {
    case .caller:
      self.init(failure.status == 404 ? .unknownModel : .malformedRequest, message: message)
    case .contextLength: self.init(.contextLength, message: message)
    case .contentPolicy: self.init(.contentBlocked, message: message)
    case .credential: self.init(.credentialRejected, shouldRetry: false)
    case .quota: self.init(.rateLimited, message: message, shouldRetry: false)
    case .rateLimited: self.init(.rateLimited, message: message, retryAfter: failure.retryAfter)
    case .overloaded: self.init(.overloaded, message: message, retryAfter: failure.retryAfter)
    case .timeout: self.init(.firstByteTimeout, message: message)
    case .server, .network, .protocolError, .cancelled:
      self.init(.upstreamError, message: message)
    }
  }
}
