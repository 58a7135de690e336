/// How urgent a request is; a lower raw value is served first.
public enum PriorityClass: UInt8, CaseIterable, Comparable, Sendable {
  case critical = 0
  case high = 1
  case normal = 2
  case low = 3

  /// 0 (critical) to 3 (low), as an index into an array with one element per class.
  @inlinable
  public var index: Int { Int(rawValue) }

  /// Name in settings, logs and metrics: lower case.
  public var label: String {
    switch self {
    case .critical: "critical"
    case .high: "high"
    case .normal: "normal"
    case .low: "low"
    }
  }

  /// The class with this label; `nil` if there is none.
  public init?(label: String) {
    guard let match = PriorityClass.allCases.first(where: { $0.label == label }) else { return nil }
    self = match
  }

  /// More urgent is greater.
  public static func < (left: PriorityClass, right: PriorityClass) -> Bool { left.rawValue > right.rawValue }
}
