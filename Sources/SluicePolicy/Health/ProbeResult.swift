/// How an active check of an endpoint ended.
public enum ProbeResult: Hashable, Sendable {
  case success(latency: Interval)
  case failed(FailureClass)
  /// There is no free probe for this endpoint; traffic has to show whether it works.
  case unavailable
}
