import NIOCore
import SluiceDialects

internal import NIOHTTP1

/// Checks the signatures of requests to the simulated Bedrock runtime. The secret of every access key is the same.
enum AWSGate {
  static let secret = "simulator-secret"

  /// True for requests without a signature (bearer keys) and for those whose signature fits.
  static func accepts(_ request: SimulatedRequest) -> Bool {
    guard let value = request.header("authorization"), value.hasPrefix("AWS4-HMAC-SHA256 ") else { return true }
    let parts = fields(value.dropFirst("AWS4-HMAC-SHA256 ".count))
    let scope = (parts["Credential"] ?? "").split(separator: "/").map(String.init)
    guard scope.count == 5, let signed = parts["SignedHeaders"], let date = request.header("x-amz-date") else {
      return false
    }
    let headers = signed.split(separator: ";").map { name in
      (name: String(name), value: request.head.headers[canonicalForm: String(name)].joined(separator: ","))
    }
    let body = Array((request.body ?? ByteBuffer()).readableBytesView)
    let expected = Array(request.head.uri.utf8).withSlice { target in
      body.withSlice { body in
        SigV4.sign(
          SigV4.Subject(method: request.method.rawValue, target: target, headers: headers, body: body),
          SigV4.Scope(region: scope[2], service: scope[3]), keyID: scope[0], secret: secret, date: date)
      }
    }
    return expected.signature == parts["Signature"]
  }

  /// `Credential=…, SignedHeaders=…, Signature=…`.
  private static func fields(_ text: Substring) -> [String: String] {
    var fields: [String: String] = [:]
    for part in text.split(separator: ",") {
      let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
      if pair.count == 2 { fields[String(pair[0])] = String(pair[1]) }
    }
    return fields
  }
}
