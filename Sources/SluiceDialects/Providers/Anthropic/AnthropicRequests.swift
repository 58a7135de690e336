/// Anthropic: how requests are addressed and signed.
enum Anthropic {
  static let defaultBaseURL = "https://api.anthropic.com"

  static let environment = ProviderEnvironment(
    keys: ["ANTHROPIC_API_KEY"], bearerTokens: ["ANTHROPIC_AUTH_TOKEN"], baseURL: "ANTHROPIC_BASE_URL")

  /// The version for clients that name none (plain `curl`). The older of the two known ones: it takes every field the
  /// newer one takes, and the sampling parameters besides.
  static let defaultVersion: StaticString = "2023-06-01"

  /// The base URL has no `/v1`; the SDK's paths do.
  static func upstreamPath(_ clientPath: ByteSlice) -> ByteSlice { clientPath }

  static func appendCredential(_ credential: UpstreamCredential, to lines: inout [UInt8]) {
    switch credential.kind {
    case .key: lines.append("x-api-key: ")
    case .bearer: lines.append("authorization: Bearer ")
    }
    lines.append(contentsOf: credential.secret.utf8)
    lines.append("\r\n")
  }

  static func appendMissingHeaders(client: HeaderView, to head: inout [UInt8]) {
    guard !client.contains(.anthropicVersion) else { return }
    head.append("anthropic-version: ")
    head.append(defaultVersion)
    head.append("\r\n")
  }
}
