import Glibc

/// Notices that one of some files is another one than before, by looking once in a while: renames and swapped links, which
/// is how editors and orchestrators replace files, are seen like plain writes.
package struct FileWatch: Sendable {
  private struct Stamp: Equatable {
    var device: UInt64, inode: UInt64, size: Int64, seconds: Int, nanoseconds: Int
  }

  private let paths: [String]
  private var stamps: [Stamp?]

  package init(paths: [String]) {
    self.paths = paths
    stamps = paths.map(Self.stamp)
  }

  /// True once per change. A file that is missing counts as unchanged: it is about to be replaced.
  package mutating func hasChanged() -> Bool {
    var changed = false
    for (index, path) in paths.enumerated() {
      guard let stamp = Self.stamp(path), stamp != stamps[index] else { continue }
      stamps[index] = stamp
      changed = true
    }
    return changed
  }

  private static func stamp(_ path: String) -> Stamp? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Stamp(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
      seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
  }
}
