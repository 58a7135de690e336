import Foundation

/// Runs all benchmarks and compares allocations with `thresholds.txt`.
@main
enum Main {
  static func main() throws {
    var measurements = Measurements(rounds: 5)
    PolicyBenchmarks.run(&measurements)
    try RuntimeBenchmarks.run(&measurements)
    ParserBenchmarks.run(&measurements)
    TranslationBenchmarks.run(&measurements)
    exit(try compare(measurements.figures))
  }

  /// `name | allocations per operation at most`; 1 when a ceiling is broken.
  private static func compare(_ figures: [Figure]) throws -> Int32 {
    let text = try String(contentsOfFile: "thresholds.txt", encoding: .utf8)
    var broken = 0
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let parts = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == 2, let ceiling = Double(parts[1]) else { continue }
      guard let figure = figures.first(where: { $0.name == parts[0] }) else {
        print("no benchmark is named \(parts[0])")
        broken += 1
        continue
      }
      // One allocation in a thousand operations is a buffer that grew, not a cost per operation.
      if figure.allocations > ceiling + 0.001 {
        print("\(figure.name): \(figure.allocations) allocations, \(ceiling) allowed")
        broken += 1
      }
    }
    return broken == 0 ? 0 : 1
  }
}
