import SluiceDialects
import SluicePolicy
import Testing

@Suite("Bedrock")
struct BedrockTests {
  private func dialect(_ region: String = "eu-west-1") throws -> ProviderDialect {
    try ProviderDialect(.bedrock, options: ProviderOptions(["region": .text(region)]))
  }

  // MARK: Signatures

  struct Vector: Sendable, CustomTestStringConvertible {
    var value: JSONValue
    func text(_ name: String) -> String { value[name]?.string ?? "" }
    var testDescription: String { text("name") }

    /// Host and path with query of the URL.
    var address: (host: String, target: String) {
      let rest = text("url").dropFirst("https://".count)
      let slash = rest.firstIndex(of: "/") ?? rest.endIndex
      return (String(rest[..<slash]), String(rest[slash...]))
    }

    var contentType: String? { value["request_headers"]?["Content-Type"]?.string }
    var token: String? { value["session_token"]?.string }
  }

  static func vectors() throws -> [Vector] {
    try (WireSamples.json("bedrock/sigv4-vectors.json").array ?? []).map { Vector(value: $0) }
  }

  @Test func thereAreSevenVectors() throws { #expect(try Self.vectors().count == 7) }

  @Test("vectors", arguments: try BedrockTests.vectors())
  func vector(_ vector: Vector) throws {
    let date = vector.text("amz_date")
    let (host, target) = vector.address
    var headers: [(name: String, value: String)] = [
      ("Host", host), ("X-Amz-Date", date), ("User-Agent", "x"), ("traceparent", "y"), ("Authorization", "z"),
    ]
    if let type = vector.contentType { headers.append(("Content-Type", type)) }
    if let token = vector.token { headers.append(("X-Amz-Security-Token", token)) }
    let body = Array(vector.text("body").utf8)
    let signed = withBytes(target) { target in
      body.withSlice { body in
        SigV4.sign(
          SigV4.Subject(method: vector.text("method"), target: target, headers: headers, body: body),
          SigV4.Scope(region: vector.text("region"), service: vector.text("service")),
          keyID: vector.text("access_key_id"), secret: vector.text("secret_access_key"), date: date)
      }
    }
    #expect(signed.canonicalRequest == vector.text("canonical_request"))
    #expect(signed.stringToSign == vector.text("string_to_sign"))
    #expect(signed.signature == vector.text("signature"))
    #expect(signed.authorization == vector.text("authorization"))
  }

  /// Written by hand from AWS's description of the canonical request.
  @Test(
    "targets in every spelling",
    arguments: [
      ("/", "/", ""), ("", "/", ""), ("?", "/", ""), ("/a//b/./c/../d/", "/a/b/d/", ""), ("/../..", "/", ""),
      ("/model/x%3A0/invoke", "/model/x%253A0/invoke", ""), ("/a:b", "/a%3Ab", ""), ("/.../..a", "/.../..a", ""),
      ("/?b=2&a=1&b=1&&c", "/", "a=1&b=1&b=2&c="), ("/?a=%2f%7e+%20/", "/", "a=%2F~%2B%20%2F"),
      ("/?a=b=c", "/", "a=b%3Dc"), ("/?%zz=%", "/", "%25zz=%25"), ("/?%C3%A9=\u{E9}", "/", "%C3%A9=%C3%A9"),
      ("/x/..?a", "/", "a="),
    ])
  func target(_ target: String, _ path: String, _ query: String) {
    let lines = withBytes(target) { target in
      SigV4.sign(
        SigV4.Subject(method: "GET", target: target, headers: [], body: .empty),
        SigV4.Scope(region: "r", service: "s"), keyID: "k", secret: "s", date: "20260101T000000Z"
      ).canonicalRequest.split(separator: "\n", omittingEmptySubsequences: false)
    }
    #expect(lines[1] == path && lines[2] == query)
  }

  @Test("a prepared credential signs the attempt", arguments: try BedrockTests.vectors())
  func prepared(_ vector: Vector) throws {
    let (host, target) = vector.address
    var secret = "\(vector.text("access_key_id")):\(vector.text("secret_access_key"))"
    if let token = vector.token { secret += ":\(token)" }
    let credential = try dialect("eu-central-1").prepare(UpstreamCredential(secret))
    let signer = try #require(credential.signer)
    #expect(credential.lines.isEmpty)
    // 2026-01-15T12:00:00Z
    let now = UnixTime.seconds(1_768_478_400)
    var lines: [UInt8] = []
    withBytes(target) { target in
      withBytes(vector.text("body")) { body in
        signer.append(
          RequestSigner.Attempt(
            method: vector.text("method"), target: target, host: host, contentType: vector.contentType, body: body),
          now: now, to: &lines)
      }
    }
    let text = String(decoding: lines, as: UTF8.self)
    #expect(text.hasPrefix("x-amz-date: \(vector.text("amz_date"))\r\n"))
    #expect(text.hasSuffix("authorization: \(vector.text("authorization"))\r\n"))
    #expect(text.contains("x-amz-security-token: ") == (vector.token != nil))
  }

  @Test func aSignatureCoversBodyTimeAndHost() throws {
    let signer = try #require(try dialect().prepare(UpstreamCredential("AKIDEXAMPLE:secret")).signer)
    func sign(_ body: String, _ host: String, _ seconds: Int64) -> [UInt8] {
      var lines: [UInt8] = []
      withBytes("/model/a/converse") { target in
        withBytes(body) { body in
          signer.append(
            RequestSigner.Attempt(
              method: "POST", target: target, host: host, contentType: "application/json", body: body),
            now: .seconds(seconds), to: &lines)
        }
      }
      return lines
    }
    let first = sign("{}", "a.example", 1_768_478_400)
    #expect(first == sign("{}", "a.example", 1_768_478_400))
    #expect(first != sign("{ }", "a.example", 1_768_478_400))
    #expect(first != sign("{}", "b.example", 1_768_478_400))
    #expect(first != sign("{}", "a.example", 1_768_478_401))
    #expect(String(decoding: first, as: UTF8.self).contains("/eu-west-1/bedrock/aws4_request"))
  }

  @Test func bearerTokensAreSentAsTheyAre() throws {
    for credential in [UpstreamCredential("t", kind: .bearer), UpstreamCredential("ABSKQmVkcm9jazp4")] {
      let prepared = try dialect().prepare(credential)
      #expect(prepared.signer == nil)
      #expect(String(decoding: prepared.lines, as: UTF8.self) == "authorization: Bearer \(credential.secret)\r\n")
    }
  }

  @Test func accessKeysNeverShow() throws {
    let prepared = try dialect().prepare(UpstreamCredential("AKIDEXAMPLE:topsecret:token"))
    var text = "\(prepared) \(String(reflecting: prepared)) \(String(describing: prepared.signer))"
    dump(prepared, to: &text)
    dump(prepared.signer, to: &text)
    dump(AWSCredentials(keyID: "AKIDEXAMPLE", secret: "topsecret"), to: &text)
    #expect(!text.contains("topsecret") && !text.contains("AKID"))
  }

  // MARK: Requests

  @Test func modelsAreEncodedFully() throws {
    var target: [UInt8] = []
    try dialect().appendUpstreamTarget(
      basePath: [], UpstreamCall(.converseStream, model: "arn:aws:bedrock:x:1:inference-profile/eu.a-v1:0"), to: &target
    )
    #expect(
      String(decoding: target, as: UTF8.self)
        == "/model/arn%3Aaws%3Abedrock%3Ax%3A1%3Ainference-profile%2Feu.a-v1%3A0/converse-stream")
  }

