/// The wire formats behind operations, whichever side speaks them.
extension Operation {
  var chatFormat: (any ChatFormat.Type)? {
    switch self {
    default: nil
    }
  }

  var embeddingFormat: (any EmbeddingFormat.Type)? {
    switch self {
    default: nil
    }
  }
}
