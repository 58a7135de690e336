/// One profile of AWS's shared files (`~/.aws/credentials`, `~/.aws/config`), as far as it is used here.
package struct AWSProfile: Hashable, Sendable {
  package var keyID: String?
  package var secret: String?
  package var sessionToken: String?
  package var region: String?
  /// Settings by which the SDKs would obtain credentials in other ways (`role_arn`, `credential_process`, `sso_session`
  /// …): whoever reads the file has to say that they are not followed.
  package var otherSources: [String] = []
  /// The line of the section, and of each of the other sources; from 1.
  package var line = 1
  package var sourceLines: [String: Int] = [:]

  package init() {}

  /// Nothing without both halves of an access key.
  package var credentials: AWSCredentials? {
    guard let keyID, let secret, !keyID.isEmpty, !secret.isEmpty else { return nil }
    return AWSCredentials(keyID: keyID, secret: secret, sessionToken: sessionToken)
  }

  /// What this file says, and the other where this one is silent.
  package func merged(under other: AWSProfile) -> AWSProfile {
    var profile = self
    if credentials == nil {
      (profile.keyID, profile.secret, profile.sessionToken) = (other.keyID, other.secret, other.sessionToken)
    }
    profile.region = region ?? other.region
    profile.otherSources = Array(Set(otherSources + other.otherSources)).sorted()
    profile.sourceLines = sourceLines.merging(other.sourceLines) { mine, _ in mine }
    return profile
  }
}

extension AWSProfile: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "profile (hidden)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Parsers of what AWS's credentials come in; reading the files and asking the endpoints is done elsewhere.
package enum AWSCredentialFiles {
  /// Longest file that is read.
  package static let maxBytes = 1 << 20
  private static let otherSources: Set<String> = [
    "role_arn", "source_profile", "credential_source", "credential_process", "web_identity_token_file", "sso_session",
    "sso_account_id", "sso_start_url", "login_session",
  ]

  /// The profiles of a shared file by name: sections `[name]` of the credentials file, `[default]` and `[profile name]`
  /// of the config file. `#` and `;` begin comments; indented lines belong to nested settings and are left out. Nothing
  /// for files that are too long or no UTF-8.
  package static func profiles(_ file: [UInt8]) -> [String: AWSProfile]? {
    guard file.count <= maxBytes, let text = String(validating: file, as: UTF8.self) else { return nil }
    var profiles: [String: AWSProfile] = [:]
    var section: String?
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      guard let first = line.first, first != " ", first != "\t", first != "#", first != ";" else { continue }
      if first == "[" {
        section = name(ofSection: line)
        guard let section, profiles[section] == nil else { continue }
        profiles[section] = AWSProfile()
        profiles[section]?.line = number + 1
      } else if let section, let equals = line.firstIndex(of: "=") {
        let value = trimmed(withoutComment(line[line.index(after: equals)...]))
        let key = trimmed(line[..<equals]).lowercased()
        set(key, value, &profiles[section, default: AWSProfile()])
        if otherSources.contains(key) { profiles[section]?.sourceLines[key] = number + 1 }
      }
    }
    return profiles
  }

  /// Nothing for sections of other kinds (`sso-session`, `services`).
  private static func name(ofSection line: Substring) -> String? {
    guard let end = line.firstIndex(of: "]") else { return nil }
    let words = line[line.index(after: line.startIndex)..<end].split { $0 == " " || $0 == "\t" }.map(String.init)
    if words.count == 1 { return words[0] }
    guard words.count == 2, words[0] == "profile" else { return nil }
    return words[1].trimmingQuotes
  }

  private static func set(_ key: String, _ value: String, _ profile: inout AWSProfile) {
    switch key {
    case "aws_access_key_id": profile.keyID = value
    case "aws_secret_access_key": profile.secret = value
    case "aws_session_token": profile.sessionToken = value.isEmpty ? nil : value
    case "aws_security_token": profile.sessionToken = profile.sessionToken ?? (value.isEmpty ? nil : value)
    case "region": profile.region = value.isEmpty ? nil : value
    default: if otherSources.contains(key) { profile.otherSources.append(key) }
    }
  }

  /// A comment behind a value needs a blank in front.
  private static func withoutComment(_ value: Substring) -> Substring {
    var previous: Character = "x"
    for index in value.indices {
      let character = value[index]
      if character == "#" || character == ";", previous == " " || previous == "\t" { return value[..<index] }
      previous = character
    }
    return value
  }

  private static func trimmed(_ text: Substring) -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" || character == "\r" }
    guard let start = text.firstIndex(where: { !isBlank($0) }), let end = text.lastIndex(where: { !isBlank($0) }) else {
      return ""
    }
    return String(text[start...end])
  }

  /// The answer of the container's or the instance's metadata endpoint:
  /// `{"AccessKeyId","SecretAccessKey","Token","Expiration"}`. Nothing when it holds no credentials; instances then say
  /// `Code` and `Message`.
  package static func metadata(_ document: ByteSlice) -> AWSCredentials? {
    guard document.count <= maxBytes, let value = try? JSONReader.read(document) else { return nil }
    if let code = value["Code"]?.string, code != "Success" { return nil }
    guard let keyID = value["AccessKeyId"]?.string, let secret = value["SecretAccessKey"]?.string, !keyID.isEmpty,
      !secret.isEmpty
    else { return nil }
    let end = value["Expiration"]?.string.flatMap { text in Array(text.utf8).withSlice { DateText.rfc3339($0) } }
    let token = value["Token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    return AWSCredentials(keyID: keyID, secret: secret, sessionToken: token, expiration: end)
  }
}

extension String {
  fileprivate var trimmingQuotes: String {
    count >= 2 && (first == "\"" || first == "'") && first == last ? String(dropFirst().dropLast()) : self
  }
}
