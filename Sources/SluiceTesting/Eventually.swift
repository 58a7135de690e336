import SluicePolicy
import SluiceRuntime

/// Waits, without sleeping, for something that other threads bring about; false when it never came. What is long enough
/// for a thread that gets hardly any of a busy machine is far too long for one that works, so time decides and not a
/// number of turns.
package func eventually(_ condition: () -> Bool) async -> Bool {
  let end = SystemClock().now() + .minutes(5)
  while SystemClock().now() < end {
    for _ in 0..<1_000 {
      if condition() { return true }
      await Task.yield()
    }
  }
  return condition()
}
