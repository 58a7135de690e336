import SluiceDialects
import SluicePolicy
import Testing

@Suite("Hints and rate-limit headers")
struct LimitsTests {
  @Test(
    "Go durations",
    arguments: [
      ("1s", 1000.0), ("6m0s", 360_000), ("8.64s", 8640), ("12ms", 12), ("7ms", 7), ("1h2m3s", 3_723_000),
      ("15\u{B5}s", 0.015), ("15\u{3BC}s", 0.015), ("15us", 0.015), ("0s", 0), ("1h", 3_600_000),
      ("999999h", 86_400_000),
    ])
  func goDuration(_ text: String, _ milliseconds: Double) {
    let found = withBytes(text) { HintText.goDuration($0) }
    #expect(found == Interval(nanoseconds: Int64((milliseconds * 1e6).rounded())))
  }

  @Test(
    "no Go duration",
    arguments: ["", "s", "5", "5x", "-1s", "1s5", "1.2.3s", "∞", "1e5s", String(repeating: "9", count: 40) + "s"])
  func notADuration(_ text: String) {
    #expect(withBytes(text) { HintText.goDuration($0) } == nil)
  }

  @Test(
    "retry-after",
    arguments: [
      ("12", 12_000), ("0.25", 250), (" 3 ", 3000), ("Sat, 21 Nov 2026 07:30:59 GMT", 12_000),
      ("Sat, 21 Nov 2020 07:30:59 GMT", 0), ("99999999999", 86_400_000), ("Sat, 21 Nov 2099 07:30:59 GMT", 86_400_000),
    ])
  func retryAfter(_ text: String, _ milliseconds: Int64) {
    #expect(withBytes(text) { HintText.retryAfter($0, now: .sample) } == .milliseconds(milliseconds))
  }

  @Test(
    "no retry-after",
    arguments: ["", "soon", "-1", "Sat, 99 Nov 2026 07:30:59 GMT", "Sat, 21 Foo 2026 07:30:59 GMT", "nan", "inf"])
  func notARetryAfter(_ text: String) {
    #expect(withBytes(text) { HintText.retryAfter($0, now: .sample) } == nil)
  }

  @Test(
    "RFC 3339",
    arguments: [
      ("2026-11-21T07:30:59Z", 1_795_246_259_000), ("1970-01-01T00:00:00Z", 0),
      ("2026-11-21t07:30:59.5z", 1_795_246_259_500),
      ("2026-11-21T09:00:59+01:30", 1_795_246_259_000), ("2000-02-29T12:00:00Z", 951_825_600_000),
    ])
  func rfc3339(_ text: String, _ milliseconds: Int64) {
    #expect(withBytes(text) { DateText.rfc3339($0) } == UnixTime(milliseconds: milliseconds))
  }

  @Test(
    "no RFC 3339",
    arguments: [
      "", "2026-11-21", "2026-13-21T07:30:59Z", "2026-11-21T25:30:59Z", "2026-11-21T07:30:59", "2026-11-21T07:30:59.Z",
      "2026-11-21T07:30:59+99:99",
    ])
  func notRFC3339(_ text: String) {
    #expect(withBytes(text) { DateText.rfc3339($0) } == nil)
  }

  @Test func datesAreWrittenAsTheyAreRead() {
    for seconds in [0, 951_825_599, 951_825_600, 1_795_246_259, 4_102_444_799, -1] {
      let text = DateText.rfc3339(unixSeconds: seconds)
      #expect(withBytes(text) { DateText.rfc3339($0) } == UnixTime.seconds(Int64(seconds)), "\(text)")
    }
    #expect(DateText.rfc3339(unixSeconds: .max) == "1970-01-01T00:00:00Z")
  }

  @Test func openAIHeaders() throws {
    let view = try #require(
      withHead(try Fixture.bytes("openai/headers.success.txt")) { ProviderDialect.openai.rateLimits($1, now: .sample) })
    #expect(view.requests == RateLimitWindow(limit: 10000, remaining: 9999, resetAfter: .milliseconds(8640)))
    #expect(view.tokens == RateLimitWindow(limit: 200_000, remaining: 199_976, resetAfter: .milliseconds(7)))
    let limited = try #require(
      withHead(try Fixture.bytes("openai/headers.429.txt")) { ProviderDialect.openai.rateLimits($1, now: .sample) })
    #expect(limited.tokens == RateLimitWindow(limit: 200_000, remaining: 0, resetAfter: .seconds(360)))
    #expect(limited.exhaustedReset == .seconds(360))
    #expect(limited.headroom == 0)
  }

  @Test func anthropicHeaders() throws {
    let view = try #require(
      withHead(try Fixture.bytes("anthropic/headers.429.txt")) {
        ProviderDialect.anthropic.rateLimits($1, now: .sample)
      })
    #expect(view.requests == RateLimitWindow(limit: 1000, remaining: 0, resetAfter: .seconds(12)))
    #expect(view.tokens == RateLimitWindow(limit: 96000, remaining: 96000, resetAfter: .seconds(12)))
    #expect(view.inputTokens == RateLimitWindow(limit: 80000, remaining: 80000, resetAfter: .seconds(12)))
    #expect(view.outputTokens == RateLimitWindow(limit: 16000, remaining: 16000, resetAfter: .seconds(13)))
  }

  @Test func usageBasedTokensFillIn() throws {
    let head = "HTTP/1.1 200 X\r\ncontent-length: 0\r\nX-RateLimit-Limit-Tokens_Usage_Based: 5\r\n\r\n"
    let view = try #require(withHead(Array(head.utf8)) { ProviderDialect.openai.rateLimits($1, now: .sample) })
    #expect(view.tokens.limit == 5)
  }

  @Test func aPauseIsUntilSomethingIsBack() throws {
    var view = RateLimitView()
    #expect(view.pause == nil)
    view.requests = RateLimitWindow(limit: 1_000, remaining: 0, resetAfter: .seconds(60))
    #expect(view.pause == .seconds(6), "a tenth")
    view.requests.limit = 4
    #expect(view.pause == .seconds(15), "at least one request")
    view.tokens = RateLimitWindow(limit: 1_000, remaining: 0, resetAfter: .seconds(600))
    #expect(view.pause == .seconds(60), "the longest")
    view.tokens.remaining = 1
    view.requests.remaining = 1
    #expect(view.pause == nil, "something is left")
    view.requests = RateLimitWindow(limit: nil, remaining: 0, resetAfter: nil)
    #expect(view.pause == nil, "nobody knows")
    view.requests.resetAfter = .zero
    #expect(view.pause == nil)
    let window = withBytes("") { _ in
      withHead(Array("HTTP/1.1 200 X\r\nratelimit: \"api\";r=0;t=55\r\ncontent-length: 0\r\n\r\n".utf8)) {
        try? ProviderDialect(.huggingface).rateLimits($1, now: .sample)
      }
    }
    #expect(window??.pause == .seconds(56), "a window comes back at its end")
  }

  @Test func nothingIsEmpty() {
    #expect(ProviderDialect.openai.rateLimits(.none, now: .sample).isEmpty)
    #expect(ProviderDialect.anthropic.rateLimits(.none, now: .sample).isEmpty)
  }
}
