import SluiceDialects
import SluicePolicy
import Testing

/// What is said to a metadata endpoint, word by word, and what a refused signature means.
struct AWSMetadataTests {
  private let document = """
    {"Code":"Success","AccessKeyId":"ASIAX","SecretAccessKey":"s","Token":"t","Expiration":"2026-11-21T07:30:47Z"}
    """

  private func answer(
    _ dialogue: inout AWSMetadataDialogue, _ status: Int, _ body: String
  ) -> AWSMetadataDialogue.Step {
    withBytes(body) { dialogue.answered(status: status, body: $0) }
  }

  private func question(_ step: AWSMetadataDialogue.Step) -> AWSMetadataDialogue.Question? {
    if case .ask(let question) = step { question } else { nil }
  }

  private func reason(_ step: AWSMetadataDialogue.Step) -> String {
    if case .failed(let reason) = step { reason } else { "" }
  }

  private func instance(_ url: String = "http://169.254.169.254") throws -> AWSMetadataDialogue {
    AWSMetadataDialogue(.instance(try #require(AWSMetadataURL(url))))
  }

  @Test func theInstancesProtocol() throws {
    var dialogue = try instance()
    let session = question(dialogue.begin())
    #expect(session?.method == "PUT" && session?.target == "/latest/api/token")
    #expect(session?.headers == ["x-aws-ec2-metadata-token-ttl-seconds": "21600"])
    let role = question(answer(&dialogue, 200, "TOKEN==\n"))
    #expect(role?.method == "GET" && role?.target == "/latest/meta-data/iam/security-credentials/")
    #expect(role?.headers == ["x-aws-ec2-metadata-token": "TOKEN=="])
    let credentials = question(answer(&dialogue, 200, "my role/../x\nother"))
    #expect(credentials?.target == "/latest/meta-data/iam/security-credentials/my%20role%2F..%2Fx")
    #expect(credentials?.headers == ["x-aws-ec2-metadata-token": "TOKEN=="])
    guard case .done(let found) = answer(&dialogue, 200, document) else { return #expect(Bool(false)) }
    #expect(found == AWSCredentials(keyID: "ASIAX", secret: "s", sessionToken: "t", expiration: .sample))
    #expect(!reason(answer(&dialogue, 200, document)).isEmpty, "it is over")
  }

  @Test func theContainersIsOneQuestion() throws {
    let url = try #require(AWSMetadataURL("http://127.0.0.1:8/creds?id=1"))
    var dialogue = AWSMetadataDialogue(.container(url, authorization: .none), authorization: "Bearer x")
    let first = question(dialogue.begin())
    #expect(first?.method == "GET" && first?.target == "/creds?id=1")
    #expect(first?.headers["authorization"] == "Bearer x")
    #expect(reason(answer(&dialogue, 403, "")).contains("authorization token"))
  }

  @Test func everyQuestionIsAskedTwiceAtMost() throws {
    var dialogue = try instance()
    let first = question(dialogue.begin())
    #expect(question(dialogue.broke("nobody")) == first)
    #expect(reason(dialogue.broke("nobody")).contains("nobody"))
    dialogue = try instance()
    _ = dialogue.begin()
    _ = answer(&dialogue, 503, "")
    // The next question has two tries of its own.
    #expect(question(answer(&dialogue, 200, "T"))?.method == "GET")
    #expect(question(answer(&dialogue, 500, "")) != nil)
    #expect(reason(answer(&dialogue, 500, "")).contains("500"))
  }

  @Test func theFirstVersionIsNotSpoken() throws {
    for status in [403, 404, 405] {
      var dialogue = try instance()
      _ = dialogue.begin()
      #expect(!reason(answer(&dialogue, status, "")).isEmpty)
    }
  }

  @Test(arguments: ["", "a\r\nb", "\u{7F}", String(repeating: "x", count: 20_000)])
  func aSessionThatCannotBeSentEndsIt(_ token: String) throws {
    var dialogue = try instance()
    _ = dialogue.begin()
    #expect(!reason(answer(&dialogue, 200, token)).isEmpty)
  }

  @Test func strangeAnswersEndItWithoutBeingRepeated() throws {
    let url = try #require(AWSMetadataURL("http://127.0.0.1/"))
    for body in ["", "{}", #"{"Code":"Failed","Message":"topsecret"}"#, "<html>topsecret"] {
      var dialogue = AWSMetadataDialogue(.container(url, authorization: .none))
      _ = dialogue.begin()
      let said = reason(answer(&dialogue, 200, body))
      #expect(!said.isEmpty && !said.contains("topsecret"))
    }
  }

  // MARK: Refused signatures

  private func classify(_ status: Int, _ type: String, _ message: String = "", date: String? = nil) -> ProviderFailure?
  {
    let lines = date.map { "date: \($0)\r\n" } ?? ""
    let head = Array("HTTP/1.1 \(status) X\r\nx-amzn-errortype: \(type)\r\n\(lines)content-length: 0\r\n\r\n".utf8)
    let dialect = try? ProviderDialect(.bedrock)
    return withHead(head) { _, headers in
      withBytes(#"{"message":"\#(message)"}"#) { body in
        dialect?.classify(status: status, headers: headers, body: body, now: .sample)
      }
    } ?? nil
  }

  @Test(arguments: ["ExpiredTokenException", "ExpiredToken", "com.amazon#ExpiredTokenException:http://x/"])
  func expiredTokensAreRenewed(_ type: String) {
    let failure = classify(403, type)
    #expect(failure?.remedy == .renew && failure?.failureClass == .credential)
    #expect(failure?.reach == .keyAndModel, "the key stays in service")
  }

  @Test func whatNobodyRenewsIsTheKeysFault() throws {
    let failure = try #require(classify(403, "ExpiredTokenException"))
    let signer = RequestSigner(desk: FixedSigningDesk(AWSCredentials(keyID: "A", secret: "s")), region: "x")
    #expect(failure.settled(with: signer).reach == .key && failure.settled(with: signer).remedy == nil)
    #expect(failure.settled(with: nil).reach == .key)
    let other = try #require(classify(403, "AccessDeniedException"))
    #expect(other.settled(with: signer) == other)
  }

  @Test(arguments: [
    ("RequestTimeTooSkewed", ""), ("InvalidSignatureException", "Signature expired: 20261121T072047Z is now earlier"),
    ("InvalidSignatureException", "Signature not yet current: 20261121T072047Z is still later"),
    ("SignatureDoesNotMatch", "Signature expired: x"),
  ])
  func aSkewedClockIsPutRightByTheAnswersDate(_ type: String, _ message: String) {
    let failure = classify(403, type, message, date: "Sat, 21 Nov 2026 07:40:47 GMT")
    #expect(failure?.remedy == .clock(offset: 600_000))
    #expect(failure?.reach == .keyAndModel)
    #expect(classify(403, type, message, date: "Sat, 21 Nov 2026 07:20:47 GMT")?.remedy == .clock(offset: -600_000))
    #expect(classify(403, type, message)?.remedy == nil, "no date")
    #expect(classify(403, type, message, date: "Sat, 21 Nov 2026 07:30:50 GMT")?.remedy == nil, "no difference")
    #expect(classify(403, type, message, date: "Sat, 21 Nov 1970 07:30:50 GMT")?.remedy == nil, "not to be believed")
  }

  @Test func aWrongSecretIsTheKeysFault() {
    let date = "Sat, 21 Nov 2026 07:40:47 GMT"
    for type in ["InvalidSignatureException", "SignatureDoesNotMatch"] {
      let failure = classify(403, type, "The request signature we calculated does not match", date: date)
      #expect(failure?.failureClass == .credential && failure?.reach == .key && failure?.remedy == nil)
    }
  }

  @Test func aSecretThatWasGoodBeforeIsNotAtFault() throws {
    final class Desk: SigningDesk {
      func credentials(_ now: UnixTime) -> AWSCredentials? { nil }
      func clockOffset(of host: String) -> Int64 { 0 }
      func learn(clockOffset: Int64, of host: String) {}
      func renew(
        insteadOf refused: AWSCredentials?, _ now: UnixTime, _ done: @escaping @Sendable () -> Void
      ) -> CredentialRefresh.Renewal { .hopeless }
      func accepted(_ credentials: AWSCredentials) {}
      func hasAccepted(_ credentials: AWSCredentials) -> Bool { credentials.secret == "good" }
      let canRenew = false
      let complaint = ""
    }
    let signer = RequestSigner(desk: Desk(), region: "x")
    func settled(_ type: String, _ secret: String) throws -> ProviderFailure {
      let identity = SigningIdentity(credentials: AWSCredentials(keyID: "A", secret: secret), now: .sample)
      return try #require(classify(403, type, "does not match")).settled(with: signer, as: identity)
    }
    for type in ["InvalidSignatureException", "com.amazon#SignatureDoesNotMatch:http://x/"] {
      let good = try settled(type, "good")
      #expect(good.failureClass == .caller && good.reach == .request && !good.disablesKey)
      let new = try settled(type, "new")
      #expect(new.failureClass == .credential && new.disablesKey)
    }
    #expect(try settled("UnrecognizedClientException", "good").disablesKey, "the key itself is gone")
  }

  @Test func anIdentityKnowsWhetherItsClockWasWrong() {
    let key = AWSCredentials(keyID: "A", secret: "s")
    let identity = SigningIdentity(credentials: key, now: .sample, offset: 600_000)
    #expect(identity.time == .sample + 600_000)
    #expect(!identity.isCorrected(by: 601_000), "it was signed with that offset already")
    #expect(identity.isCorrected(by: 0))
    #expect(SigningIdentity(credentials: key, now: .sample, offset: .min).isCorrected(by: .max))
  }

  @Test func probesThatSayNothingAboutTheKey() {
    func error(_ code: String, _ message: String = "") -> String {
      "<ErrorResponse><Error><Type>Sender</Type><Code>\(code)</Code><Message>\(message)</Message></Error></ErrorResponse>"
    }
    #expect(withBytes(error("ExpiredToken")) { Bedrock.isPassing($0) && Bedrock.isExpired($0) })
    #expect(withBytes(error("SignatureDoesNotMatch", "Signature expired: …")) { Bedrock.isPassing($0) })
    #expect(!withBytes(error("SignatureDoesNotMatch", "no match")) { Bedrock.isPassing($0) })
    #expect(!withBytes(error("InvalidClientTokenId")) { Bedrock.isPassing($0) })
    #expect(withBytes(#"{"__type":"ExpiredTokenException"}"#) { Bedrock.isExpired($0) })
  }
}
