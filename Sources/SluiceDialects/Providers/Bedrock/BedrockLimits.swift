extension Bedrock {
  /// Requests are limited for some models only, tokens for all; no headers tell. An assumption to start with.
  package static let defaultRequestsPerMinute = 500
}
