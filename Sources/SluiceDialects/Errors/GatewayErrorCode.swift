/// Every error the gateway itself answers, by a stable code that clients may match on.
package enum GatewayErrorCode: String, CaseIterable, Hashable, Sendable {
  // The request
  case malformedRequest = "malformed_request"
  case invalidJSON = "invalid_json"
  case duplicateField = "duplicate_field"
  case missingModel = "missing_model"
  case unsupportedContentType = "unsupported_content_type"
  case requestTimeout = "request_timeout"
  case bodyTooLarge = "request_too_large"
  case headTooLarge = "headers_too_large"
  case targetTooLong = "target_too_long"
  case unknownPath = "unknown_path"
  case methodNotAllowed = "method_not_allowed"
  case notImplemented = "not_implemented"
  // Access
  case missingAccessKey = "missing_access_key"
  case invalidAccessKey = "invalid_api_key"
  case modelNotAllowed = "model_not_allowed"
  case hostNotAllowed = "host_not_allowed"
  case originNotAllowed = "origin_not_allowed"
  // Routing
  case unknownModel = "model_not_found"
  case surfaceMismatch = "surface_mismatch"
  case unsupportedField = "unsupported_field"
  case unknownStoredResponse = "unknown_stored_response"
  // What a provider of another protocol said
  case contextLength = "context_length_exceeded"
  case contentBlocked = "content_filter"
  // Limits
  case rateLimited = "rate_limit_exceeded"
  case queueFull = "queue_full"
  case overloaded = "gateway_overloaded"
  case bufferFull = "buffer_full"
  // Pools
  case noEndpoint = "no_endpoint_available"
  case queueTimeout = "queue_timeout"
  case draining = "draining"
  case credentialRejected = "credentials_rejected"
  case credentialsMissing = "credentials_unavailable"
  // The upstream
  case connectFailed = "upstream_connect_failed"
  case upstreamBroke = "upstream_broke"
  case upstreamProtocol = "upstream_protocol_error"
  case upstreamError = "upstream_error"
  case upstreamTruncated = "upstream_truncated"
  case firstByteTimeout = "timeout_first_byte"
  case firstTokenTimeout = "timeout_first_token"
  case betweenBytesTimeout = "timeout_between_bytes"
  case totalTimeout = "timeout_total"
  case deadlineExceeded = "deadline_exceeded"
  // Ourselves
  case shuttingDown = "shutting_down"
  case internalError = "internal_error"

  /// The HTTP status that goes with the code.
  package var status: Int {
    switch self {
    case .malformedRequest, .invalidJSON, .duplicateField, .missingModel, .surfaceMismatch, .unsupportedField,
      .contextLength, .contentBlocked:
      400
    case .missingAccessKey, .invalidAccessKey, .credentialRejected: 401
    case .modelNotAllowed, .hostNotAllowed, .originNotAllowed: 403
    case .unknownModel, .unknownPath, .unknownStoredResponse: 404
    case .methodNotAllowed: 405
    case .requestTimeout: 408
    case .bodyTooLarge: 413
    case .targetTooLong: 414
    case .unsupportedContentType: 415
    case .rateLimited: 429
    case .headTooLarge: 431
    case .internalError: 500
    case .notImplemented: 501
    case .connectFailed, .upstreamBroke, .upstreamProtocol, .upstreamError, .upstreamTruncated: 502
    case .queueFull, .overloaded, .bufferFull, .noEndpoint, .draining, .shuttingDown, .credentialsMissing: 503
    case .queueTimeout, .firstByteTimeout, .firstTokenTimeout, .betweenBytesTimeout, .totalTimeout,
      .deadlineExceeded:
      504
    }
  }

  /// What happened and what to do about it, for callers that have nothing more precise to say.
  package var advice: String {
    switch self {
    case .malformedRequest: "The request is not valid HTTP/1.1. Check the client or the proxy in front of it."
    case .invalidJSON: "The request body is not valid JSON. Send one JSON object."
    case .duplicateField: "The request body names a field twice. Send `model` and `stream` once each."
    case .missingModel: "The request body has no `model`. Name a model, or `pool/model`; GET /v1/models lists them."
    case .unsupportedContentType: "This path takes JSON. Send `content-type: application/json`."
    case .requestTimeout: "The request body did not arrive in time. Send it faster or raise `server` timeouts."
    case .bodyTooLarge: "The request body is too large. Send less, or raise `server.max_request_body`."
    case .headTooLarge: "The request headers are too large. Send fewer or shorter headers."
    case .targetTooLong: "The request path is too long."
    case .unknownPath: "This path is not served. See the gateway's documentation for the paths of each provider."
    case .methodNotAllowed: "This path does not take that method. See the `allow` header."
    case .notImplemented: "The request uses an HTTP feature that the gateway does not support."
    case .missingAccessKey: "No access key was sent. Send `authorization: Bearer KEY` or `x-api-key: KEY`."
    case .invalidAccessKey: "The access key is not known here. Use a key listed under `access.keys`."
    case .modelNotAllowed: "This access key may not use that model. Ask for access, or use another model."
    case .hostNotAllowed: "The `host` header names another server. Use the address the gateway listens on."
    case .originNotAllowed: "Requests from web pages of other origins are refused."
    case .unknownModel: "No pool or route serves that model. GET /v1/models lists what is served."
    case .surfaceMismatch:
      "That model's provider speaks another protocol than this path. Use the provider's own path and client."
    case .unsupportedField:
      "A field of the request cannot be carried to the provider that serves this model. Leave it out."
    case .contextLength: "The prompt is longer than the model's context. Shorten it, or use a larger model."
    case .contentBlocked: "The provider's safety rules refused the request."
    case .unknownStoredResponse:
      "The gateway does not know which account stored that response for you. Create it through this gateway, with the same access key."
    case .rateLimited: "A rate limit is reached. Wait for the time in `retry-after`."
    case .queueFull: "Too many requests are waiting for this pool. Retry after the time in `retry-after`."
    case .overloaded: "The gateway is at its limit. Retry after the time in `retry-after`."
    case .bufferFull: "The gateway's memory for request bodies is used up. Retry shortly."
    case .noEndpoint: "No endpoint of the pool can serve now. Retry after the time in `retry-after`; see /health."
    case .queueTimeout: "No endpoint became free in time. Retry later, raise the deadline, or add capacity."
    case .draining: "The pool is draining and takes no new requests. Retry on another instance."
    case .credentialRejected:
      "Every key of the pool was rejected by the provider. Check the keys in the configuration, then reload."
    case .credentialsMissing:
      "The gateway has no valid credentials for this provider. See /health and the log for the reason."
    case .connectFailed: "No connection to the provider could be opened. See /health for the reason."
    case .upstreamBroke: "The provider closed the connection before its answer was complete. Retry."
    case .upstreamProtocol: "The provider's answer could not be understood. Retry; check `base_url` if it stays."
    case .upstreamError: "The provider failed. Retry."
    case .upstreamTruncated: "The provider's stream ended before its end mark; the answer is incomplete. Retry."
    case .firstByteTimeout: "The provider sent nothing within `timeouts.first_byte`. Retry, or raise it."
    case .firstTokenTimeout: "The provider sent no token within `timeouts.first_token`. Retry, or raise it."
    case .betweenBytesTimeout: "The provider's stream stalled for `timeouts.between_bytes`. Retry, or raise it."
    case .totalTimeout: "The answer was not complete within `timeouts.total`. Ask for less, or raise it."
    case .deadlineExceeded: "The deadline in `x-sluice-deadline` passed. Allow more time."
    case .shuttingDown: "The gateway is shutting down. Retry on another instance."
    case .internalError: "The gateway failed to handle the request. Please report it with the request id."
    }
  }
}
