/// One scripted misbehaviour: what happens, to which requests, how often and for how long.
public struct SimulatorFault: Sendable, Hashable {
  /// What happens.
  public var kind: Kind
  /// Which requests it may hit. ``Kind/refuse(_:)`` and a hang at accept come before any request and match all.
  public var match: Match
  /// The share of matching requests it hits, 0 to 1, drawn from the simulator's seed.
  public var rate: Double
  /// How many hits it has; `nil` is no end.
  public var count: Int?
  /// How long it lasts from the moment it was set; `nil` is no end.
  public var duration: Duration?

  /// Creates a fault; without limits it hits everything, for ever.
  public init(_ kind: Kind, match: Match = Match(), rate: Double = 1, count: Int? = nil, duration: Duration? = nil) {
    self.kind = kind
    self.match = match
    self.rate = rate
    self.count = count
    self.duration = duration
  }

  /// Conditions on a request; `nil` matches all, and `*` inside a text stands for any text.
  public struct Match: Sendable, Hashable {
    /// The provider's name, for example `openai` or `anthropic`.
    public var provider: String?
    /// The client's key.
    public var key: String?
    /// The path as the client sent it, without query.
    public var path: String?
    /// The model named in the body.
    public var model: String?

    /// Creates conditions.
    public init(provider: String? = nil, key: String? = nil, path: String? = nil, model: String? = nil) {
      self.provider = provider
      self.key = key
      self.path = path
      self.model = model
    }

    var isEmpty: Bool { self == Match() }
  }

  /// A place within an answer.
  public enum Position: Sendable, Hashable {
    /// After the head and this many stream events; a plain answer's body counts as one event.
    case events(Int)
    /// After this many bytes as sent, the head included: 0 is before anything is sent. Where the framing around the
    /// part stays correct, bytes of the body are meant.
    case bytes(Int)
  }

  /// What happens.
  public enum Kind: Sendable, Hashable {
    /// Connections are not taken: the listener is closed, or each one is reset as soon as it is accepted.
    case refuse(RefuseMode)
    /// Nothing is answered: the connection is accepted and never read, or the request is read and never answered.
    case hang(HangMode)
    /// The connection is reset (RST) at this place of the answer.
    case reset(Position)
    /// The stream is reset (RST_STREAM) at this place of the answer, and its connection lives on. With HTTP/1.1 the
    /// connection is all there is.
    case resetStream(Position, StreamError)
    /// The connection is announced to end (GOAWAY): what it took before finishes, whatever comes later is turned back.
    /// With HTTP/1.1 the answer says `connection: close`, or there is none.
    case goAway(GoAwayMode)
    /// An error answer with the provider's own body for this status.
    case status(Status)
    /// The first byte comes later by `firstByte`, and tokens come at `tokensPerSecond` if given.
    case slow(firstByte: Duration, tokensPerSecond: Double?)
    /// The answer ends early: `clean` with correct HTTP framing around the part, else by closing in mid-air.
    case truncate(Position, clean: Bool)
    /// Bytes that are not HTTP, as the whole answer or as a chunk header within it. With HTTP/2 the whole connection
    /// breaks at that place.
    case garbage(GarbageMode)
    /// The answer pauses at this place, for the duration or for ever.
    case stall(Position, Duration?)
    /// The provider's error event appears in the stream after so many events, and the stream ends there.
    case streamError(afterEvents: Int)
    /// After the answer and this idle time the kernel ignores everything the client sends. Linux only.
    case drop(after: Duration)
    /// After the answer and this idle time the connection is closed without notice.
    case idleClose(after: Duration)
    /// After the answer the sending half is closed; the receiving half stays open and is never answered again.
    case halfClose
    /// The kept connection is closed between two requests.
    case earlyClose(EarlyCloseMode)
  }

  /// How connections are refused.
  public enum RefuseMode: String, Sendable, CaseIterable {
    /// The listening socket is closed: the client's kernel reports a refused connection.
    case listener
    /// The connection is accepted and reset at once.
    case accept
  }

  /// Where a hang begins.
  public enum HangMode: String, Sendable, CaseIterable {
    /// From the first byte: the socket is never read.
    case accept
    /// After a complete request.
    case request
  }

  /// With what code a stream is reset (RFC 9113 §7).
  public enum StreamError: String, Sendable, CaseIterable {
    /// The provider broke down.
    case internalError = "internal_error"
    /// Nothing was looked at, the request may be sent again.
    case refusedStream = "refused_stream"
    /// The provider lost interest.
    case cancel
    /// The client asks too much.
    case enhanceYourCalm = "enhance_your_calm"
  }

  /// Whether the request that the announcement meets is answered.
  public enum GoAwayMode: String, Sendable, CaseIterable {
    /// It is the last one that is.
    case after
    /// It is the first one that is not.
    case before
  }

  /// Where the bytes that are not HTTP appear.
  public enum GarbageMode: Sendable, Hashable {
    /// Instead of the answer.
    case head
    /// As a chunk header, after so many stream events.
    case chunk(afterEvents: Int)
  }

  /// When a kept connection is closed.
  public enum EarlyCloseMode: String, Sendable, CaseIterable {
    /// As soon as the answer is sent, although it promised to keep the connection.
    case afterAnswer = "after_answer"
    /// When the head of the next request arrives on it.
    case onReuse = "on_reuse"
  }

  /// An error answer.
  public struct Status: Sendable, Hashable {
    /// The status, 400 to 599.
    public var code: Int
    /// Sent as `retry-after` (and `retry-after-ms` with OpenAI).
    public var retryAfter: Duration?
    /// The provider's error code (OpenAI `code`, Anthropic `details.error_code`) instead of the status' usual one.
    public var errorCode: String?
    /// The message instead of the status' usual one.
    public var message: String?

    /// Creates an error answer.
    public init(_ code: Int, retryAfter: Duration? = nil, errorCode: String? = nil, message: String? = nil) {
      self.code = code
      self.retryAfter = retryAfter
      self.errorCode = errorCode
      self.message = message
    }
  }
}

extension SimulatorFault.Kind {
  /// The spelling used in JSON and in the counters.
  public var label: String {
    switch self {
    case .refuse: "refuse"
    case .hang: "hang"
    case .reset: "reset"
    case .resetStream: "rst_stream"
    case .goAway: "goaway"
    case .status: "status"
    case .slow: "slow"
    case .truncate: "truncate"
    case .garbage: "garbage"
    case .stall: "stall"
    case .streamError: "stream_error"
    case .drop: "drop"
    case .idleClose: "idle_close"
    case .halfClose: "half_close"
    case .earlyClose: "early_close"
    }
  }

  /// When in the life of a connection it strikes. One fault of each phase may hit one request.
  enum Phase { case accept, answer, afterwards }

  var phase: Phase {
    switch self {
    case .refuse, .hang(.accept): .accept
    case .hang, .reset, .resetStream, .goAway, .status, .slow, .truncate, .garbage, .stall, .streamError: .answer
    case .drop, .idleClose, .halfClose, .earlyClose: .afterwards
    }
  }
}
