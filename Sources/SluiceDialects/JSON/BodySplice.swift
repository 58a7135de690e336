/// Changes to a body that leave every other byte as it was: replace one literal, insert one member. A provider then
/// sees the client's own numbers, key order and whitespace.
package struct BodySplice: Hashable, Sendable {
  /// The bytes that go; empty to insert.
  package let range: ByteRange
  package let replacement: [UInt8]

  package init(range: ByteRange, replacement: [UInt8]) {
    self.range = range
    self.replacement = replacement
  }

  /// Replaces the `model` literal (`RequestFields.modelRange`) by `name`.
  package static func model(_ range: ByteRange, with name: String) -> BodySplice {
    var writer = JSONWriter(capacity: name.utf8.count + 2)
    writer.string(name)
    return BodySplice(range: range, replacement: writer.bytes)
  }

  /// Inserts a first member, `value` being JSON, into the top-level object that `fields` describe.
  package static func member(_ name: StaticString, json value: StaticString, into fields: RequestFields) -> BodySplice {
    unsafe member(name, json: Array(value.utf8Bytes), into: fields)
  }

  package static func member(_ name: StaticString, json value: [UInt8], into fields: RequestFields) -> BodySplice {
    var writer = JSONWriter(capacity: 64 + value.count)
    writer.key(name)
    value.withSlice { unsafe writer.raw($0.raw) }
    return BodySplice(
      range: ByteRange(start: fields.membersStart, count: 0), replacement: writer.bytes + (fields.isEmpty ? [] : [0x2C])
    )
  }

  /// How many bytes a body of `count` has after the change.
  package func resultCount(_ count: Int) -> Int { count - Int(range.count) + replacement.count }

  /// The changed body. Without copying, a caller may as well send the three parts: before `range`, `replacement`,
  /// after `range`.
  package func applied(to body: UnsafeRawBufferPointer) -> [UInt8] {
    precondition(range.upperBound <= body.count, "range of another body")
    var result: [UInt8] = []
    result.reserveCapacity(resultCount(body.count))
    unsafe result.append(contentsOf: body[..<range.lowerBound])
    result.append(contentsOf: replacement)
    unsafe result.append(contentsOf: body[range.upperBound...])
    return result
  }
}
