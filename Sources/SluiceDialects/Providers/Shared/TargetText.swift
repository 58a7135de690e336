extension [UInt8] {
  /// Takes the ending away if it is there.
  mutating func removeSuffix(_ ending: StaticString) {
    let hasIt = withSlice { $0.hasSuffix(ending) }
    if hasIt { removeLast(ending.utf8CodeUnitCount) }
  }
}
