/// A value that is not a container, still as the document spells it.
struct JSONScalar {
  private enum Kind {
    case string(JSONString)
    case number(ByteRange)
    case bool(Bool)
    case null
  }

  private let kind: Kind
  private let document: ByteSlice

  fileprivate init?(_ token: JSONToken, in document: ByteSlice) {
    self.document = document
    switch token {
    case .string(let string): kind = .string(string)
    case .number(let range): kind = .number(range)
    case .bool(let value): kind = .bool(value)
    case .null: kind = .null
    default: return nil
    }
  }

  var isNull: Bool { if case .null = kind { true } else { false } }

  var bool: Bool? { if case .bool(let value) = kind { value } else { nil } }

  /// A string with at least one character.
  var isText: Bool { if case .string(let string) = kind { !string.content.isEmpty } else { false } }

  /// A count: a whole number that is not negative; a fraction is cut off.
  var count: Int? {
    guard case .number(let range) = kind else { return nil }
    let text = document[range.range]
    return text[0..<(text.firstIndex(of: 0x2E) ?? text.count)].decimal
  }

  /// The string without escapes, cut to at most `limit` bytes; a number as written, since some servers send numeric
  /// codes.
  func text(limit: Int) -> String? {
    switch kind {
    case .string(let string):
      let text = unsafe string.decoded(in: document.raw) ?? document[string.content.range].string()
      return text.utf8.count <= limit ? text : String(decoding: text.utf8.prefix(limit), as: UTF8.self)
    case .number(let range): return document[range.range].string(limit: limit)
    case .bool, .null: return nil
    }
  }

  func equals(_ literal: StaticString) -> Bool {
    if case .string(let string) = kind { unsafe string.equals(literal, in: document.raw) } else { false }
  }
}

/// Walks over a JSON document once and hands out the scalars with their paths. Nothing is decoded or allocated.
///
/// Answers are passed on whatever they contain, so a broken document is no error here: what stands before the break
/// is handed out, and the walk answers false.
enum JSONFieldWalker {
  @discardableResult
  static func walk(_ document: ByteSlice, _ visit: (JSONPath, JSONScalar) -> Void) -> Bool {
    var scanner = unsafe JSONScanner(document.raw)
    var path = JSONPath()
    do {
      while true {
        let token = try scanner.next()
        switch token {
        case .beginObject: path.push(.other)
        case .beginArray: path.push(.item)
        case .endObject, .endArray: path.pop()
        case .key(let key): path.replaceLast(with: JSONKey.of(document[key.content.range]))
        case .end: return true
        default:
          if path.depth <= JSONPath.deepest, let value = JSONScalar(token, in: document) { visit(path, value) }
        }
      }
    } catch {
      return false
    }
  }
}
