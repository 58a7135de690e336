package import SluiceConfiguration
package import SluiceDialects

extension SluiceConfiguration {
  /// The shipped catalogue with the configured file's models. The file was found sound when the configuration was checked,
  /// but may have changed since. Reads from disk: not for an event loop.
  package func modelCatalogue() throws(UnusableCatalogue) -> ModelCatalogue {
    guard let path = catalogue else { return .shipped }
    switch FileAccess.system.read(path, ModelCatalogue.fileLimit) {
    case .failure(let problem): throw UnusableCatalogue(description: "the catalogue \(path) \(problem.message)")
    case .success(let bytes):
      do throws(JSONError) {
        return ModelCatalogue.shipped.overridden(by: try ModelCatalogue(json: bytes))
      } catch {
        throw UnusableCatalogue(
          description: "the catalogue \(path) cannot be read: \(error.reason) at byte \(error.offset)")
      }
    }
  }
}

/// Why the configured catalogue cannot be used.
package struct UnusableCatalogue: Error, CustomStringConvertible {
  package let description: String
}
