#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How many files and sockets the process may have open.
package enum DescriptorLimit {
  /// Raises the soft limit towards `wanted`, as far as the hard limit allows.
  ///
  /// - Returns: the limit in force afterwards.
  @discardableResult
  package static func raise(to wanted: Int) -> Int {
    var limit = rlimit()
    guard getrlimit(kind, &limit) == 0 else { return 0 }
    let target = min(rlim_t(max(0, wanted)), limit.rlim_max)
    guard target > limit.rlim_cur else { return Int(clamping: limit.rlim_cur) }
    let before = limit.rlim_cur
    limit.rlim_cur = target
    return Int(clamping: setrlimit(kind, &limit) == 0 ? target : before)
  }

  #if canImport(Glibc)
  private static var kind: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
  #else
  private static var kind: Int32 { RLIMIT_NOFILE }
  #endif
}
