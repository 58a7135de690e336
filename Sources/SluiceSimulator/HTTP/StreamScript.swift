/// The frames of one event stream, made one at a time: an open stream costs its text and a few constant pieces, not
/// all its frames.
struct StreamScript {
  /// A run of frames that differ in a piece of text (and perhaps a rising number).
  struct Deltas {
    /// Up to the number, or up to the text if there is none.
    var opening: [UInt8]
    /// Between number and text.
    var middle: [UInt8] = []
    var closing: [UInt8]
    var text: String
    /// The number of the first frame.
    var sequence: Int?
    /// Adds OpenAI's random `obfuscation` member, which hides the length of the text.
    var padding: SeededRandom?
    var position = 0
  }

  enum Segment {
    case frame([UInt8])
    /// A frame of model output.
    case token([UInt8])
    case deltas(Deltas)
  }

  /// Whether a frame is model output, and so takes its time.
  enum FrameKind { case control, token }

  private var segments: [Segment]
  private var index = 0

  init(_ segments: [Segment]) {
    self.segments = segments
  }

  /// Appends the next frame; `nil` at the end.
  mutating func next(into frame: inout [UInt8]) -> FrameKind? {
    while index < segments.count {
      switch segments[index] {
      case .frame(let bytes):
        index += 1
        frame.append(contentsOf: bytes)
        return .control
      case .token(let bytes):
        index += 1
        frame.append(contentsOf: bytes)
        return .token
      case .deltas(var deltas):
        guard deltas.write(into: &frame) else {
          index += 1
          continue
        }
        segments[index] = .deltas(deltas)
        return .token
      }
    }
    return nil
  }
}

extension StreamScript.Deltas {
  /// Appends the frame of the next token; false when the text is used up.
  fileprivate mutating func write(into frame: inout [UInt8]) -> Bool {
    let start = position
    guard start < text.utf8.count else { return false }
    frame.append(contentsOf: opening)
    if let number = sequence {
      JSONWriter.append(number, to: &frame)
      frame.append(contentsOf: middle)
      sequence = number + 1
    }
    frame.append(UInt8(ascii: "\""))
    position = text.withUTF8 { bytes in
      let end = TokenRule.end(of: bytes, from: start)
      JSONWriter.appendEscaped(UnsafeBufferPointer(rebasing: bytes[start..<end]), to: &frame)
      return end
    }
    frame.append(UInt8(ascii: "\""))
    frame.append(contentsOf: closing)
    if padding != nil { writePadding(position - start, into: &frame) }
    frame.append(contentsOf: [UInt8(ascii: "}"), 0x0A, 0x0A])
    return true
  }

  private mutating func writePadding(_ length: Int, into frame: inout [UInt8]) {
    frame.append(contentsOf: Array(",\"obfuscation\":\"".utf8))
    padding?.identifier(max(1, 10 - length), into: &frame)
    frame.append(UInt8(ascii: "\""))
  }
}
