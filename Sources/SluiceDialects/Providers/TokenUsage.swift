/// Tokens of one exchange, in one meaning for all providers: `input` is the whole prompt with what came from or went
/// to the prompt cache, `output` is everything generated with the reasoning.
package struct TokenUsage: Hashable, Sendable {
  package var input: Int
  package var output: Int
  /// Part of `input` that was read from the prompt cache.
  package var cachedInput: Int
  /// Part of `input` that was written to the prompt cache.
  package var cacheWrite: Int
  /// Part of `output` that the model spent on thinking.
  package var reasoning: Int

  package init(input: Int = 0, output: Int = 0, cachedInput: Int = 0, cacheWrite: Int = 0, reasoning: Int = 0) {
    self.input = input
    self.output = output
    self.cachedInput = cachedInput
    self.cacheWrite = cacheWrite
    self.reasoning = reasoning
  }

  package var total: Int { Counters.sum(input, output) }
}

/// The counters as a provider spells them; a later report overwrites an earlier one, what is absent stays.
package struct UsageCounters: Hashable, Sendable {
  var input: Int?
  var output: Int?
  var cached: Int?
  var written: Int?
  var reasoning: Int?
  /// Prompt tokens that the provider counts apart from the prompt (results of its own tools).
  var toolPrompt: Int?
  /// What is charged, where the provider counts that apart from what the model saw.
  var billedInput: Int?
  var billedOutput: Int?
  var searchUnits: Int?
  /// `input` leaves out what the prompt cache had or got.
  var excludesCache = false

  var isEmpty: Bool { input == nil && output == nil }

  var billed: TokenUsage? {
    billedInput == nil && billedOutput == nil ? nil : TokenUsage(input: billedInput ?? 0, output: billedOutput ?? 0)
  }
}

enum Counters {
  /// Sum of untrusted counts; saturates.
  static func sum(_ left: Int, _ right: Int) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }
}

/// Why the model stopped, in one vocabulary.
package enum FinishReason: UInt8, CaseIterable, Hashable, Sendable {
  case stop, length, toolUse, contentFilter, refusal, stopSequence, paused, contextWindow, other

  package var label: String {
    switch self {
    case .stop: "stop"
    case .length: "length"
    case .toolUse: "tool_use"
    case .contentFilter: "content_filter"
    case .refusal: "refusal"
    case .stopSequence: "stop_sequence"
    case .paused: "paused"
    case .contextWindow: "context_window"
    case .other: "other"
    }
  }
}

/// The model or the provider's filter declined. Counted as a safety metric; the exchange itself is a success.
package enum SafetySignal: UInt8, CaseIterable, Hashable, Sendable {
  case refusal, contentFilter

  package var label: String {
    switch self {
    case .refusal: "refusal"
    case .contentFilter: "content_filter"
    }
  }
}

/// What could be read from one answer, whole or streamed.
package struct AnswerMeasure: Hashable, Sendable {
  package var usage: TokenUsage?
  /// Nobody counted `usage`: it was estimated.
  package var isEstimate = false
  /// The tokens that are charged, where they are not those of `usage`.
  package var billed: TokenUsage?
  /// Searches or rankings that are charged.
  package var searchUnits: Int?
  /// The service tier that the answer names.
  package var tier = ModelPrice.Tier.standard
  package var finish: FinishReason?
  package var safety: SafetySignal?
  /// The answer has a success status but reports a failure inside.
  package var failure: ProviderFailure?

  package init() {}
}
