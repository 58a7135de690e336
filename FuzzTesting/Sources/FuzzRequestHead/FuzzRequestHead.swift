import FuzzProperties

/// libFuzzer's entry point: one input through the property; a violation is a crash that leaves the input behind.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  run(.requestHead, start, count)
}
