import SluiceDialects

/// What a model is asked for, whatever the provider calls it.
struct CompletionRequest {
  enum ToolMode: Equatable {
    case none, auto, required
    case named(String)
  }

  struct Tool {
    var name: String
    var schema: JSONValue
    /// Takes free text instead of JSON (OpenAI's custom tools).
    var isCustom = false
  }

  var model: String
  /// The last thing the user said.
  var question = ""
  /// The conversation ends with the results of tools, so the model speaks now.
  var endsWithToolResults = false
  var promptTokens = 0
  var maxTokens: Int
  var stops: [String] = []
  var tools: [Tool] = []
  var toolMode = ToolMode.auto
  var allowsParallelTools = true
  /// The answer is JSON that fits this schema.
  var schema: JSONValue?
  var wantsThinking = false
  /// What makes this request this request.
  var hash: UInt64
}

/// What the model said.
struct Completion {
  enum Finish: Equatable {
    case stop, length, toolCalls, contentFilter, refusal
    case stopSequence(String)
  }

  struct ToolCall {
    var name: String
    /// JSON text, or free text of a custom tool.
    var arguments: String
    var input: JSONValue
    var isCustom: Bool
  }

  var thinking: String?
  var text = ""
  var toolCalls: [ToolCall] = []
  var finish = Finish.stop
  var thinkingTokens = 0
  var outputTokens = 0
  /// Part of the prompt that came from the prompt cache.
  var cachedTokens = 0
}
