/// Runs one input of a fuzzing target; a violation traps, so that libFuzzer keeps the input.
package func run(_ property: ParserProperty, _ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do throws(ParserProperty.Violation) {
    try property.check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
  } catch {
    preconditionFailure(error.description)
  }
}
