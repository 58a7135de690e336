/// Writes the Prometheus text exposition format, version 0.0.4: families in the order they are begun, label values escaped.
/// https://prometheus.io/docs/instrumenting/exposition_formats/
struct PrometheusText {
  enum Kind: String { case counter, gauge, histogram }

  private(set) var text = ""
  private var family = ""

  init() { text.reserveCapacity(16 * 1024) }

  mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
    family = "sluice_" + name
    text += "# HELP \(family) \(Self.escapedHelp(help))\n# TYPE \(family) \(kind.rawValue)\n"
  }

  mutating func sample(_ value: Double, _ labels: [(String, String)] = [], suffix: String = "") {
    text += family + suffix
    if !labels.isEmpty {
      text += "{"
      text += labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
      text += "}"
    }
    text += " \(Self.number(value))\n"
  }

  mutating func sample(_ value: UInt64, _ labels: [(String, String)] = []) { sample(Double(value), labels) }
  mutating func sample(_ value: Int, _ labels: [(String, String)] = []) { sample(Double(value), labels) }

  /// A whole histogram: `buckets` holds (upper bound, observations in this bucket alone); observations above the last
  /// bound are in `overflow`.
  mutating func histogram(
    buckets: [(bound: Double, count: UInt64)], overflow: UInt64, sum: Double, labels: [(String, String)]
  ) {
    var cumulative: UInt64 = 0
    for bucket in buckets {
      cumulative += bucket.count
      sample(Double(cumulative), labels + [("le", Self.number(bucket.bound))], suffix: "_bucket")
    }
    cumulative += overflow
    sample(Double(cumulative), labels + [("le", "+Inf")], suffix: "_bucket")
    sample(sum, labels, suffix: "_sum")
    sample(Double(cumulative), labels, suffix: "_count")
  }

  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
  }

  static func escaped(_ value: String) -> String {
    var result = ""
    for character in value.unicodeScalars {
      switch character {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  private static func escapedHelp(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
  }
}
