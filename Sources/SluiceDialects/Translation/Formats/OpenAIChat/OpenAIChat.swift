/// OpenAI's chat completions and everything that is shaped like them: Azure, Mistral, Hugging Face, servers of one's
/// own. What differs between the providers stands in `OpenAIFlavour`.
package enum OpenAIChat: ChatFormat {
  package typealias StreamReader = OpenAIStreamReader
  package typealias StreamWriter = OpenAIStreamWriter

  static func finishReason(_ text: String) -> FinishReason {
    switch text {
    // TGI's own words come after the comma.
    case "stop", "eos_token", "stop_sequence": .stop
    case "length": .length
    case "model_length": .contextWindow
    case "tool_calls", "function_call": .toolUse
    case "content_filter": .contentFilter
    default: .other
    }
  }

  /// The provider's own word for "it went wrong inside".
  static func isBreakdown(finish text: String) -> Bool { text == "error" || text == "abort" }

  static func text(_ finish: FinishReason) -> String {
    switch finish {
    case .stop, .stopSequence, .paused, .other: "stop"
    case .length, .contextWindow: "length"
    case .toolUse: "tool_calls"
    case .contentFilter, .refusal: "content_filter"
    }
  }
}

/// What a provider that is shaped like OpenAI takes differently.
struct OpenAIFlavour {
  var maxTokens = "max_tokens"
  var seed = "seed"
  var user: String? = "user"
  /// Asks for usage at the end of a stream; else it comes by itself.
  var asksForUsage = true
  var takesTopK = true
  var takesAllowedTools = false
  var requiredTool: JSONValue = "required"
  var ids = ForeignNames.openAIIDs
  var namesResults = false
  var alwaysSaysStream = false
  var hottest = 2.0
  var mostStops: Int?
  var takesReasoning = false
  var isMistral = false
  /// TGI puts the schema into `response_format.value`.
  var isTGI = false

  init(_ target: ChatTarget) {
    switch target.provider {
    case .openai, .azureOpenAI:
      maxTokens = "max_completion_tokens"
      user = target.provider == .openai ? "safety_identifier" : "user"
      takesTopK = false
      takesAllowedTools = target.provider == .openai
      mostStops = 4
    case .mistral: becomeMistral()
    case .huggingface: isTGI = HuggingFace.isTGI(target.options)
    case .local:
      isTGI = LocalServerKind(target.options) == .tgi
      takesReasoning = !isTGI
    default: break
    }
  }

  /// Mistral answers 422 to any field that it does not know.
  private mutating func becomeMistral() {
    isMistral = true
    seed = "random_seed"
    user = nil
    asksForUsage = false
    requiredTool = "any"
    ids = .mistralIDs
    namesResults = true
    alwaysSaysStream = true
    hottest = 1.5
  }
}
