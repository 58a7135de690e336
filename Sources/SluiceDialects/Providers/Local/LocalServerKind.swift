/// What kind of server of one's own answers.
package enum LocalServerKind: String, CaseIterable, Hashable, Sendable {
  /// Anything that is shaped like OpenAI.
  case openai
  case ollama
  case llamaCpp = "llamacpp"
  case vllm
  case tgi
  case localAI = "localai"

  init(_ options: ProviderOptions) {
    self = options[text: "server"].flatMap(LocalServerKind.init(rawValue:)) ?? .openai
  }

  /// Where it listens unless told otherwise; empty where nothing is usual.
  var baseURL: String {
    switch self {
    case .openai: ""
    case .ollama: "http://127.0.0.1:11434"
    case .llamaCpp, .localAI: "http://127.0.0.1:8080"
    case .vllm: "http://127.0.0.1:8000"
    case .tgi: "http://127.0.0.1:3000"
    }
  }

  /// Open to everybody, free, and false while the server cannot work.
  var probe: String {
    switch self {
    case .openai: "/v1/models"
    case .ollama: "/api/version"
    case .llamaCpp, .vllm, .tgi: "/health"
    case .localAI: "/readyz"
    }
  }

  /// Told by its list of models, where the server says who it is.
  package static func recognise(_ page: ModelPage) -> LocalServerKind? {
    switch page.models.first?.owner {
    case "vllm": .vllm
    case "llamacpp": .llamaCpp
    case "library": .ollama
    default: nil
    }
  }

  func speaks(_ operation: Operation) -> Bool {
    switch operation {
    case .chat, .completions, .models, .model, .native: true
    case .embeddings: self != .tgi
    case .responses: self == .ollama || self == .vllm || self == .llamaCpp
    case .messages: self != .openai && self != .tgi
    case .countTokens: self == .llamaCpp
    case .ollamaChat, .ollamaGenerate, .ollamaEmbed, .ollamaTags, .ollamaVersion:
      self == .ollama || self == .localAI
    case .rerank, .cohereEmbed: self == .vllm
    default: false
    }
  }
}
