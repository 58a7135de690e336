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
    /// `key` in the query may be the client's key for the gateway, which is not the provider's business.
    package var dropsKey: Bool

    package init(path: ByteSlice, query: ByteSlice? = nil, keepsModel: Bool = true, dropsKey: Bool = false) {
      self.path = path
      self.query = query
      self.keepsModel = keepsModel
      self.dropsKey = dropsKey
    }
  }

  package init(_ operation: Operation, model: String = "", streams: Bool = false, passed: Passed? = nil) {
    self.operation = operation
    self.model = model
    self.streams = streams
    self.passed = passed
  }

  /// Appends the client's query, if there is one.
  ///
  /// - Parameter dropsKey: leave `key` out, wherever the client's key for the gateway came from.
  func appendQuery(dropsKey: Bool = false, to target: inout [UInt8]) {
    guard let passed, let query = passed.query, !query.isEmpty else { return }
    guard passed.dropsKey || dropsKey else {
      target.append(Ascii.questionMark)
      return query.append(to: &target)
    }
    var mark = Ascii.questionMark
    var start = 0
    while start < query.count {
      let end = query.firstIndex(of: 0x26, from: start) ?? query.count
      let pair = query[start..<end]
      start = end + 1
      guard !pair.isEmpty, !pair.hasPrefix("key="), !pair.equals("key") else { continue }
      target.append(mark)
      pair.append(to: &target)
      mark = 0x26
    }
  }
}
