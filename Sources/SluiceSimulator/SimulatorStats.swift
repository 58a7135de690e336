/// What a simulator has seen since it started or since its counters were reset. Control requests are not counted.
public struct SimulatorStats: Sendable, Hashable {
  /// Connections.
  public struct Connections: Sendable, Hashable {
    /// Accepted since the reset.
    public var opened = 0
    /// Open now.
    public var open = 0
    /// The largest number open at one time since the reset.
    public var peak = 0
    /// Closed at once because too many were open.
    public var refused = 0
    /// Silenced by a ``SimulatorFault/Kind/drop(after:)`` fault.
    public var dropped = 0
    /// Those of the opened ones that spoke HTTP/2.
    public var http2 = 0
  }

  /// Requests.
  public struct Requests: Sendable, Hashable {
    /// Complete requests received.
    public var total = 0
    /// Being answered now.
    public var concurrent = 0
    /// The largest number answered at one time.
    public var peak = 0
    /// Answers sent to their last byte.
    public var completed = 0
    /// Refused by a rate limit.
    public var rateLimited = 0
    /// By client key; long keys are shortened. At most 1,024 names, the rest under `other`.
    public var byKey: [String: Int] = [:]
    /// By path; a model's name in it is `{model}`, and paths nobody serves are `other`.
    public var byPath: [String: Int] = [:]
    /// By status sent.
    public var byStatus: [Int: Int] = [:]
  }

  /// Exchanges that the client ended by closing its connection.
  public struct Cancelled: Sendable, Hashable {
    /// Before the first byte of the answer.
    public var beforeFirstByte = 0
    /// Within the answer.
    public var midStream = 0
  }

  /// Connections opened, open and peak.
  public var connections = Connections()
  /// Requests by key, path and status.
  public var requests = Requests()
  /// Exchanges ended by the client.
  public var cancelled = Cancelled()
  /// Bytes read from clients.
  public var bytesReceived = 0
  /// Bytes handed to the kernel for clients.
  public var bytesSent = 0
  /// Hits of each scripted fault, by the fault's kind.
  public var faultHits: [String: Int] = [:]
}
