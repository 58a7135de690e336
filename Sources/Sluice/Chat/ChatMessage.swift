/// One message of a conversation, as text.
public struct ChatMessage: Hashable, Sendable {
  /// Who speaks.
  public enum Role: String, Hashable, Sendable {
    /// Instructions for the model.
    case system
    /// The person or program that asks.
    case user
    /// The model.
    case assistant
  }

  /// Who speaks.
  public var role: Role
  /// What is said.
  public var text: String

  /// A message of any role.
  public init(role: Role, text: String) {
    self.role = role
    self.text = text
  }

  /// Instructions for the model.
  public static func system(_ text: String) -> ChatMessage { ChatMessage(role: .system, text: text) }
  /// A question or request.
  public static func user(_ text: String) -> ChatMessage { ChatMessage(role: .user, text: text) }
  /// An earlier answer of the model.
  public static func assistant(_ text: String) -> ChatMessage { ChatMessage(role: .assistant, text: text) }
}

/// What a chat call may ask for beside its messages.
public struct ChatOptions: Hashable, Sendable {
  /// Most tokens of the answer, at least 1. When it is `nil`, providers that demand a number get the most that the model
  /// can, as far as the model catalogue knows it, else 4096.
  public var maxTokens: Int?
  /// 0 (steady) to 2 (wild); the provider's own default when `nil`. More than the provider takes becomes the most that it
  /// takes; left out for models that refuse it.
  public var temperature: Double?
  /// Texts that end the answer; at most 4.
  public var stop: [String] = []

  /// The provider's defaults.
  public init() {}
}

/// A complete answer.
public struct ChatAnswer: Hashable, Sendable {
  /// The answer's text; where there is none, the words with which the model declined.
  public var text: String
  /// The model that answered, as the provider names it; the name it was asked by where it does not say.
  public var model: String
  /// Why the answer ended, in one vocabulary for all providers: `stop`, `length`, `stop_sequence`, `content_filter`,
  /// `refusal`, `context_window`, `tool_use`, `paused`, `other`.
  public var finishReason: String?
  /// Tokens as the provider counted them.
  public var usage: ChatUsage
}

/// One piece of a streamed answer.
public struct ChatDelta: Hashable, Sendable {
  /// Text to append; empty in pieces that only carry the end or the usage.
  public var text: String
  /// Set in the piece that ends the answer, in the words of ``ChatAnswer/finishReason``.
  public var finishReason: String?
  /// Set when the provider tells the usage; where it does so repeatedly, the last one counts.
  public var usage: ChatUsage?
}

/// Tokens of one exchange.
public struct ChatUsage: Hashable, Sendable {
  /// Tokens of the prompt, cached ones included.
  public var inputTokens: Int
  /// Tokens of the answer.
  public var outputTokens: Int

  /// Nothing counted.
  public init(inputTokens: Int = 0, outputTokens: Int = 0) {
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
  }
}
