/// Header fields that some part of the gateway asks for. Each field's identity is decided once, while parsing;
/// afterwards it is one byte to compare.
package enum KnownHeader: UInt8, CaseIterable, Hashable, Sendable {
  case other = 0
  case host, connection, expect, upgrade, te, trailer, via, date, server, accept, origin, cookie
  case contentLength, contentType, contentEncoding, transferEncoding, keepAlive, proxyConnection
  case proxyAuthorization, proxyAuthenticate, acceptEncoding, authorization, userAgent, setCookie, cacheControl
  case retryAfter, retryAfterMilliseconds, shouldRetry, location, forwarded, forwardedFor, forwardedHost, forwardedProto
  case apiKey, xAPIKey, googleAPIKey, requestID, xRequestID, idempotencyKey, traceparent, tracestate
  case anthropicVersion, anthropicBeta, openAIOrganization, openAIProject
  case sluiceClass, sluiceDeadline, sluiceAffinity, sluiceNoCache, secFetchSite

  /// The field name in lower case; empty for `other`.
  package var name: StaticString {
    switch self {
    case .other: ""
    case .host: "host"
    case .connection: "connection"
    case .expect: "expect"
    case .upgrade: "upgrade"
    case .te: "te"
    case .trailer: "trailer"
    case .via: "via"
    case .date: "date"
    case .server: "server"
    case .accept: "accept"
    case .origin: "origin"
    case .cookie: "cookie"
    case .contentLength: "content-length"
    case .contentType: "content-type"
    case .contentEncoding: "content-encoding"
    case .transferEncoding: "transfer-encoding"
    case .keepAlive: "keep-alive"
    case .proxyConnection: "proxy-connection"
    case .proxyAuthorization: "proxy-authorization"
    case .proxyAuthenticate: "proxy-authenticate"
    case .acceptEncoding: "accept-encoding"
    case .authorization: "authorization"
    case .userAgent: "user-agent"
    case .setCookie: "set-cookie"
    case .cacheControl: "cache-control"
    case .retryAfter: "retry-after"
    case .retryAfterMilliseconds: "retry-after-ms"
    case .shouldRetry: "x-should-retry"
    case .location: "location"
    case .forwarded: "forwarded"
    case .forwardedFor: "x-forwarded-for"
    case .forwardedHost: "x-forwarded-host"
    case .forwardedProto: "x-forwarded-proto"
    case .apiKey: "api-key"
    case .xAPIKey: "x-api-key"
    case .googleAPIKey: "x-goog-api-key"
    case .requestID: "request-id"
    case .xRequestID: "x-request-id"
    case .idempotencyKey: "idempotency-key"
    case .traceparent: "traceparent"
    case .tracestate: "tracestate"
    case .anthropicVersion: "anthropic-version"
    case .anthropicBeta: "anthropic-beta"
    case .openAIOrganization: "openai-organization"
    case .openAIProject: "openai-project"
    case .sluiceClass: "x-sluice-class"
    case .sluiceDeadline: "x-sluice-deadline"
    case .sluiceAffinity: "x-sluice-affinity"
    case .sluiceNoCache: "x-sluice-no-cache"
    case .secFetchSite: "sec-fetch-site"
    }
  }

  /// Fields that concern one connection and are never forwarded, whatever `Connection` lists (RFC 9110 §7.6.1).
  package var isHopByHop: Bool {
    switch self {
    case .connection, .keepAlive, .proxyConnection, .te, .trailer, .transferEncoding, .upgrade, .proxyAuthorization,
      .proxyAuthenticate:
      true
    default: false
    }
  }
}

extension KnownHeader {
  /// Which known field `count` bytes from `start` name. A hit also proves that they are token characters.
  static func identify(_ view: ByteView, _ start: Int, _ count: Int) -> KnownHeader {
    @inline(__always)
    func named(_ candidate: KnownHeader) -> Bool { view.matches(from: start, count: count, ByteView(candidate.name)) }
    switch count {
    case 2:
      if named(.te) { return .te }
    case 3:
      if named(.via) { return .via }
    case 4:
      if named(.host) { return .host }
      if named(.date) { return .date }
    case 6:
      if named(.accept) { return .accept }
      if named(.server) { return .server }
      if named(.expect) { return .expect }
      if named(.origin) { return .origin }
      if named(.cookie) { return .cookie }
    case 7:
      if named(.upgrade) { return .upgrade }
      if named(.trailer) { return .trailer }
      if named(.apiKey) { return .apiKey }
    case 8:
      if named(.location) { return .location }
    case 9:
      if named(.xAPIKey) { return .xAPIKey }
      if named(.forwarded) { return .forwarded }
    case 10:
      if named(.userAgent) { return .userAgent }
      if named(.connection) { return .connection }
      if named(.keepAlive) { return .keepAlive }
      if named(.setCookie) { return .setCookie }
      if named(.requestID) { return .requestID }
      if named(.tracestate) { return .tracestate }
    case 11:
      if named(.retryAfter) { return .retryAfter }
      if named(.traceparent) { return .traceparent }
    case 12:
      if named(.contentType) { return .contentType }
      if named(.xRequestID) { return .xRequestID }
    case 13:
      if named(.authorization) { return .authorization }
      if named(.cacheControl) { return .cacheControl }
    case 14:
      if named(.contentLength) { return .contentLength }
      if named(.retryAfterMilliseconds) { return .retryAfterMilliseconds }
      if named(.shouldRetry) { return .shouldRetry }
      if named(.googleAPIKey) { return .googleAPIKey }
      if named(.anthropicBeta) { return .anthropicBeta }
      if named(.openAIProject) { return .openAIProject }
      if named(.sluiceClass) { return .sluiceClass }
      if named(.secFetchSite) { return .secFetchSite }
    case 15:
      if named(.acceptEncoding) { return .acceptEncoding }
      if named(.forwardedFor) { return .forwardedFor }
      if named(.idempotencyKey) { return .idempotencyKey }
    case 16:
      if named(.contentEncoding) { return .contentEncoding }
      if named(.proxyConnection) { return .proxyConnection }
      if named(.forwardedHost) { return .forwardedHost }
    case 17:
      if named(.transferEncoding) { return .transferEncoding }
      if named(.forwardedProto) { return .forwardedProto }
      if named(.anthropicVersion) { return .anthropicVersion }
      if named(.sluiceDeadline) { return .sluiceDeadline }
      if named(.sluiceAffinity) { return .sluiceAffinity }
      if named(.sluiceNoCache) { return .sluiceNoCache }
    case 18:
      if named(.proxyAuthenticate) { return .proxyAuthenticate }
    case 19:
      if named(.proxyAuthorization) { return .proxyAuthorization }
      if named(.openAIOrganization) { return .openAIOrganization }
    default: break
    }
    return .other
  }
}
