import Logging
import NIOCore
import NIOPosix
import Sluice
import SluiceConfiguration
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import Testing

/// How pools of Bedrock authenticate.
struct AWSBlueprintTests {
  private func blueprint(_ pool: String, _ environment: [String: String]) throws -> PoolBlueprint {
    let text = "pools:\n  b:\n    provider: bedrock\n" + pool
    let loaded = try SluiceConfigurationFile.load(
      text: text, name: "sluice.yaml", options: LoadOptions(environment: environment)
    ).get()
    let room = AWSCredentialRoom(
      loops: [MultiThreadedEventLoopGroup.singleton.next()], environment: environment, files: .none,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    defer { room.keep(only: []) }
    return try PoolBlueprint(loaded.configuration.pools[0], room: room)
  }

  private let key = ["AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "s"]

  private func signature(_ signer: RequestSigner?, host: String) -> String {
    var lines: [UInt8] = []
    Array("/model/m/converse".utf8).withSlice { target in
      let attempt = RequestSigner.Attempt(method: "POST", target: target, host: host, contentType: nil, body: .empty)
      signer?.append(attempt, now: .seconds(1_800_000_000), to: &lines)
    }
    return String(decoding: lines, as: UTF8.self)
  }

  private let regions = """
        options: {region: us-east-1}
        endpoints:
          - {url: "http://localhost:1", region: eu-west-1}
          - {url: "http://localhost:2", region: ap-south-1}
          - {url: "https://bedrock-runtime.us-west-2.amazonaws.com", region: us-west-2}

    """

  @Test func everyRegionSignsForItself() throws {
    let blueprint = try blueprint(regions, key)
    #expect(blueprint.settings.endpoints.map(\.region) == ["eu-west-1", "ap-south-1", "us-west-2"])
    for (credential, region) in zip(blueprint.credentials, ["eu-west-1", "ap-south-1", "us-west-2"]) {
      #expect(signature(credential.signer, host: "localhost").contains("AKIDENV/20270115/\(region)/bedrock/"))
    }
    // AWS's own host says it all.
    let host = "bedrock-runtime.eu-north-1.amazonaws.com"
    #expect(signature(blueprint.credentials[0].signer, host: host).contains("/eu-north-1/bedrock/"))
    let probe = blueprint.probeTargets[blueprint.settings.endpoints[2].identity]
    #expect(probe?.origin.host == "sts.us-west-2.amazonaws.com")
  }

  @Test func allEndpointsShareOnePlan() throws {
    let plans = try blueprint(regions, key).credentialPlans
    #expect(plans.count == 3 && Set(plans).count == 1)
  }

  @Test func aBearerTokenOfTheEnvironmentIsSent() throws {
    let environment = key.merging(["AWS_BEARER_TOKEN_BEDROCK": "token-1"]) { mine, _ in mine }
    let blueprint = try blueprint("    options: {region: us-east-1}\n", environment)
    #expect(String(decoding: blueprint.credentials[0].lines, as: UTF8.self) == "authorization: Bearer token-1\r\n")
    #expect(blueprint.credentials[0].signer == nil && blueprint.credentialPlans == [nil])
  }

  @Test func keysComeBeforeEverythingElse() throws {
    let blueprint = try blueprint("    keys: [\"AKIDWRITTEN:secret\"]\n", key)
    #expect(signature(blueprint.credentials[0].signer, host: "h").contains("Credential=AKIDWRITTEN/"))
  }

  @Test func aProbeSaysNothingWhileThereAreNoCredentials() throws {
    let environment = ["AWS_EC2_METADATA_DISABLED": "true"]
    let blueprint = try blueprint("    options: {region: us-east-1}\n", environment)
    let target = try #require(blueprint.probeTargets[blueprint.settings.endpoints[0].identity])
    let refusal = "<ErrorResponse><Error><Code>MissingAuthenticationToken</Code></Error></ErrorResponse>"
    #expect(target.verdict(403, ByteBuffer(string: refusal)) == .cancelled)
    let known = try self.blueprint("    options: {region: us-east-1}\n", key)
    let other = try #require(known.probeTargets[known.settings.endpoints[0].identity])
    #expect(other.verdict(403, ByteBuffer(string: refusal)) == .credential)
  }
}
