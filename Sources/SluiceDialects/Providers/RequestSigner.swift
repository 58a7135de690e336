/// Signs every attempt of a request anew, for providers whose credential is no header line: the signature covers the
/// request itself and the time. Credentials and clock come from its desk at that moment, so that they may change while
/// the endpoint stays what it is. Hidden from descriptions like the credential behind it.
package struct RequestSigner: Sendable {
  package let desk: any SigningDesk
  /// Where the host does not tell it.
  let region: String

  /// - Parameter region: where the host does not name one.
  package init(desk: any SigningDesk, region: String) {
    self.desk = desk
    self.region = region
  }

  /// What an attempt at `host` is signed with now; nothing when there are no credentials that are still good.
  package func identity(_ host: String, now: UnixTime) -> SigningIdentity? {
    desk.credentials(now).map { SigningIdentity(credentials: $0, now: now, offset: desk.clockOffset(of: host)) }
  }

  /// One attempt, as it will be sent.
  package struct Attempt {
    /// For example `POST`.
    package var method: String
    /// Path and query of the request line.
    package var target: ByteSlice
    /// The value of `host`.
    package var host: String
    /// Nothing for requests without a body.
    package var contentType: String?
    package var body: ByteSlice

    package init(method: String, target: ByteSlice, host: String, contentType: String?, body: ByteSlice) {
      self.method = method
      self.target = target
      self.host = host
      self.contentType = contentType
      self.body = body
    }
  }

  /// Appends the header lines that sign the attempt: `x-amz-date`, `x-amz-security-token`, `authorization`. Host and
  /// content type have to be in the head as the attempt names them; other fields are not signed.
  package func append(_ attempt: Attempt, as identity: SigningIdentity, to head: inout [UInt8]) {
    let credentials = identity.credentials
    let date = SigV4.date(identity.time)
    var headers = [(name: "host", value: attempt.host), (name: "x-amz-date", value: date)]
    if let type = attempt.contentType { headers.append((name: "content-type", value: type)) }
    if let token = credentials.sessionToken { headers.append((name: "x-amz-security-token", value: token)) }
    let subject = SigV4.Subject(
      method: attempt.method, target: attempt.target, headers: headers, body: attempt.body)
    let signature = SigV4.sign(
      subject, scope(of: attempt.host), keyID: credentials.keyID, secret: credentials.secret, date: date)
    Self.append("x-amz-date: ", date, to: &head)
    if let token = credentials.sessionToken { Self.append("x-amz-security-token: ", token, to: &head) }
    Self.append("authorization: ", signature.authorization, to: &head)
  }

  /// As the other, with what is in force now; appends nothing when that is nothing.
  package func append(_ attempt: Attempt, now: UnixTime, to head: inout [UInt8]) {
    guard let identity = identity(attempt.host, now: now) else { return }
    append(attempt, as: identity, to: &head)
  }

  /// Signs a finished head: the signature's lines go before the empty line that ends it, and the head is put into the
  /// form that is signed (`SignableHead`). A head that has no request line stays as it is.
  ///
  /// - Parameters:
  ///   - identity: see `identity(_:now:)`.
  ///   - host: as it stands in the head.
  ///   - body: exactly what follows the head.
  package func sign(head: inout [UInt8], host: String, body: ByteSlice, as identity: SigningIdentity) {
    guard let ready = SignableHead(head) else { return }
    head = ready.lines
    ready.target.withSlice { target in
      append(
        Attempt(method: ready.method, target: target, host: host, contentType: ready.contentType, body: body),
        as: identity, to: &head)
    }
    head.append("\r\n")
  }

  private static func append(_ name: StaticString, _ value: String, to head: inout [UInt8]) {
    head.append(name)
    head.append(contentsOf: value.utf8)
    head.append("\r\n")
  }

  /// `bedrock-runtime.{region}.amazonaws.com`, `sts.{region}.amazonaws.com` and their like name service and region;
  /// the old global `sts.amazonaws.com` stands in us-east-1. Any other host (a proxy, an interface endpoint) is signed
  /// for Bedrock in the configured region.
  func scope(of host: String) -> SigV4.Scope {
    let labels = host.prefix { $0 != ":" }.lowercased().split(separator: ".").map(String.init)
    let isSTS = labels.first == "sts" || labels.first == "sts-fips"
    let suffixes = [["amazonaws", "com"], ["amazonaws", "com", "cn"], ["api", "aws"]]
    let service = isSTS ? "sts" : "bedrock"
    guard let suffix = suffixes.first(where: { labels.count > $0.count && Array(labels.suffix($0.count)) == $0 }) else {
      return SigV4.Scope(region: region, service: service)
    }
    let front = labels.dropLast(suffix.count)
    if isSTS, front.count == 1 { return SigV4.Scope(region: "us-east-1", service: service) }
    let isPlain = front.count == 2 && (isSTS || front[0].hasPrefix("bedrock"))
    return SigV4.Scope(region: isPlain ? front[1] : region, service: service)
  }
}

extension RequestSigner: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "signer (hidden)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
