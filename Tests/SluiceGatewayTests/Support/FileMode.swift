#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

enum FileMode {
  /// The permission bits of a file; nil when there is none.
  static func of(_ path: String) -> UInt32? {
    var status = stat()
    return lstat(path, &status) == 0 ? UInt32(status.st_mode) & 0o777 : nil
  }
}
