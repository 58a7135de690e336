import Sluice
import SluiceDialects
import Testing

@Suite("From a provider's stream to the library's deltas")
struct DeltaReaderTests {
  private static func chunk(_ text: String) -> String {
    #"data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"\#(text)"},"finish_reason":null}]}"#
      + "\n\n"
  }

  private static let stop =
    #"data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#
    + "\n\n"
  private static let done = "data: [DONE]\n\n"
  private static let error =
    #"data: {"error":{"message":"the server failed","type":"server_error","code":null}}"# + "\n\n"

  private func read(_ pieces: [String]) throws -> (text: String, state: DeltaReader.State) {
    var reader = try DeltaReader(pool: "p", .openai, .chat)
    var text = ""
    for piece in pieces {
      Array(piece.utf8).withSlice { reader.consume($0) }
      while let delta = reader.next() { text += delta.text }
    }
    reader.finish()
    while let delta = reader.next() { text += delta.text }
    return (text, reader.state)
  }

  @Test func theLastEventNeedsNoLineEnd() throws {
    let (text, state) = try read([Self.chunk("a") + Self.stop, "data: [DONE]"])
    #expect(text == "a")
    guard case .whole = state else { return #expect(Bool(false), "\(state)") }
    guard case .failed = try read([Self.chunk("a"), "data: {\"half\":"]).state else { return #expect(Bool(false)) }
  }

  @Test func nothingIsReadBehindTheEndMark() throws {
    let end = Self.stop + Self.done
    for pieces in [
      [Self.chunk("a") + end + Self.chunk("b")], [Self.chunk("a") + end, Self.chunk("b")],
      [Self.chunk("a"), end, Self.error], [Self.chunk("a") + end, "data: nonsense\n\n"],
    ] {
      let (text, state) = try read(pieces)
      #expect(text == "a")
      guard case .whole = state else { return #expect(Bool(false), "\(state)") }
    }
  }

  @Test func nothingIsReadBehindAFailure() throws {
    for pieces in [
      [Self.chunk("a") + Self.error + Self.chunk("b") + Self.stop + Self.done],
      [Self.chunk("a"), Self.error, Self.chunk("b") + Self.stop + Self.done],
    ] {
      let (text, state) = try read(pieces)
      #expect(text == "a", "what came before it counts")
      guard case .failed(let error) = state else { return #expect(Bool(false), "\(state)") }
      #expect(error.message.contains("the server failed"))
    }
  }

  @Test func anEventThatMakesNoSenseEndsTheReading() throws {
    for pieces in [
      [Self.chunk("a") + "data: {\n\n" + Self.chunk("b") + Self.stop + Self.done],
      [Self.chunk("a") + "data: {\n\n", Self.chunk("b") + Self.stop + Self.done],
    ] {
      let (text, state) = try read(pieces)
      #expect(text == "a")
      guard case .failed(let error) = state else { return #expect(Bool(false), "\(state)") }
      #expect(error.code == .protocolError)
    }
  }

  @Test func anEndWithoutItsMarkIsACut() throws {
    let (text, state) = try read([Self.chunk("a")])
    #expect(text == "a")
    guard case .failed(let error) = state else { return #expect(Bool(false), "\(state)") }
    #expect(error.code == .streamCut)
  }
}
