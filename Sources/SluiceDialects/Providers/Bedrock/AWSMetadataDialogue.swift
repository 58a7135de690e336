/// The questions that bring credentials from a metadata endpoint, one after the other.
///
/// ```
/// instance: session ─▶ role ─▶ credentials ─▶ over
/// container:                   credentials ─▶ over
/// ```
/// A question that found nobody, or a server in trouble, is asked once more; everything else ends the dialogue. Nothing
/// that was answered appears in a reason. Version 1 of the instances' protocol (without a session) is not spoken: it
/// hands credentials to whoever can make this process send a GET.
package struct AWSMetadataDialogue: Sendable {
  package struct Question: Hashable, Sendable {
    package var method: String
    /// Path and query.
    package var target: String
    package var headers: [String: String] = [:]
  }

  package enum Step: Sendable {
    case ask(Question)
    case done(AWSCredentials)
    case failed(String)
  }

  private enum Stage: Sendable { case session, role, credentials, over }

  /// Times that each question is asked.
  package static let attempts = 2
  /// Longest answer that is read.
  package static let maxAnswer = 64 << 10

  private let source: AWSMetadataSource
  private var stage: Stage
  private var question = Question(method: "GET", target: "/")
  private var tries = 0

  /// - Parameter authorization: for containers, where they want one.
  package init(_ source: AWSMetadataSource, authorization: String? = nil) {
    self.source = source
    switch source {
    case .container(let url, _):
      stage = .credentials
      question = Question(method: "GET", target: url.target, headers: ["accept": "application/json"])
      question.headers["authorization"] = authorization
    case .instance(let url):
      stage = .session
      question = Question(
        method: "PUT", target: Self.join(url, "/latest/api/token"),
        headers: ["x-aws-ec2-metadata-token-ttl-seconds": "21600"])
    }
  }

  package mutating func begin() -> Step { ask(question) }

  /// Nobody answered, or the answer broke off.
  package mutating func broke(_ reason: String) -> Step {
    guard tries < Self.attempts else { return fail(reason) }
    tries += 1
    return .ask(question)
  }

  package mutating func answered(status: Int, body: ByteSlice) -> Step {
    if status >= 500 || status == 429 { return broke("it answered \(status)") }
    guard status == 200 else { return fail(refusal(status)) }
    guard body.count <= Self.maxAnswer else { return fail("its answer is too long") }
    switch (stage, source) {
    case (.session, .instance(let url)): return sessionCame(body, url)
    case (.role, .instance): return roleCame(body)
    case (.credentials, _):
      guard let credentials = AWSCredentialFiles.metadata(body) else { return fail("its answer holds no credentials") }
      stage = .over
      return .done(credentials)
    default: return fail("the dialogue was over")
    }
  }

  private mutating func sessionCame(_ body: ByteSlice, _ url: AWSMetadataURL) -> Step {
    let token = body.trimmed.string()
    guard AWSMetadataSource.isToken(token) else { return fail("its session token cannot be sent") }
    stage = .role
    let target = Self.join(url, "/latest/meta-data/iam/security-credentials/")
    return ask(Question(method: "GET", target: target, headers: ["x-aws-ec2-metadata-token": token]))
  }

  private mutating func roleCame(_ body: ByteSlice) -> Step {
    let role = body.trimmed.string().prefix { !$0.isNewline }
    guard !role.isEmpty, role.utf8.count <= 256 else { return fail("the instance has no role") }
    stage = .credentials
    var target = Array(question.target.utf8)
    PercentText.append(String(role), to: &target)
    var next = question
    next.target = String(decoding: target, as: UTF8.self)
    return ask(next)
  }

  private mutating func ask(_ next: Question) -> Step {
    question = next
    tries = 1
    return .ask(next)
  }

  private mutating func fail(_ reason: String) -> Step {
    stage = .over
    return .failed("the \(source.name)'s credentials could not be had: \(reason)")
  }

  private func refusal(_ status: Int) -> String {
    switch (stage, status) {
    case (.session, 403): "its metadata service is turned off (403)"
    case (.session, 404), (.session, 405): "it does not speak version 2 of the protocol (\(status))"
    case (.role, 404): "the instance has no role (404)"
    case (.credentials, 401), (.credentials, 403): "it refused the authorization token (\(status))"
    default: "it answered \(status)"
    }
  }

  private static func join(_ url: AWSMetadataURL, _ path: String) -> String {
    (url.target.hasSuffix("/") ? String(url.target.dropLast()) : url.target) + path
  }
}