  @Test func theProbeIsSignedAndGoesToSTS() throws {
    let dialect = try dialect()
    let credential = try dialect.prepare(UpstreamCredential("AKIDEXAMPLE:secret"))
    let call = dialect.probeCall(credential)
    #expect(call.host == "sts.eu-west-1.amazonaws.com" && call.method == .post)
    var head: [UInt8] = []
    dialect.appendProbe(
      host: "bedrock-runtime.eu-west-1.amazonaws.com", basePath: Array("/proxy".utf8), credential: credential,
      now: .seconds(1_768_478_400), to: &head)
    let text = String(decoding: head, as: UTF8.self)
    #expect(text.hasPrefix("POST / HTTP/1.1\r\nhost: sts.eu-west-1.amazonaws.com\r\n"))
    #expect(text.contains("/20260115/eu-west-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date"))
    #expect(text.hasSuffix("\r\n\r\nAction=GetCallerIdentity&Version=2011-06-15"))
    #expect(dialect.probeCall(try dialect.prepare(UpstreamCredential("t"))).target == "/foundation-models")
  }

  @Test(
    "what STS says",
    arguments: [
      ("sts-error.400.Throttling.xml", 400, FailureClass.rateLimited),
      ("sts-error.403.ExpiredToken.xml", 403, .credential),
      ("sts-error.403.InvalidClientTokenId.xml", 403, .credential),
      ("sts-error.403.SignatureDoesNotMatch.xml", 403, .credential),
    ])
  func identity(_ file: String, _ status: Int, _ expected: FailureClass) throws {
    let dialect = try dialect()
    let body = try Fixture.bytes("bedrock/\(file)")
    #expect(body.withSlice { dialect.probeVerdict(status: status, body: $0) } == expected)
    let good = try Fixture.bytes("bedrock/sts-get-caller-identity.response.xml")
    #expect(good.withSlice { dialect.probeVerdict(status: 200, body: $0) } == nil)
    for length in 0..<body.count {
      _ = Array(body.prefix(length)).withSlice { dialect.probeVerdict(status: 400, body: $0) }
    }
  }

