/// The parts of an error body that classification looks at, whatever the provider. Every part may be missing, of
/// another type, or the body no JSON at all.
package struct ProviderErrorBody: Hashable, Sendable {
  package var type: String?
  package var code: String?
  /// Anthropic's finer code below `error.details`.
  package var detailCode: String?
  package var param: String?
  package var message: String?
  /// How long to stay away, where the body says it: `33.7s`.
  package var retryDelay: String?
  /// The status that the model's own server gave (Bedrock).
  package var originalStatus: String?
  /// How many seconds a model needs to load, as written.
  package var estimatedTime: String?

  /// Longest text that is kept of any part.
  static let textLimit = 512

  /// The most specific name the provider gave.
  var label: String? { detailCode ?? code ?? type }
}
