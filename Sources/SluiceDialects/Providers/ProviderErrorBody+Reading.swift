extension ProviderErrorBody {
  private static let object = JSONPath(.error)
  private static let nestedType = JSONPath(.error, .type)
  private static let nestedCode = JSONPath(.error, .code)
  private static let nestedParam = JSONPath(.error, .param)
  private static let nestedMessage = JSONPath(.error, .message)
  private static let nestedDetail = JSONPath(.error, .details, .errorCode)
  private static let item = JSONPath(.item)
  private static let nestedStatus = JSONPath(.error, .status)
  private static let nestedReason = JSONPath(.error, .details, .item, .reason)
  private static let nestedQuota = JSONPath(.error, .details, .item, .violations, .item, .quotaID)
  private static let nestedDelay = JSONPath(.error, .details, .item, .retryDelay)
  private static let flatType = JSONPath(.typeUnderscored)
  private static let flatOriginal = JSONPath(.originalStatusCode)
  private static let flatCapital = JSONPath(.messageCapital)
  private static let flatCode = JSONPath(.code)
  private static let flatMessage = JSONPath(.message)
  private static let plainType = JSONPath(.type)
  private static let errorType = JSONPath(.errorType)
  private static let estimatedTime = JSONPath(.estimatedTime)
  private static let detail = JSONPath(.detail)
  private static let detailText = JSONPath(.detail, .item, .msg)
  private static let detailType = JSONPath(.detail, .item, .type)

  /// Reads `{"error":{…}}`, the same inside of an array, `{"error":"text","error_type":…}`,
  /// `{"message":…,"type":…,"code":…}`, `{"__type":…}`, `{"detail":"text"}` and `{"detail":[{"type":…,"msg":…}]}`. Answers
  /// that are no JSON give nothing: the page of some proxy in between says nothing about the provider.
  static func read(_ body: ByteSlice) -> ProviderErrorBody {
    var error = ProviderErrorBody()
    JSONFieldWalker.walk(body) { path, value in error.note(path.dropping(item) ?? path, value) }
    return error
  }

  mutating func note(_ path: JSONPath, _ value: JSONScalar) {
    guard path.depth <= 6, let text = value.text(limit: Self.textLimit) else { return }
    switch path {
    case Self.nestedType: type = text
    case Self.nestedCode: code = text
    case Self.nestedParam: param = text
    case Self.nestedMessage, Self.object: message = text
    case Self.nestedDetail: detailCode = text
    case Self.nestedStatus: type = type ?? text
    case Self.nestedReason: code = text
    case Self.nestedQuota: detailCode = detailCode ?? text
    case Self.nestedDelay: retryDelay = text
    case Self.flatType: type = text
    case Self.flatOriginal: originalStatus = text
    case Self.flatCapital: message = message ?? text
    case Self.flatCode: code = code ?? text
    case Self.flatMessage, Self.detail, Self.detailText: message = message ?? text
    // Anthropic's bodies say `"type": "error"` at the top, which is no type.
    case Self.plainType where text == "error": break
    case Self.plainType, Self.detailType: type = type ?? text
    case Self.errorType: type = text
    case Self.estimatedTime: estimatedTime = text
    default: break
    }
  }
}
