import Foundation
import SluiceDialects
import SluicePolicy
import Testing

/// Every sample of the protocols is read as what it is, and nothing lies in `Tests/Fixtures` that no test reads.
@Suite("Samples")
struct SampleTests {
  static let samples = (try? Sample.all()) ?? []

  // MARK: Completeness

  @Test func everyFileIsKnown() throws {
    #expect(try Sample.all().count >= 269)
    let folders =
      Sample.folders.map(\.name) + ["captured-requests.json", "http1", "pricing", "simulator", "translation"]
    #expect(try Fixture.names("") { _ in true } == folders.sorted())
  }

  @Test func suitesThatAreNamedReadTheirFiles() throws {
    for sample in Self.samples {
      guard case .of(let suite) = sample.kind else { continue }
      let name = String(try #require(sample.path.split(separator: "/").last))
      let mark = name.hasSuffix(".hex") ? ".hex" : name.split(separator: ".").count > 3 ? "sts-error." : name
      #expect(try Fixture.source(suite).contains(mark), "\(sample.path)")
    }
  }

  @Test func goldenPairsAreThoseOfTheTests() throws {
    let forms =
      WireFormatTests.cases.map(\.name) + ["anthropic.2023-06-01", "anthropic.2026-10-21", "mistral", "openai"]
    var known = [
      "d.anthropic-client.json", "d.openai-backend.json", "d.openai-chat-stream-tools.as-anthropic.sse",
      "d.openai-chat-stream.as-anthropic.sse", "expected-openai-view.json",
    ]
    for letter in ["a", "b", "c"] { known += forms.map { "\(letter).\($0).json" } }
    for name in try Fixture.names("translation", where: { _ in true }) { #expect(known.contains(name), "\(name)") }
    #expect(try Fixture.names("pricing") { _ in true } == ["cost-vectors.json", "model-metadata.json"])
  }

  // MARK: Requests

  @Test("requests are scanned", arguments: samples.filter(\.isRequest))
  func scanned(_ sample: Sample) throws {
    let bytes = try sample.bytes
    let body = try JSONReader.read(bytes)
    let fields = try bytes.withUnsafeBytes { RequestScanner.scan($0) }.get()
    #expect(fields.model == body["model"]?.string)
    #expect((fields.model != nil) == sample.operation.hasModelInBody || sample.provider == .bedrock)
    #expect(fields.stream == body["stream"]?.bool)
    #expect(fields.toolsPresent == (body["tools"]?.array?.isEmpty == false))
    #expect(fields.promptBytes > 0 || !sample.operation.hasModelInBody)
    if sample.dialect.speaks(sample.operation) {
      #expect(sample.operation.streams(fields.stream) == (body["stream"]?.bool ?? (sample.operation == .ollamaChat)))
    }
  }

  // MARK: Answers

  /// Answers that say nothing about tokens.
  static let uncounted = [
    "cohere/check-api-key.response.json", "cohere/rerank.response.json",
    "cohere/tokenize.response.json", "gemini/batch-embed.response.json", "ollama/load.response.json",
    "ollama/show.response.json", "openai/responses-failed.response.json",
  ]

  @Test("answers are measured", arguments: samples.filter(\.isAnswer))
  func measured(_ sample: Sample) throws {
    let measure = try sample.bytes.withSlice { UsageMeter.measure(sample.dialect, sample.operation, body: $0) }
    #expect((measure.failure != nil) == sample.path.contains("failed"))
    #expect((measure.usage != nil) == !Self.uncounted.contains(sample.path), "\(String(describing: measure.usage))")
    #expect(
      measure.safety != nil
        || !["refusal", "filter", "safety", "guardrail", "blocked"].contains { sample.path.contains($0) })
    let hasFinish = sample.operation.task == .chat || sample.operation == .tgiGenerate
    #expect((measure.finish != nil) == (hasFinish && measure.failure == nil))
  }

  @Test("streams are measured, however they are cut", arguments: samples.filter(\.isStream))
  func streamed(_ sample: Sample) throws {
    let bytes = try sample.bytes
    let isBroken = sample.path.contains("error") || sample.path.contains("throttled")
    let whole = MoreProvidersTests.meter(sample.dialect, sample.operation, bytes, bytes.count)
    let isEmpty = sample.path.contains("refusal") || sample.path.contains("cohere/chat-stream-error")
    #expect(!whole.isBlind && whole.isAtEventBoundary)
    #expect((whole.measure.failure != nil) == isBroken && whole.isComplete == !isBroken)
    #expect((whole.firstTokenAt == nil) == isEmpty)
    for piece in [1, 7] {
      let meter = MoreProvidersTests.meter(sample.dialect, sample.operation, bytes, piece)
      #expect(meter.measure.usage == whole.measure.usage && meter.measure.finish == whole.measure.finish)
      #expect(meter.eventCount == whole.eventCount && meter.isComplete == whole.isComplete)
    }
    let half = MoreProvidersTests.meter(sample.dialect, sample.operation, Array(bytes.prefix(bytes.count / 2)), 64)
    #expect(!half.isComplete && half.eventCount < whole.eventCount)
  }

  // MARK: Errors, headers, lists, health

  @Test("errors are classified, and told to every client in its own words", arguments: samples)
  func classified(_ sample: Sample) throws {
    guard case .error(let status) = sample.kind else { return }
    let failure = ClassificationTests.classify(sample.dialect, status, try sample.bytes)
    #expect(failure.status == status && failure.failureClass != .protocolError)
    #expect(!(failure.message ?? "").isEmpty)
    let error = GatewayError(failure)
    for surface in Surface.allCases {
      let body = try JSONReader.read(GatewayErrorBody.render(surface, error, requestID: "r"))
      #expect(body.jsonText.contains(JSONValue.string(error.message).jsonText.dropFirst().dropLast()), "\(surface)")
    }
  }

  @Test("limits are read", arguments: samples)
  func limits(_ sample: Sample) throws {
    guard case .headers = sample.kind else { return }
    let found = withHead(try sample.bytes) { head, headers in
      (head.status, sample.dialect.rateLimits(headers, now: .sample))
    }
    let (status, view) = try #require(found)
    #expect(!view.isEmpty && view.headroom != nil)
    #expect(status == 429 || sample.path.contains("success"))
    if status == 429 { #expect(view.exhaustedReset != nil) }
  }

  @Test("lists of models are read", arguments: samples)
  func lists(_ sample: Sample) throws {
    guard case .models = sample.kind else { return }
    let page = try #require(try sample.bytes.withSlice { sample.dialect.models($0) })
    #expect(!page.models.isEmpty && page.models.allSatisfy { !$0.id.isEmpty })
  }

  @Test("health checks are understood", arguments: samples)
  func health(_ sample: Sample) throws {
    guard case .health(let status) = sample.kind else { return }
    let verdict = try sample.bytes.withSlice { sample.dialect.probeVerdict(status: status, body: $0) }
    #expect((verdict == nil) == (status == 200))
    if status != 200 {
      // As an answer to a request it says that the server is not ready yet.
      #expect(ClassificationTests.classify(sample.dialect, status, try sample.bytes).failureClass == .overloaded)
    }
  }

  @Test func ollamasListHasTheShapeOfTheSample() throws {
    let sample = try JSONReader.read(Fixture.bytes("ollama/tags.response.json"))
    let written = try JSONReader.read(ModelList.render(.ollama, [ModelEntry(id: "llama3.2:latest")]))
    let names = { (list: JSONValue) in list["models"]?.array?.first?.members?.map(\.name).sorted() }
    #expect(names(written) == names(sample))
  }

  @Test func theHeartbeatAsksWhatTheSampleAsks() throws {
    let probe = try ProviderDialect(.bedrock).probeCall(
      try ProviderDialect(.bedrock).prepare(UpstreamCredential("AKIDEXAMPLE:secret")))
    #expect(Array(probe.body.utf8) == (try Fixture.bytes("bedrock/sts-get-caller-identity.request.txt")))
  }
}
