/// The wire formats behind operations, whichever side speaks them.
extension Operation {
  package var chatFormat: (any ChatFormat.Type)? {
    switch self {
    default: nil
    }
  }

  package var embeddingFormat: (any EmbeddingFormat.Type)? {
    switch self {
    default: nil
    }
  }
}
