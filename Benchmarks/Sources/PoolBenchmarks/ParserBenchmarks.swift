import SluiceDialects

/// The readers of the data path on typical input.
enum ParserBenchmarks {
  static func run(_ measurements: inout Measurements) {
    requestHead(&measurements)
    responseHead(&measurements)
    limits(&measurements)
    scanner(&measurements)
    events(&measurements)
  }

  private static let head = """
    POST /v1/chat/completions HTTP/1.1\r
    host: 127.0.0.1:8080\r
    accept: application/json\r
    content-type: application/json\r
    user-agent: OpenAI/Python 3.52.0\r
    authorization: Bearer sk-0123456789abcdef0123456789abcdef\r
    accept-encoding: gzip, deflate\r
    x-stainless-lang: python\r
    x-stainless-os: Linux\r
    x-stainless-retry-count: 0\r
    connection: keep-alive\r
    content-length: 1024\r
    \r

    """

  private static func requestHead(_ measurements: inout Measurements) {
    let bytes = Array(head.utf8)
    bytes.withUnsafeBytes { buffer in
      // As a connection does: each head is read into the memory of the one before.
      var spare = HeaderIndex()
      measurements.measure("parse: request head, 12 headers", operations: 100_000, bytes: bytes.count * 100_000) {
        for _ in 0..<100_000 {
          var search = HeadEndSearch()
          guard
            case .complete(let head, _) = RequestHeadParser.parse(
              buffer, limits: .standard, search: &search, reusing: &spare)
          else { fatal("request head") }
          spare = head.headers
        }
      }
    }
  }

  private static func responseHead(_ measurements: inout Measurements) {
    let text =
      "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 700\r\nx-request-id: req_1\r\n"
      + "x-ratelimit-remaining-requests: 4999\r\nopenai-processing-ms: 120\r\ndate: Sat, 21 Nov 2026 11:00:00 GMT\r\n\r\n"
    let bytes = Array(text.utf8)
    bytes.withUnsafeBytes { buffer in
      var spare = HeaderIndex()
      measurements.measure("parse: response head, 7 headers", operations: 100_000, bytes: bytes.count * 100_000) {
        for _ in 0..<100_000 {
          var search = HeadEndSearch()
          guard
            case .complete(let head, _) = ResponseHeadParser.parse(
              buffer, requestMethod: .post, limits: .standard, search: &search, reusing: &spare)
          else { fatal("response head") }
          spare = head.headers
        }
      }
    }
  }

  private static func limits(_ measurements: inout Measurements) {
    let text =
      "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 700\r\nx-ratelimit-limit-requests: 5000\r\n"
      + "x-ratelimit-limit-tokens: 100000\r\nx-ratelimit-remaining-requests: 4999\r\nx-ratelimit-remaining-tokens: 99000\r\n"
      + "x-ratelimit-reset-requests: 12ms\r\nx-ratelimit-reset-tokens: 6s\r\n\r\n"
    guard let dialect = try? ProviderDialect(.openai) else { fatal("dialect") }
    Array(text.utf8).withUnsafeBytes { buffer in
      guard case .complete(let head, _) = ResponseHeadParser.parse(buffer, requestMethod: .post, limits: .standard)
      else { fatal("head with limits") }
      measurements.measure("parse: limits out of a response head", operations: 100_000) {
        for _ in 0..<100_000 {
          let headers = HeaderView(head.headers, in: ByteSlice(buffer))
          if dialect.rateLimits(headers, now: .seconds(1_795_246_247)).isEmpty { fatal("no limits") }
        }
      }
    }
  }

  private static func scanner(_ measurements: inout Measurements) {
    for size in [1_000, 100_000] {
      let text = String(repeating: "Explain pooling to a colleague. ", count: size / 32)
      let body = Array(
        #"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"\#(text)"}]}"#.utf8)
      let operations = 20_000_000 / body.count
      body.withUnsafeBytes { buffer in
        measurements.measure("scan: chat body of \(size) bytes", operations: operations, bytes: body.count * operations)
        {
          for _ in 0..<operations {
            guard case .success = RequestScanner.scan(buffer) else { fatal("scan") }
          }
        }
      }
    }
  }

  private static func events(_ measurements: inout Measurements) {
    let event =
      #"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}"#
      + "\n\n"
    let bytes = Array(String(repeating: event, count: 200).utf8)
    bytes.withUnsafeBytes { buffer in
      var seen = 0
      measurements.measure("parse: 200 server-sent events", operations: 2_000, bytes: bytes.count * 2_000) {
        for _ in 0..<2_000 {
          var parser = SSEParser()
          do { try parser.consume(buffer) { _ in seen += 1 } } catch { fatal("events") }
        }
      }
      if seen == 0 { fatal("no events") }
    }
  }

  private static func fatal(_ what: String) -> Never { preconditionFailure("benchmark input refused: \(what)") }
}
