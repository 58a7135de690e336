import SluiceConfiguration
import SluiceDialects

/// How one endpoint proves who it is: a credential that is sent, or AWS credentials that sign.
struct EndpointCredential {
  let prepared: PreparedCredential
  /// Where the AWS credentials come from.
  let plan: AWSCredentialPlan?

  init(_ endpoint: EndpointConfiguration, _ dialect: ProviderDialect, _ room: AWSCredentialRoom?) throws {
    guard dialect.provider == .bedrock else {
      prepared = try endpoint.credential.map { try dialect.prepare($0) } ?? .none
      plan = nil
      return
    }
    let environment = room?.environment ?? [:]
    if let credential = endpoint.credential ?? Self.token(dialect, environment) {
      let ready = try dialect.prepare(credential)
      let key = ready.signer == nil ? nil : Bedrock.accessKey(credential)
      plan = key.map { AWSCredentialPlan($0) }
      prepared = Self.signing(plan, dialect, room) ?? ready
    } else {
      plan = AWSCredentialPlan(options: dialect.options, environment: environment)
      prepared = Self.signing(plan, dialect, room) ?? .none
    }
  }

  private static func token(_ dialect: ProviderDialect, _ environment: [String: String]) -> UpstreamCredential? {
    AWSCredentialPlan.bearerToken(options: dialect.options, environment: environment).map {
      UpstreamCredential($0, kind: .bearer)
    }
  }

  private static func signing(
    _ plan: AWSCredentialPlan?, _ dialect: ProviderDialect, _ room: AWSCredentialRoom?
  ) -> PreparedCredential? {
    guard let plan, let desk = room?.desk(plan) else { return nil }
    return PreparedCredential(signer: RequestSigner(desk: desk, region: Bedrock.region(dialect.options)))
  }
}
