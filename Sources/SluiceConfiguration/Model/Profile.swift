/// A documented set of defaults. A value given in the file always wins over its profile.
public enum Profile: String, CaseIterable, Hashable, Sendable {
  /// On one's own machine: few connections, short waits.
  case development
  /// For test suites: small and quick to end.
  case testing
  /// For showing: quick to react.
  case demo
  /// For everything else.
  case production
}