  // MARK: Errors

  static let errors: [(String, FailureClass, FailureReach, Bool)] = [
    ("error.400.ServiceQuotaExceededException.json", .quota, .keyAndModel, false),
    ("error.400.ValidationException.json", .caller, .request, false),
    ("error.400.context_length.ValidationException.json", .contextLength, .request, false),
    ("error.403.AccessDeniedException.json", .credential, .keyAndModel, false),
    ("error.403.ExpiredTokenException.json", .credential, .keyAndModel, false),
    ("error.403.InvalidSignatureException.json", .credential, .key, true),
    ("error.403.UnrecognizedClientException.json", .credential, .key, true),
    ("error.404.ResourceNotFoundException.json", .caller, .keyAndModel, false),
    ("error.408.ModelTimeoutException.json", .timeout, .endpoint, false),
    ("error.424.ModelErrorException.json", .server, .endpoint, false),
    ("error.429.ModelNotReadyException.json", .overloaded, .endpoint, false),
    ("error.429.ThrottlingException.json", .rateLimited, .key, false),
    ("error.500.InternalServerException.json", .server, .endpoint, false),
    ("error.503.ServiceUnavailableException.json", .overloaded, .endpoint, false),
  ]

  @Test(
    "error samples, with the type in the header or in the body",
    arguments: errors.indices, ["%", "com.amazon.coral.service#%", "%:http://internal.amazon.com/x/"])
  func error(_ row: Int, _ form: String) throws {
    let (file, expected, reach, disables) = Self.errors[row]
    let words = file.split(separator: ".")
    let status = try #require(words.compactMap { Int($0) }.first)
    let type = form.replacing("%", with: String(words[words.count - 2]))
    let body = try Fixture.bytes("bedrock/\(file)")
    let dialect = try dialect()
    let head = Array("HTTP/1.1 \(status) X\r\ncontent-length: 0\r\nX-Amzn-ErrorType: \(type)\r\n\r\n".utf8)
    let failure = try #require(
      withHead(head) { _, headers in ClassificationTests.classify(dialect, status, body, headers: headers) })
    #expect(failure.failureClass == expected && failure.reach == reach && failure.disablesKey == disables)
    var text = String(decoding: body, as: UTF8.self)
    text.replace("{", with: "{\"__type\":\"\(type)\",", maxReplacements: 1)
    #expect(ClassificationTests.classify(dialect, status, Array(text.utf8)).failureClass == expected)
    #expect(ClassificationTests.classify(dialect, status, Array(text.utf8)).message == failure.message)
  }

  @Test func everySampleIsInTheTable() throws {
    #expect(try Fixture.names("bedrock", where: { $0.hasPrefix("error.") }) == Self.errors.map(\.0).sorted())
  }

  @Test func limitsOfTheDayAreQuotas() throws {
    let body = #"{"__type":"ThrottlingException","message":"Too many tokens per day, please wait."}"#
    let failure = ClassificationTests.classify(try dialect(), 429, Array(body.utf8))
    #expect(failure.failureClass == .quota && failure.retryAfter == .seconds(3600))
  }

  @Test func theHintIsInMilliseconds() throws {
    let dialect = try dialect()
    let head = Array("HTTP/1.1 429 X\r\ncontent-length: 0\r\nx-amz-retry-after: 1500\r\n\r\n".utf8)
    let failure = withHead(head) { _, headers in ClassificationTests.classify(dialect, 429, [], headers: headers) }
    #expect(failure?.retryAfter == .milliseconds(1500))
  }

  // MARK: Usage and streams

  @Test(
    "streams are measured",
    arguments: [
      (
        "converse-stream.response.bin", SluiceDialects.Operation.converseStream, TokenUsage(input: 21, output: 12),
        FinishReason.stop
      ),
      ("converse-stream-tools.response.bin", .converseStream, TokenUsage(input: 21, output: 12), .toolUse),
      ("invoke-anthropic-stream.response.bin", .invokeStream, TokenUsage(input: 21, output: 12), .stop),
    ])
  func stream(_ file: String, _ operation: SluiceDialects.Operation, _ usage: TokenUsage, _ finish: FinishReason) throws
  {
    let bytes = try Fixture.bytes("bedrock/\(file)")
    for piece in [1, 50, bytes.count] {
      let meter = MoreProvidersTests.meter(try dialect(), operation, bytes, piece)
      #expect(meter.measure.usage == usage)
      #expect(meter.measure.finish == finish)
      #expect(meter.end == .complete && meter.isComplete && meter.isAtEventBoundary)
      #expect(meter.firstTokenAt != nil)
    }
    #expect(
      MoreProvidersTests.meter(try dialect(), operation, Array(bytes.prefix(bytes.count / 2)), 64).end == .truncated)
  }

  @Test func aStreamWithoutItsUsageIsWhole() throws {
    let bytes =
      AWSEventStream.event("contentBlockDelta", Array(#"{"contentBlockIndex":0,"delta":{"text":"a"}}"#.utf8))
      + AWSEventStream.event("messageStop", Array(#"{"stopReason":"max_tokens"}"#.utf8))
    let meter = MoreProvidersTests.meter(try dialect(), .converseStream, bytes, 7)
    #expect(meter.end == .complete && !meter.isComplete)
    #expect(meter.measure.finish == .length)
  }

  @Test(
    "exceptions inside of streams",
    arguments: [
      ("converse-stream-throttled.response.bin", FailureClass.rateLimited),
      ("converse-stream-error.response.bin", .server),
    ])
  func exception(_ file: String, _ expected: FailureClass) throws {
    let bytes = try Fixture.bytes("bedrock/\(file)")
    let meter = MoreProvidersTests.meter(try dialect(), .converseStream, bytes, 20)
    #expect(meter.measure.failure?.failureClass == expected)
    let deltas = ReadAnswer(try WireSamples.deltas(ConverseChat.self, .awsEventStream, bytes))
    #expect(deltas.failure == expected && !deltas.hasEnded)
  }

  @Test func wholeAnswersAreMeasured() throws {
    let dialect = try dialect()
    let cached = try Fixture.bytes("bedrock/converse-reasoning-cached.response.json")
    let measure = cached.withSlice { UsageMeter.measure(dialect, .converse, body: $0) }
    #expect(measure.usage == TokenUsage(input: 2350, output: 64, cachedInput: 2000, cacheWrite: 300))
    let guarded = try Fixture.bytes("bedrock/converse-guardrail.response.json")
    #expect(guarded.withSlice { UsageMeter.measure(dialect, .converse, body: $0).safety } == .contentFilter)
    let invoked = try Fixture.bytes("bedrock/invoke-anthropic.response.json")
    #expect(
      invoked.withSlice { UsageMeter.measure(dialect, .invoke, body: $0).usage } == TokenUsage(input: 21, output: 12))
    let list = try Fixture.bytes("bedrock/list-foundation-models.response.json")
    #expect(list.withSlice { dialect.models($0) }?.models.map(\.id) == ["amazon.nova-pro-v1:0"])
  }

  @Test("damaged answers", arguments: 0..<3 as Range<UInt64>)
  func damage(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let dialect = try dialect()
    for name in try Fixture.names("bedrock", where: { !$0.hasSuffix(".hex") }) {
      let original = try Fixture.bytes("bedrock/\(name)")
      for _ in 0..<40 {
        let bytes = MutationTests.mutated(original, &random)
        _ = ClassificationTests.classify(dialect, Int(random.next() % 700), bytes)
        _ = MoreProvidersTests.meter(dialect, .converseStream, bytes, Int(random.next() % 90) + 1).end
        bytes.withSlice { body in
          _ = UsageMeter.measure(dialect, .converse, body: body)
          _ = dialect.models(body)
          _ = dialect.probeVerdict(status: 400, body: body)
          _ = AWSCredentialFiles.metadata(body)
        }
      }
    }
  }

  // MARK: Requests of the format

  @Test func aHistoryWithCallsKeepsItsTools() throws {
    var request = try GoldenRequest.a()
    request.tools = []
    request.toolChoice = ToolChoice.none
    var notes = TranslationNotes()
    let target = WireSamples.target(.bedrock, "m")
    let body = try ConverseChat.writeRequest(request, for: target, &notes)
    let tools = body["toolConfig"]?["tools"]?.array ?? []
    #expect(tools.compactMap { $0["toolSpec"]?["name"]?.string } == ["get_weather"])
    #expect(body["toolConfig"]?["toolChoice"] == nil)
    var plain = try GoldenRequest.c()
    plain.toolChoice = ToolChoice.none
    #expect(try ConverseChat.writeRequest(plain, for: target, &notes)["toolConfig"] == nil)
  }

  @Test func idsAndBlankTextsFitTheAlphabet() throws {
    let id = String(repeating: "é", count: 90)
    let request = ChatRequest(
      model: "m",
      messages: [
        ChatMessage(.assistant, [.text(" \n"), .toolCall(ToolCall(id: id, name: "f", arguments: "no json"))]),
        ChatMessage(.tool, [.toolResult(ToolResult(callID: id, content: [], isError: true))]),
      ])
    var notes = TranslationNotes()
    let body = try ConverseChat.writeRequest(request, for: WireSamples.target(.bedrock, "m"), &notes)
    let messages = try #require(body["messages"]?.array)
    #expect(messages.compactMap { $0["role"]?.string } == ["user", "assistant", "user"])
    let call = messages[1]["content"]?.array?.first?["toolUse"]
    let result = messages[2]["content"]?.array?.first?["toolResult"]
    #expect(call?["toolUseId"] == result?["toolUseId"] && (call?["toolUseId"]?.string ?? "").utf8.count <= 64)
    #expect(call?["input"] == .object([JSONMember(name: "_raw", value: .string("no json"))]))
    #expect(result?["status"] == .string("error") && result?["content"]?.array?.count == 1)
  }

  @Test func cachePointsGoWhereTheyAreTaken() throws {
    var request = ChatRequest(
      model: "m",
      messages: [ChatMessage(.system, text: "s"), ChatMessage(.user, text: "a"), ChatMessage(.user, text: "b")])
    request.messages[0].endsCachedPrefix = true
    request.messages[1].endsCachedPrefix = true
    var notes = TranslationNotes()
    let claude = try ConverseChat.writeRequest(
      request, for: WireSamples.target(.bedrock, "us.anthropic.claude"), &notes)
    #expect(claude["system"]?.array?.count == 2)
    #expect(claude["messages"]?.array?.first?["content"]?.array?.map { $0["text"]?.string ?? "-" } == ["a", "-", "b"])
    #expect(notes.dropped.isEmpty)
    let other = try ConverseChat.writeRequest(request, for: WireSamples.target(.bedrock, "meta.llama"), &notes)
    #expect(other["system"]?.array?.count == 1 && notes.dropped == ["cache_control"])
  }

  // MARK: Credential files

  @Test func sharedFiles() throws {
    let credentials = """
      # comment
      [default]
      aws_access_key_id = AKIDEFAULT
      aws_secret_access_key=a/b+c= ; trailing
      [work]\r
      aws_access_key_id=AKIDWORK\r
      aws_secret_access_key = s\r
      aws_session_token = t#1
      nested =
        region = nowhere
      orphan
      """
    let config = """
      [default]
      region = eu-west-1
      [profile work]
      region=us-west-2
      role_arn = arn:aws:iam::1:role/x
      [sso-session x]
      region = zz
      """
    let keys = try #require(AWSCredentialFiles.profiles(Array(credentials.utf8)))
    let places = try #require(AWSCredentialFiles.profiles(Array(config.utf8)))
    #expect(keys.keys.sorted() == ["default", "work"] && places.keys.sorted() == ["default", "work"])
    #expect(keys["default"]?.credentials == AWSCredentials(keyID: "AKIDEFAULT", secret: "a/b+c="))
    #expect(keys["work"]?.credentials == AWSCredentials(keyID: "AKIDWORK", secret: "s", sessionToken: "t#1"))
    let merged = try #require(keys["work"]).merged(under: try #require(places["work"]))
    #expect(
      merged.region == "us-west-2" && merged.credentials?.keyID == "AKIDWORK" && merged.otherSources == ["role_arn"])
    #expect(places["work"]?.credentials == nil)
    #expect(AWSCredentialFiles.profiles([0xFF, 0xFE]) == nil)
    #expect(AWSCredentialFiles.profiles([UInt8](repeating: 0x20, count: AWSCredentialFiles.maxBytes + 1)) == nil)
    var random = SplitMix64(seed: 5)
    for _ in 0..<300 { _ = AWSCredentialFiles.profiles(MutationTests.mutated(Array(credentials.utf8), &random)) }
  }

  @Test func metadata() {
    let text =
      #"{"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"s","Token":"t","Expiration":"2026-11-21T07:30:59Z"}"#
    #expect(
      withBytes(text) { AWSCredentialFiles.metadata($0) }
        == AWSCredentials(keyID: "ASIA1", secret: "s", sessionToken: "t", expiration: .seconds(1_795_246_259)))
    for bad in ["", "{}", "[]", #"{"Code":"Failed","AccessKeyId":"a","SecretAccessKey":"b"}"#, #"{"AccessKeyId":1}"#] {
      #expect(withBytes(bad) { AWSCredentialFiles.metadata($0) } == nil)
    }
  }

  @Test func accessKeysInOneText() {
    #expect(AWSCredentials(text: "AKIDEXAMPLE:s/+=")?.secret == "s/+=")
    #expect(AWSCredentials(text: "AKIDEXAMPLE:s:t")?.sessionToken == "t")
    for text in ["", "AKIDEXAMPLE", "AKIDEXAMPLE:", "akid:s", "AK:s", "AKIDEXAMPLE:s:"] {
      #expect(AWSCredentials(text: text) == nil, "\(text)")
    }
  }
}
