import FuzzDriver
import SluiceConfiguration

/// Configuration files: whatever stands in one, it is a configuration or a bounded list of problems, each with a place
/// in the file.
@_cdecl("FuzzConfiguration_main")
func start(_ count: CInt, _ arguments: FuzzArguments) -> CInt { fuzz(check, count, arguments) }

private func check(_ bytes: [UInt8]) -> String? {
  let text = String(decoding: bytes, as: UTF8.self)
  var options = LoadOptions(environment: ["KEY": "sk-x"])
  options.files = .none
  options.directory = "/nowhere"
  guard case .failure(let problems) = SluiceConfigurationFile.load(text: text, name: "file", options: options) else {
    return nil
  }
  if problems.problems.isEmpty { return "refused without a reason" }
  if problems.problems.count > ProblemList.capacity + 1 { return "\(problems.problems.count) problems" }
  let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.count + 1
  let isPlaced = problems.problems.allSatisfy { (1...lines).contains($0.line) && $0.column >= 1 }
  return isPlaced ? nil : "a problem outside the file: \(problems.problems)"
}
