package import FuzzProperties

package typealias FuzzArguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// libFuzzer's loop, called as a function: the package manager gives every executable an entry point of its own name,
/// so libFuzzer's own `main` cannot be the program's.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<FuzzArguments?>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

// Set once, before the loop that reads it starts; libFuzzer's callback has no context of its own.
nonisolated(unsafe) private var property = ParserProperty.json

/// Fuzzes one property with the arguments of the command line.
package func fuzz(_ chosen: ParserProperty, _ count: CInt, _ arguments: FuzzArguments) -> CInt {
  property = chosen
  var count = count
  var arguments: FuzzArguments? = arguments
  return runDriver(&count, &arguments) { start, length in
    let bytes = Array(UnsafeBufferPointer(start: start, count: length))
    do throws(ParserProperty.Violation) {
      try property.check(bytes)
      return 0
    } catch {
      // A trap makes libFuzzer keep the input.
      fatalError(error.description)
    }
  }
}
