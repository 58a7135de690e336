/// Which header fields cross the gateway. Whatever belongs to one connection, to one party's credentials or to the
/// browser's own bookkeeping stays where it is; the rest passes untouched.
package enum HeaderFilter {
  /// Whether a client's field goes to the provider. Framing, host and credentials are written anew by the gateway.
  package static func travelsUpstream(_ field: HeaderIndex.Field, in bytes: ByteSlice) -> Bool {
    guard !field.isHopByHop else { return false }
    switch field.known {
    case .other: return !isPrivateRequestName(bytes[field.name.range])
    case .host, .contentLength, .expect, .acceptEncoding: return false
    case .authorization, .apiKey, .xAPIKey, .googleAPIKey, .openAIOrganization, .openAIProject: return false
    case .cookie, .origin, .via, .forwarded, .forwardedFor, .forwardedHost, .forwardedProto, .secFetchSite: return false
    case .sluiceClass, .sluiceDeadline, .sluiceAffinity, .sluiceNoCache: return false
    default: return true
    }
  }

  /// Whether a provider's field goes to the client. Framing is written anew; `x-sluice-*` and `server-timing` are the
  /// gateway's own; the policies of the provider's own site (cookies, HSTS, alternative services, CORS) would be
  /// taken for the gateway's.
  package static func travelsDown(_ field: HeaderIndex.Field, in bytes: ByteSlice) -> Bool {
    guard !field.isHopByHop else { return false }
    switch field.known {
    case .other: return !isPrivateResponseName(bytes[field.name.range])
    case .contentLength, .setCookie, .via: return false
    default: return true
    }
  }

  private static func isPrivateRequestName(_ name: ByteSlice) -> Bool {
    guard !name.isEmpty else { return true }
    switch ByteSlice.lowered(name[0]) {
    case 0x78:
      return name.hasPrefixIgnoringCase("x-sluice-") || name.hasPrefixIgnoringCase("x-stainless-")
        || name.hasPrefixIgnoringCase("x-forwarded-") || name.equalsIgnoringCase("x-real-ip")
        // What a client signed is signed anew; `x-amzn-…` are options of the call.
        || name.hasPrefixIgnoringCase("x-amz-") || name.hasPrefixIgnoringCase("x-goog-")
    case 0x73: return name.hasPrefixIgnoringCase("sec-")
    case 0x70: return name.hasPrefixIgnoringCase("proxy-")
    case 0x72: return name.equalsIgnoringCase("referer")
    case 0x61:
      return name.equalsIgnoringCase("anthropic-workspace-id")
        || name.hasPrefixIgnoringCase("access-control-request-") || name.hasPrefixIgnoringCase("amz-sdk-")
    case 0x68: return name.equalsIgnoringCase("http2-settings")
    default: return false
    }
  }

  private static func isPrivateResponseName(_ name: ByteSlice) -> Bool {
    guard !name.isEmpty else { return true }
    switch ByteSlice.lowered(name[0]) {
    case 0x78: return name.hasPrefixIgnoringCase("x-sluice-")
    case 0x73:
      return name.equalsIgnoringCase("server-timing") || name.equalsIgnoringCase("strict-transport-security")
    case 0x61: return name.equalsIgnoringCase("alt-svc") || name.hasPrefixIgnoringCase("access-control-")
    case 0x6E: return name.equalsIgnoringCase("nel")
    case 0x72: return name.equalsIgnoringCase("report-to") || name.equalsIgnoringCase("reporting-endpoints")
    case 0x63: return name.equalsIgnoringCase("content-security-policy")
    default: return false
    }
  }
}
