#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Why a file cannot be used; completes the sentence "the file X …".
package struct FileProblem: Error, Hashable, Sendable {
  package var message: String

  package init(_ message: String) {
    self.message = message
  }

  /// There is no such file.
  package static let missing = FileProblem("does not exist")
}

/// How configuration reaches files; tests put their own in its place.
package struct FileAccess: Sendable {
  /// Reads a whole file of at most so many bytes.
  package var read: @Sendable (_ path: String, _ limit: Int) -> Result<[UInt8], FileProblem>

  package init(read: @escaping @Sendable (_ path: String, _ limit: Int) -> Result<[UInt8], FileProblem>) {
    self.read = read
  }

  /// No file exists.
  package static let none = FileAccess { _, _ in .failure(.missing) }

  /// `path` seen from `directory`.
  package static func join(_ directory: String, _ path: String) -> String {
    if path.hasPrefix("/") || directory.isEmpty { return path }
    return directory.hasSuffix("/") ? directory + path : directory + "/" + path
  }

  /// The directory that a path's last part is in.
  package static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The files of this machine. Anything but a regular file (or a link to one) is refused, so that a pipe or device
  /// cannot block a reload.
  package static let system = FileAccess { path, limit in
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return .failure(FileProblem(reason(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return .failure(FileProblem(reason(errno))) }
    guard status.st_mode & S_IFMT == S_IFREG else { return .failure(FileProblem("is not a regular file")) }
    return contents(of: descriptor, limit: limit)
  }

  private static func contents(of descriptor: Int32, limit: Int) -> Result<[UInt8], FileProblem> {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = chunk.withUnsafeMutableBytes { Self.readSome(descriptor, $0) }
      if count == 0 { return .success(bytes) }
      if count < 0 {
        if errno == EINTR { continue }
        return .failure(FileProblem(reason(errno)))
      }
      bytes.append(contentsOf: chunk.prefix(count))
      if bytes.count > limit { return .failure(FileProblem("is larger than \(Quantity.text(bytes: limit))")) }
    }
  }

  private static func readSome(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    #if canImport(Glibc)
    Glibc.read(descriptor, buffer.baseAddress, buffer.count)
    #elseif canImport(Musl)
    Musl.read(descriptor, buffer.baseAddress, buffer.count)
    #else
    Darwin.read(descriptor, buffer.baseAddress, buffer.count)
    #endif
  }

  private static func reason(_ code: Int32) -> String {
    switch code {
    case ENOENT: FileProblem.missing.message
    case EACCES, EPERM: "may not be read"
    case EISDIR: "is a directory"
    default: "cannot be read (error \(code))"
    }
  }
}
