/// Texts to be turned into vectors, in one form for all protocols.
package struct EmbeddingRequest: Hashable, Sendable {
  package enum Input: Hashable, Sendable {
    case text(String)
    /// Token ids, which only the same provider understands.
    case tokens([Int])
  }

  /// What the vectors are for, where a protocol distinguishes.
  package enum Purpose: UInt8, Hashable, Sendable { case document, query, classification, clustering }

  package enum Encoding: UInt8, Hashable, Sendable {
    case numbers
    /// Little-endian float32, base64.
    case base64
  }

  package var model: String
  package var inputs: [Input]
  package var dimensions: Int?
  package var encoding = Encoding.numbers
  package var purpose: Purpose?
  package var user: String?
  /// The client's form holds a single vector (Gemini's `embedContent`).
  package var isSingle = false

  package init(model: String, inputs: [Input]) {
    self.model = model
    self.inputs = inputs
  }
}

package struct EmbeddingAnswer: Hashable, Sendable {
  package var model: String
  package var vectors: [[Float]]
  package var inputTokens: Int?

  package init(model: String = "", vectors: [[Float]], inputTokens: Int? = nil) {
    self.model = model
    self.vectors = vectors
    self.inputTokens = inputTokens
  }
}
