/// One request to a provider, as far as its address goes.
package struct UpstreamCall {
  /// The provider's own operation: the client's where it is passed through, another where it is translated.
  package var operation: Operation
  /// The upstream's name of the model, decoded; empty where the operation has none.
  package var model: String
  package var streams: Bool
  /// The client's path and query when the request is passed through, as they were sent; nothing when it is translated.
  package var passed: Passed?

  package struct Passed {
    package var path: ByteSlice
    /// Without the question mark.
    package var query: ByteSlice?
    /// The path names the model that is asked for: nothing has to be rewritten in it.
    package var keepsModel: Bool

    package init(path: ByteSlice, query: ByteSlice? = nil, keepsModel: Bool = true) {
      self.path = path
      self.query = query
      self.keepsModel = keepsModel
    }
  }

  package init(_ operation: Operation, model: String = "", streams: Bool = false, passed: Passed? = nil) {
    self.operation = operation
    self.model = model
    self.streams = streams
    self.passed = passed
  }

  /// Appends the client's query, if there is one.
  func appendQuery(to target: inout [UInt8]) {
    guard let query = passed?.query, !query.isEmpty else { return }
    target.append(Ascii.questionMark)
    query.append(to: &target)
  }
}
