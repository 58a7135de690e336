import SluiceDialects
import Testing

/// Where AWS credentials come from, and what is asked there.
struct AWSCredentialPlanTests {
  private func plan(_ environment: [String: String], _ options: [String: ProviderOptions.Value] = [:])
    -> [AWSCredentialPlan.Source]
  {
    AWSCredentialPlan(options: ProviderOptions(options), environment: environment).sources
  }

  private let everything = [
    "HOME": "/home/u", "AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "e",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/creds",
  ]

  @Test func optionsComeFirst() {
    let options: [String: ProviderOptions.Value] = [
      "access_key_id": .text("AKIDOPT"), "secret_access_key": .text("o"), "session_token": .text("t"),
    ]
    let expected = AWSCredentials(keyID: "AKIDOPT", secret: "o", sessionToken: "t")
    #expect(plan(everything, options) == [.fixed(expected, place: "options")])
  }

  @Test func aNamedProfileTakesThePlaceOfTheEnvironment() {
    let files = AWSFileSource(
      credentialsPath: "/home/u/.aws/credentials", configPath: "/home/u/.aws/config", profile: "work", isNamed: true)
    #expect(plan(everything, ["profile": .text("work")]) == [.files(files)])
  }

  @Test func theEnvironmentComesBeforeFilesAndEndpoints() {
    var environment = everything
    environment["AWS_SESSION_TOKEN"] = "t"
    environment["AWS_CREDENTIAL_EXPIRATION"] = "2026-11-21T07:30:47Z"
    let expected = AWSCredentials(keyID: "AKIDENV", secret: "e", sessionToken: "t", expiration: .sample)
    #expect(plan(environment) == [.fixed(expected, place: "environment")])
    environment["AWS_SECRET_ACCESS_KEY"] = ""
    #expect(plan(environment).count == 2, "half a key is none")
  }

