package import SluicePolicy

/// An error that the gateway answers in its own words, before it takes the shape of the client's surface.
package struct GatewayError: Error, Hashable, Sendable {
  package var code: GatewayErrorCode
  package var status: Int
  package var message: String
  /// The request field at fault, where there is one.
  package var param: String?
  /// When trying again makes sense; becomes `retry-after`.
  package var retryAfter: Interval?
  /// What the client's SDK is told about retrying; nothing: it decides by the status.
  package var shouldRetry: Bool?

  package init(
    _ code: GatewayErrorCode, message: String? = nil, status: Int? = nil, param: String? = nil,
    retryAfter: Interval? = nil, shouldRetry: Bool? = nil
  ) {
    self.code = code
    self.status = status ?? code.status
    self.message = message ?? code.advice
    self.param = param
    self.retryAfter = retryAfter
    self.shouldRetry = shouldRetry
  }

  /// The gateway's own words for a failed exchange, where no provider's answer is passed on.
  package init(_ failure: ExchangeFailure) {
    self.init(failure.code, retryAfter: failure.retryAfter, shouldRetry: failure.shouldRetry)
  }

  /// 404 with the names that come nearest to what was asked for.
  package static func unknownModel(_ model: String, suggestions: [String]) -> GatewayError {
    let hint =
      suggestions.isEmpty
      ? "GET /v1/models lists what is served." : "Did you mean \(suggestions.joined(separator: ", "))?"
    return GatewayError(
      .unknownModel, message: "No pool or route serves the model '\(model.prefix(200))'. \(hint)", param: "model")
  }
}
