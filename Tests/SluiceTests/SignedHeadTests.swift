import SluiceDialects
import Testing

/// The signature in a finished head, where library and gateway put it.
struct SignedHeadTests {
  private let now = UnixTime(milliseconds: 1_700_000_000_000)
  private let body = Array(#"{"messages":[]}"#.utf8)
  private let start = "POST /model/m/converse HTTP/1.1\r\nhost: localhost:8\r\ncontent-type: application/json\r\n"

  private func signer() throws -> RequestSigner {
    let options = ProviderOptions(["region": .text("eu-west-1")])
    let prepared = try ProviderDialect(.bedrock, options: options).prepare(UpstreamCredential("AKIDEXAMPLE:secret"))
    #expect(prepared.lines.isEmpty)
    return try #require(prepared.signer)
  }

  private func signed(_ text: String, _ body: [UInt8]) throws -> String {
    let signer = try signer()
    let identity = try #require(signer.identity("localhost:8", now: now))
    var head = Array(text.utf8)
    body.withSlice {
      signer.sign(head: &head, host: "localhost:8", body: $0, as: identity)
    }
    return String(decoding: head, as: UTF8.self)
  }

  @Test func signatureStandsBeforeTheEmptyLine() throws {
    let signer = try signer()
    var lines: [UInt8] = []
    Array("/model/m/converse".utf8).withSlice { target in
      body.withSlice { body in
        signer.append(
          RequestSigner.Attempt(
            method: "POST", target: target, host: "localhost:8", contentType: "application/json", body: body),
          now: now, to: &lines)
      }
    }
    let expected = start + String(decoding: lines, as: UTF8.self) + "\r\n"
    #expect(try signed(start + "\r\n", body) == expected)
    #expect(expected.contains("/eu-west-1/bedrock/aws4_request"))
    #expect(!expected.contains("secret"))
  }

  @Test func signatureCoversPathAndBody() throws {
    let first = try signed(start + "\r\n", body)
    #expect(try signed(start + "\r\n", body + [0x20]) != first)
    let other = start.replacing("/model/m/", with: "/model/n/")
    #expect(try signed(other + "\r\n", body).suffix(80) != first.suffix(80))
  }

  @Test(arguments: ["", "\r\n", "POST", "POST /", "POST / HTTP/1.1"]) func whatIsNoHeadStaysAsItIs(text: String) throws
  {
    #expect(try signed(text, body) == text)
  }

  /// What the client's own spelling would make different from what was signed.
  @Test func whatIsSentIsWhatIsSigned() throws {
    let plain = try signed("POST /model/m/x?a=1%2F&b= HTTP/1.1\r\ncontent-type: a/b\r\n\r\n", body)
    let odd = try signed(
      "POST //model/n/.././m/x?b&a=1%2f HTTP/1.1\r\nContent-Type:  a/b\r\ncontent-type: c/d\r\n\r\n", body)
    #expect(odd.hasPrefix("POST /model/m/x?a=1%2F&b= HTTP/1.1\r\nContent-Type:  a/b\r\nx-amz-date:"))
    #expect(odd.suffix(64) == plain.suffix(64) && plain.contains("SignedHeaders=content-type;host;x-amz-date"))
    let bare = try signed("POST /model/m/x HTTP/1.1\r\nx-other: content-type: a/b\r\n\r\n", body)
    #expect(bare.contains("SignedHeaders=host;x-amz-date"))
    let strange = try signed("POST /model/m/x HTTP/1.1\r\ncontent-type: a/\u{E9}\r\n\r\n", body)
    #expect(strange.hasPrefix("POST /model/m/x HTTP/1.1\r\nx-amz-date:"))
  }
}
