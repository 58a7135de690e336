package import SluicePolicy

extension Bedrock {
  /// Without a signature: the control plane's model list, which proves permission and region.
  package static func probe(_ options: ProviderOptions) -> ProbeCall {
    ProbeCall("/foundation-models", host: "bedrock.\(region(options)).amazonaws.com")
  }

  /// With an access key: STS `GetCallerIdentity`, which needs no permission, is free, and proves key and clock.
  package static func signedProbe(_ options: ProviderOptions) -> ProbeCall {
    ProbeCall(
      "/", method: .post, body: "Action=GetCallerIdentity&Version=2011-06-15",
      host: "sts.\(region(options)).amazonaws.com", contentType: "application/x-www-form-urlencoded; charset=utf-8")
  }

  /// A probe's answer that says nothing about the key: credentials that have expired (which are renewed) or a wrong clock.
  package static func isPassing(_ body: ByteSlice) -> Bool {
    let code = errorCode(body) ?? ProviderErrorBody.read(body).type.map(plainType)
    if ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestTimeTooSkewed"].contains(code) {
      return true
    }
    let text = body.string(limit: 4096)
    return text.contains("Signature expired") || text.contains("Signature not yet current")
  }

  /// The credentials have.
  package static func isExpired(_ body: ByteSlice) -> Bool {
    let code = errorCode(body) ?? ProviderErrorBody.read(body).type.map(plainType)
    return code == "ExpiredToken" || code == "ExpiredTokenException"
  }

  /// STS answers in XML; a limit and an old request are 400 there. A fault of STS is none of Bedrock's, so it never
  /// counts as the endpoint's.
  package static func probeVerdict(status: Int, _ body: ByteSlice) -> FailureClass? {
    guard status >= 400, let code = errorCode(body) else { return nil }
    switch code {
    case "Throttling": return .rateLimited
    case "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException", "AccessDenied",
      "RequestExpired", "MissingAuthenticationToken":
      return .credential
    default: return nil
    }
  }

  /// The text between `<Code>` and `</Code>`.
  static func errorCode(_ body: ByteSlice) -> String? {
    var start = 0
    while let open = body.firstIndex(of: 0x3C, from: start) {
      start = open + 1
      guard body.suffix(from: open).hasPrefix("<Code>") else { continue }
      guard let end = body.firstIndex(of: 0x3C, from: open + 6), body.suffix(from: end).hasPrefix("</Code>") else {
        return nil
      }
      return body[open + 6..<end].string(limit: 128)
    }
    return nil
  }
}
