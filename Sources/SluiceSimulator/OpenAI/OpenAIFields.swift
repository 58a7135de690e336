import SluiceDialects

/// Reads the fields of an OpenAI request and refuses them in OpenAI's words.
struct OpenAIFields {
  let body: JSONValue

  init(_ body: JSONValue) throws(ProviderError) {
    guard body.members != nil else {
      throw ProviderError(400, type: "invalid_request_error", "We expected a JSON object as the body of your request.")
    }
    self.body = body
  }

  static func invalid(_ message: String, param: String?, code: String? = nil) -> ProviderError {
    ProviderError(400, type: "invalid_request_error", code: code, param: param, message)
  }

  static func missing(_ name: String) -> ProviderError {
    invalid("Missing required parameter: '\(name)'.", param: name, code: "missing_required_parameter")
  }

  static func wrongType(_ name: String, expected: String, _ value: JSONValue) -> ProviderError {
    invalid(
      "Invalid type for '\(name)': expected \(expected), but got \(value.kindName) instead.", param: name,
      code: "invalid_type")
  }

  /// The model thinks before it answers; of that only the count of tokens is told.
  static func wantsThinking(_ effort: JSONValue?) -> Bool {
    effort?.string.map { $0 != "none" && $0 != "minimal" } ?? false
  }

  func model() throws(ProviderError) -> String {
    guard let value = body.given("model") else {
      throw Self.invalid("you must provide a model parameter", param: nil)
    }
    guard let model = value.string, !model.isEmpty else {
      throw Self.wrongType("model", expected: "a string", value)
    }
    return model
  }

  func bool(_ name: String) throws(ProviderError) -> Bool? {
    guard let value = body.given(name) else { return nil }
    guard let flag = value.bool else { throw Self.wrongType(name, expected: "a boolean", value) }
    return flag
  }

  func int(_ name: String, in range: ClosedRange<Int>) throws(ProviderError) -> Int? {
    guard let value = body.given(name) else { return nil }
    guard let number = value.int else { throw Self.wrongType(name, expected: "an integer", value) }
    guard range.contains(number) else {
      throw Self.outOfRange(name, "integer", number < range.lowerBound, range.lowerBound, range.upperBound, number)
    }
    return number
  }

  func double(_ name: String, in range: ClosedRange<Double>) throws(ProviderError) -> Double? {
    guard let value = body.given(name) else { return nil }
    guard let number = value.double else { throw Self.wrongType(name, expected: "a decimal", value) }
    guard range.contains(number) else {
      throw Self.outOfRange(name, "decimal", number < range.lowerBound, range.lowerBound, range.upperBound, number)
    }
    return number
  }

  private static func outOfRange<Number>(
    _ name: String, _ kind: String, _ isBelow: Bool, _ lower: Number, _ upper: Number, _ got: Number
  ) -> ProviderError {
    isBelow
      ? invalid(
        "Invalid '\(name)': \(kind) below minimum value. Expected a value >= \(lower), but got \(got) instead.",
        param: name, code: "\(kind)_below_min_value")
      : invalid(
        "Invalid '\(name)': \(kind) above maximum value. Expected a value <= \(upper), but got \(got) instead.",
        param: name, code: "\(kind)_above_max_value")
  }

  /// One text or a short list of them.
  func stops() throws(ProviderError) -> [String] {
    guard let value = body.given("stop") else { return [] }
    if let text = value.string { return [text] }
    guard let items = value.array, items.count <= 4, items.allSatisfy({ $0.string != nil }) else {
      throw Self.wrongType("stop", expected: "one of a string or array of at most 4 strings", value)
    }
    return items.compactMap(\.string)
  }

  /// The bounds of sampling parameters, which have no effect here but are checked as the service does.
  func checkSampling() throws(ProviderError) {
    _ = try double("temperature", in: 0...2)
    _ = try double("top_p", in: 0...1)
    _ = try double("presence_penalty", in: -2...2)
    _ = try double("frequency_penalty", in: -2...2)
  }

  /// What a real service would act on and the simulator cannot: better refused than quietly left out.
  func refuse(_ name: String, when isAsked: (JSONValue) -> Bool) throws(ProviderError) {
    guard let value = body.given(name), isAsked(value) else { return }
    throw Self.invalid(
      "Unsupported parameter: '\(name)' is not supported by the simulator.", param: name,
      code: "unsupported_parameter")
  }
}

extension JSONValue {
  /// With its article, as OpenAI's messages have it.
  var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .int: "an integer"
    case .double, .literal: "a decimal"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
