package import FuzzProperties

package typealias FuzzArguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// Says what is wrong with an input, if anything is.
package typealias FuzzCheck = @Sendable ([UInt8]) -> String?

/// libFuzzer's loop, called as a function: the package manager gives every executable an entry point of its own name,
/// so libFuzzer's own `main` cannot be the program's.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<FuzzArguments?>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

// Set once, before the loop that reads it starts; libFuzzer's callback has no context of its own.
nonisolated(unsafe) private var chosen: FuzzCheck = { _ in nil }

/// Fuzzes one check with the arguments of the command line.
package func fuzz(_ check: @escaping FuzzCheck, _ count: CInt, _ arguments: FuzzArguments) -> CInt {
  chosen = check
  var count = count
  var arguments: FuzzArguments? = arguments
  return runDriver(&count, &arguments) { start, length in
    // A trap makes libFuzzer keep the input.
    if let problem = chosen(Array(UnsafeBufferPointer(start: start, count: length))) { fatalError(problem) }
    return 0
  }
}

/// Fuzzes one property.
package func fuzz(_ property: ParserProperty, _ count: CInt, _ arguments: FuzzArguments) -> CInt {
  let check: FuzzCheck = { bytes in
    do throws(ParserProperty.Violation) {
      try property.check(bytes)
      return nil
    } catch {
      return error.description
    }
  }
  return fuzz(check, count, arguments)
}
