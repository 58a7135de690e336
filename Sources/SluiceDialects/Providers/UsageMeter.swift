/// Reads usage, finish reason and safety signals from whole answers, without decoding them.
package enum UsageMeter {
  /// - Parameters:
  ///   - operation: the provider's own.
  ///   - headers: of the answer.
  ///   - body: the complete answer with a success status.
  package static func measure(
    _ dialect: ProviderDialect, _ operation: Operation, headers: HeaderView = .none, body: ByteSlice
  ) -> AnswerMeasure {
    var reader = AnswerReader()
    dialect.knowledge.read(headers, operation, into: &reader)
    dialect.knowledge.read(body, operation, into: &reader)
    return dialect.measure(reader)
  }

  /// For answers too long to be held: the usage object near the end, where every provider puts it. What is found is
  /// the last member of that name in the bytes given.
  ///
  /// - Parameter tail: the last few KiB of the answer.
  package static func measure(_ dialect: ProviderDialect, _ operation: Operation, tail: ByteSlice) -> AnswerMeasure {
    let member = dialect.knowledge.usageMember
    guard let start = usageObject(in: tail, member) else { return AnswerMeasure() }
    var document: [UInt8] = []
    document.append("{\"")
    document.append(member)
    document.append("\":")
    tail.suffix(from: start).append(to: &document)
    var reader = AnswerReader()
    document.withSlice { dialect.knowledge.read($0, operation, into: &reader) }
    var measure = AnswerMeasure()
    measure.usage = dialect.measure(reader).usage
    return measure
  }

  /// Where the value of the last `"usage": {` (or the provider's own name for it) begins. Inside a string the quotes would be escaped, so the sequence
  /// cannot come from the model's own text.
  private static func usageObject(in tail: ByteSlice, _ member: StaticString) -> Int? {
    let length = member.utf8CodeUnitCount
    var start = tail.count - length - 4
    while start >= 0 {
      if tail[start] == 0x22, tail[start + length + 1] == 0x22, tail[start + 1..<start + 1 + length].equals(member),
        start == 0 || tail[start - 1] != 0x5C,
        let value = valueStart(in: tail, after: start + length + 2), tail[value] == 0x7B
      {
        return value
      }
      start -= 1
    }
    return nil
  }

  private static func valueStart(in tail: ByteSlice, after end: Int) -> Int? {
    var index = end
    var sawColon = false
    while index < tail.count {
      switch tail[index] {
      case 0x20, 0x09, 0x0A, 0x0D: break
      case 0x3A where !sawColon: sawColon = true
      default: return sawColon ? index : nil
      }
      index += 1
    }
    return nil
  }
}

extension ProviderDialect {
  func measure(_ reader: AnswerReader) -> AnswerMeasure {
    var measure = AnswerMeasure()
    measure.usage = knowledge.usage(reader.counters)
    measure.billed = reader.counters.billed
    measure.searchUnits = reader.counters.searchUnits
    measure.tier = reader.tier
    measure.finish = reader.finish == .stop && reader.sawToolCall ? .toolUse : reader.finish
    measure.safety = reader.safety
    if reader.saysFailed || reader.error != nil {
      measure.failure = classifyStreamError(reader.error ?? ProviderErrorBody())
    }
    return measure
  }
}