  @Test func filesThenTheContainerThenTheInstance() throws {
    var environment = ["HOME": "/h", "AWS_PROFILE": "p", "AWS_CONFIG_FILE": "~/c", "AWS_SHARED_CREDENTIALS_FILE": "/s"]
    let files = AWSFileSource(credentialsPath: "/s", configPath: "/h/c", profile: "p", isNamed: true)
    let instance = AWSCredentialPlan.Source.metadata(.instance(try #require(AWSMetadataURL("http://169.254.169.254"))))
    #expect(plan(environment) == [.files(files), instance])
    environment["AWS_EC2_METADATA_DISABLED"] = "TRUE"
    #expect(plan(environment) == [.files(files)])
    environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/x"
    let container = AWSMetadataSource.container(
      try #require(AWSMetadataURL("http://169.254.170.2/v2/x")), authorization: .none)
    #expect(plan(environment) == [.files(files), .metadata(container)])
    #expect(container.isNamed && container.url.target == "/v2/x")
  }

  @Test func theInstancesEndpointMayBeElsewhere() throws {
    func url(_ environment: [String: String]) -> String? {
      guard case .metadata(.instance(let url))? = plan(environment).last else { return nil }
      return url.base + url.target
    }
    #expect(url(["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9/x"]) == "http://127.0.0.1:9/x")
    #expect(url(["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"]) == "http://[fd00:ec2::254]/")
    #expect(url(["AWS_EC2_METADATA_SERVICE_ENDPOINT": "nonsense"]) == nil)
  }

  @Test(arguments: [
    ("http://127.0.0.1:8/creds", true), ("http://localhost/creds", true), ("http://[::1]:80/creds", true),
    ("http://169.254.170.23/v1/credentials", true), ("https://elsewhere.example/creds", true),
    ("http://169.254.169.254/creds", false), ("http://elsewhere.example/creds", false),
    ("http://127.evil.example/creds", false), ("http://localhost.evil.example/", false),
    ("http://user@localhost/", false), ("ftp://localhost/", false), ("http://[::1/x", false), ("http://a b/", false),
  ])
  func onlyTrustedHostsAreAskedForAContainersCredentials(_ url: String, _ isTrusted: Bool) {
    switch plan(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url]).last {
    case .metadata(.container): #expect(isTrusted)
    case .refused(let reason):
      #expect(!isTrusted)
      #expect(reason.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
    default: Issue.record("neither")
    }
  }

  @Test func theContainersTokenMayComeFromAFile() {
    var environment = [
      "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "to ken",
    ]
    func authorization() -> AWSMetadataSource.Authorization? {
      guard case .metadata(.container(_, let authorization))? = plan(environment).last else { return nil }
      return authorization
    }
    #expect(authorization() == .token(AWSMetadataSource.Secret("to ken")))
    #expect(!"\(plan(environment))".contains("to ken"))
    environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/t"
    #expect(authorization() == .file("/t"))
    environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = nil
    environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "a\r\nx: y"
    #expect(authorization() == nil)
  }

  @Test func rolesByWebIdentityAreRefusedAndNotPassedOver() {
    let sources = plan(["AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "arn"])
    guard case .refused(let reason)? = sources.first else { return #expect(Bool(false), "\(sources)") }
    #expect(sources.count == 1 && reason.contains("AWS_WEB_IDENTITY_TOKEN_FILE"))
  }

  @Test func aBearerTokenOfTheEnvironmentWins() {
    let environment = ["AWS_BEARER_TOKEN_BEDROCK": "b"]
    #expect(AWSCredentialPlan.bearerToken(options: .none, environment: environment) == "b")
    let options = ProviderOptions(["profile": .text("p")])
    #expect(AWSCredentialPlan.bearerToken(options: options, environment: environment) == nil)
    #expect(AWSCredentialPlan.bearerToken(options: .none, environment: ["AWS_BEARER_TOKEN_BEDROCK": ""]) == nil)
  }

  @Test func aPlanNeverShowsItsSecrets() {
    var text = "\(AWSCredentialPlan(AWSCredentials(keyID: "AKIDSHOWN", secret: "topsecret")))"
    dump(plan(everything), to: &text)
    #expect(!text.contains("topsecret") && !text.contains("AKID"))
  }

  // MARK: Profiles

  private func find(_ credentials: String?, _ config: String?, profile: String = "default") -> AWSProfileLookup.Answer {
    let source = AWSFileSource(credentialsPath: "/c", configPath: "/f", profile: profile, isNamed: true)
    return AWSProfileLookup.find(
      source, credentials: credentials.map { Array($0.utf8) }, config: config.map { Array($0.utf8) })
  }

  private func problem(_ answer: AWSProfileLookup.Answer) -> String? {
    if case .refused(let problem) = answer { problem.description } else { nil }
  }

  @Test func aProfileIsReadFromEitherFile() {
    let key = "aws_access_key_id = AKIDFILE\naws_secret_access_key = s\n"
    guard case .found(let first) = find("[default]\n\(key)", nil) else { return #expect(Bool(false)) }
    #expect(first == AWSCredentials(keyID: "AKIDFILE", secret: "s"))
    guard case .found = find(nil, "[profile w]\nregion = eu-west-1\n\(key)", profile: "w") else {
      return #expect(Bool(false))
    }
    guard case .nothing(let reason) = find("[other]\n\(key)", nil) else { return #expect(Bool(false)) }
    #expect(reason.contains("/c") && reason.contains("/f") && reason.contains("'default'"))
    guard case .nothing = find(nil, "[default]\nregion = x\n") else { return #expect(Bool(false)) }
  }

  @Test func whatIsNotSupportedIsRefusedWhereItStands() {
    let sso = "# comment\n\n[profile w]\nregion = x\nsso_session = s\n"
    #expect(problem(find(nil, sso, profile: "w"))?.hasPrefix("/f:5: profile 'w' uses 'sso_session'") == true)
    let key = "[default]\naws_access_key_id=A\naws_secret_access_key=s\n"
    #expect(problem(find(key, "[default]\nrole_arn=arn\nsource_profile=x\n"))?.hasPrefix("/f:2: ") == true)
    #expect(problem(find(nil, "[default]\ncredential_process = /bin/x\n"))?.hasPrefix("/f:2: ") == true)
    #expect(problem(find(key, "[default]\ncredential_process = /bin/x\n")) == nil, "the key comes before the process")
  }

  @Test func aFileThatIsNoTextIsAProblem() {
    let source = AWSFileSource(credentialsPath: "/c", configPath: nil, profile: "p", isNamed: false)
    #expect(problem(AWSProfileLookup.find(source, credentials: [0xFF], config: nil))?.hasPrefix("/c:1: ") == true)
  }

  @Test func theRegionOfAProfile() {
    let config = Array("[profile w]\nregion = eu-west-3\n".utf8)
    #expect(AWSProfileLookup.region("w", credentials: nil, config: config) == "eu-west-3")
    #expect(AWSProfileLookup.region("x", credentials: nil, config: config) == nil)
  }
}
