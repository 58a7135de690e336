package import SluiceDialects

/// AWS's shared files as they are on disk. Reads: not for an event loop.
package enum AWSFiles {
  /// What a profile gives. A file that is not there says nothing; one that cannot be read is a problem.
  package static func find(_ source: AWSFileSource, _ files: FileAccess) -> AWSProfileLookup.Answer {
    var contents: [[UInt8]?] = []
    for path in [source.credentialsPath, source.configPath] {
      guard let path else {
        contents.append(nil)
        continue
      }
      switch files.read(path, AWSCredentialFiles.maxBytes) {
      case .success(let bytes): contents.append(bytes)
      case .failure(.missing): contents.append(nil)
      case .failure(let problem):
        return .refused(AWSProfileLookup.Problem(path: path, line: 1, message: "the file \(problem.message)"))
      }
    }
    return AWSProfileLookup.find(source, credentials: contents[0], config: contents[1])
  }

  /// The region that goes with a profile.
  package static func region(_ source: AWSFileSource, _ files: FileAccess) -> String? {
    let contents = [source.credentialsPath, source.configPath].map { path in
      path.flatMap { try? files.read($0, AWSCredentialFiles.maxBytes).get() }
    }
    let region = AWSProfileLookup.region(source.profile, credentials: contents[0], config: contents[1])
    return region.flatMap { $0.utf8.count <= 64 && $0.allSatisfy(isOfRegions) ? $0 : nil }
  }

  /// The text goes into a file and into a host name.
  private static func isOfRegions(_ character: Character) -> Bool {
    ("a"..."z").contains(character) || ("0"..."9").contains(character) || character == "-"
  }

  /// A container's authorization token, without the line end behind it.
  package static func token(_ path: String, _ files: FileAccess) -> Result<String, FileProblem> {
    files.read(path, 16_384).flatMap { bytes in
      let end = bytes.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? 0
      let text = String(decoding: bytes[..<end], as: UTF8.self)
      return AWSMetadataSource.isToken(text) ? .success(text) : .failure(FileProblem("holds no token for a header"))
    }
  }
}
