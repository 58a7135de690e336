import Foundation
import SluiceGateway

/// Answers of the administration side: JSON with sorted keys, errors with a message.
enum AdminAnswer {
  private struct Failure: Encodable {
    struct Body: Encodable { var message: String }
    var error: Body
  }

  static func json(_ value: some Encodable, status: Int = 200) -> AdminResponse {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let data = try? encoder.encode(value) else { return error(500, "the answer could not be encoded") }
    return .json(Array(data), status: status)
  }

  static func error(_ status: Int, _ message: String) -> AdminResponse {
    json(Failure(error: .init(message: message)), status: status)
  }
}

struct PoolList: Encodable { var pools: [PoolDocument] }
struct RequestList: Encodable { var requests: [RequestDocument] }
