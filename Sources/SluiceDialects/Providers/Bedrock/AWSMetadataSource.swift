/// An endpoint beside the process that hands out credentials.
package enum AWSMetadataSource: Hashable, Sendable {
  /// Of the container's agent (ECS, EKS pod identity): one GET.
  case container(AWSMetadataURL, authorization: Authorization)
  /// Of the instance (EC2), by version 2 of its protocol: a session token, the role's name, the credentials.
  case instance(AWSMetadataURL)

  package enum Authorization: Hashable, Sendable {
    case none
    case token(Secret)
    /// Read anew each time: its content changes.
    case file(String)
  }

  /// A token that descriptions hide.
  package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    private let text: String
    package init(_ text: String) { self.text = text }
    package func reveal() -> String { text }
    package var description: String { "token (hidden)" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
  }

  package var name: String {
    switch self {
    case .container: "container"
    case .instance: "instance"
    }
  }

  package var url: AWSMetadataURL {
    switch self {
    case .container(let url, _), .instance(let url): url
    }
  }

  /// The environment names it: without an answer, nobody else is asked.
  package var isNamed: Bool {
    if case .container = self { true } else { false }
  }

  /// What the environment names, in order. Empty variables count as unset.
  static func all(_ environment: [String: String]) -> [AWSCredentialPlan.Source] {
    var sources: [AWSCredentialPlan.Source] = []
    if let container = container(environment) {
      sources.append(container)
      // Whoever names a container's endpoint means it.
      return sources
    }
    if environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" { sources.append(instance(environment)) }
    return sources
  }

  // MARK: Containers

  private static func container(_ environment: [String: String]) -> AWSCredentialPlan.Source? {
    let relative = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
    guard let text = relative.map({ "http://169.254.170.2" + $0 }) ?? environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    else { return nil }
    let variable = "AWS_CONTAINER_CREDENTIALS_\(relative == nil ? "FULL" : "RELATIVE")_URI"
    guard let url = AWSMetadataURL(text), relative.map({ $0.hasPrefix("/") }) ?? true else {
      return .refused("\(variable) is no URL that can be asked for credentials")
    }
    guard url.isSecure || isTrusted(url.host) else {
      return .refused(
        "\(variable) names the host '\(url.host)': without https, only this machine and the addresses of AWS's agents "
          + "are asked for credentials")
    }
    var authorization = Authorization.none
    if let path = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
      authorization = .file(path)
    } else if let token = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] {
      guard isToken(token) else {
        return .refused("AWS_CONTAINER_AUTHORIZATION_TOKEN holds characters that no header can carry")
      }
      authorization = .token(Secret(token))
    }
    return .metadata(.container(url, authorization: authorization))
  }

  /// Whom the SDKs ask without TLS: this machine, and the fixed addresses of the agents of ECS and EKS.
  static func isTrusted(_ host: String) -> Bool {
    if ["localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"].contains(host) { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// What fits into a header; a file's last line end is not part of it.
  package static func isToken(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 16_384 && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
  }

  // MARK: Instances

  private static func instance(_ environment: [String: String]) -> AWSCredentialPlan.Source {
    let mode = environment["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"]?.lowercased()
    let standard = mode == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
    guard let url = AWSMetadataURL(environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ?? standard) else {
      return .refused("AWS_EC2_METADATA_SERVICE_ENDPOINT is no URL that can be asked for credentials")
    }
    return .metadata(.instance(url))
  }
}

/// A URL in the two halves that a request needs.
package struct AWSMetadataURL: Hashable, Sendable {
  /// `http://host:port`.
  package let base: String
  /// In lower case, without the brackets of an IPv6 address.
  package let host: String
  package let isSecure: Bool
  /// Path and query; begins with a slash.
  package let target: String

  package init?(_ text: String) {
    guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }),
      let mark = text.range(of: "://")
    else { return nil }
    let scheme = text[..<mark.lowerBound].lowercased()
    let rest = text[mark.upperBound...]
    let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    let authority = rest[..<end]
    guard scheme == "http" || scheme == "https", !authority.isEmpty, !authority.contains("@") else { return nil }
    let bracket = authority.first == "[" ? authority.firstIndex(of: "]") : nil
    if authority.first == "[", bracket == nil { return nil }
    let name = bracket.map { authority[authority.index(after: authority.startIndex)..<$0] }
    host = (name ?? authority.prefix { $0 != ":" }).lowercased()
    guard !host.isEmpty else { return nil }
    isSecure = scheme == "https"
    base = "\(scheme)://\(authority)"
    target = rest[end...].first == "/" ? String(rest[end...]) : "/" + rest[end...]
  }
}

extension String {
  /// Without Foundation.
  fileprivate func range(of text: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text), let end = index(start, offsetBy: text.count, limitedBy: endIndex) {
        return start..<end
      }
      start = index(after: start)
    }
    return nil
  }
}
