import Crypto

/// AWS Signature Version 4 as Bedrock and STS want it. Steps and names follow AWS's description of the canonical
/// request; the path is encoded twice, as for every service but S3.
package enum SigV4 {
  /// What is signed of a request.
  package struct Subject {
    package var method: String
    /// As sent: percent-encoded once, with the query. What AWS would read it as is what is signed.
    package var target: ByteSlice
    /// Names in any case; `host` and the date among them.
    package var headers: [(name: String, value: String)]
    package var body: ByteSlice

    package init(method: String, target: ByteSlice, headers: [(name: String, value: String)], body: ByteSlice) {
      self.method = method
      self.target = target
      self.headers = headers
      self.body = body
    }
  }

  /// The place of a signature: what AWS calls its scope.
  package struct Scope: Hashable, Sendable {
    package var region: String
    package var service: String

    package init(region: String, service: String) {
      self.region = region
      self.service = service
    }
  }

  package struct Signature: Hashable, Sendable {
    package var canonicalRequest: String
    package var stringToSign: String
    package var signature: String
    /// The value of `authorization`.
    package var authorization: String
  }

  /// - Parameter date: `yyyymmddThhmmssZ`, the same as in the header `x-amz-date`.
  package static func sign(
    _ subject: Subject, _ scope: Scope, keyID: String, secret: String, date: String
  ) -> Signature {
    let headers = canonicalHeaders(subject.headers)
    let names = headers.map { $0.name }.joined(separator: ";")
    let target = CanonicalTarget(subject.target)
    let request = [
      subject.method, target.signedPath, target.query,
      headers.map { "\($0.name):\($0.value)\n" }.joined(), names, hex(sha256(subject.body)),
    ].joined(separator: "\n")
    let day = String(date.prefix(8))
    let place = "\(day)/\(scope.region)/\(scope.service)/aws4_request"
    let text = "AWS4-HMAC-SHA256\n\(date)\n\(place)\n\(hex(sha256(Array(request.utf8))))"
    let signature = hex(hmac(key(secret, day, scope), Array(text.utf8)))
    return Signature(
      canonicalRequest: request, stringToSign: text, signature: signature,
      authorization: "AWS4-HMAC-SHA256 Credential=\(keyID)/\(place), SignedHeaders=\(names), Signature=\(signature)")
  }

  /// The date in the form that headers and signatures use; seconds are cut off.
  package static func date(_ now: UnixTime) -> String {
    let text = DateText.rfc3339(unixSeconds: Int(now.milliseconds / 1000))
    return text.filter { $0 != "-" && $0 != ":" }
  }

  // MARK: Canonical forms

  /// Changed on their way by proxies and clients, so never part of a signature.
  private static let unsigned: Set<String> = [
    "authorization", "baggage", "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
    "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id",
    "amz-sdk-invocation-id", "amz-sdk-request",
  ]

  static func canonicalHeaders(
    _ headers: [(name: String, value: String)]
  ) -> [(name: String, value: String)] {
    var merged: [String: [String]] = [:]
    for header in headers {
      let name = header.name.lowercased()
      guard !unsigned.contains(name) else { continue }
      merged[name, default: []].append(header.value.split(separator: " ").joined(separator: " "))
    }
    return merged.map { (name: $0.key, value: $0.value.joined(separator: ",")) }.sorted { $0.name < $1.name }
  }

  // MARK: Digests

  private static func key(_ secret: String, _ day: String, _ scope: Scope) -> [UInt8] {
    [day, scope.region, scope.service, "aws4_request"].reduce(Array("AWS4\(secret)".utf8)) { key, part in
      hmac(key, Array(part.utf8))
    }
  }

  /// HMAC (RFC 2104) with SHA-256. Written out, because the library's own takes its key through Foundation's types.
  static func hmac(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    let block = 64
    var padded = key.count > block ? sha256(key) : key
    padded += [UInt8](repeating: 0, count: block - padded.count)
    let inner = sha256(padded.map { $0 ^ 0x36 } + message)
    return sha256(padded.map { $0 ^ 0x5C } + inner)
  }

  static func sha256(_ bytes: [UInt8]) -> [UInt8] { bytes.withSlice { sha256($0) } }

  static func sha256(_ bytes: ByteSlice) -> [UInt8] {
    var digest = SHA256()
    unsafe digest.update(bufferPointer: bytes.raw)
    return Array(digest.finalize())
  }

  static func hex(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.flatMap { [Ascii.hexDigit($0 >> 4), Ascii.hexDigit($0 & 15)] }, as: UTF8.self)
  }
}
