/// Waits, without sleeping, for something that other threads bring about; false when it never came.
package func eventually(_ condition: () -> Bool) async -> Bool {
  for _ in 0..<1_000_000 {
    if condition() { return true }
    await Task.yield()
  }
  return false
}
