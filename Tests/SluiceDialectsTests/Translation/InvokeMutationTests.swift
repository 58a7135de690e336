import SluiceDialects
import SluicePolicy
import Testing

/// Bedrock's `invoke` in both directions, damaged at random: a clean refusal or an answer, never a trap.
@Suite("Damaged invoke bodies")
struct InvokeMutationTests {
  private func exercise(_ bytes: [UInt8]) {
    guard let body = try? JSONReader.read(bytes) else { return }
    var notes = TranslationNotes()
    if var request = try? BedrockInvoke.readRequest(body, model: "m", streams: true, &notes) {
      ToolCallRepair.complete(&request)
      let target = ChatTarget(provider: .bedrock, model: "anthropic.claude-sonnet-4-5-20250929-v1:0")
      _ = try? BedrockInvoke.writeRequest(request, for: target, &notes)
      _ = try? OpenAIChat.writeRequest(request, for: ChatTarget(provider: .openai, model: "m"), &notes)
    }
    if let answer = try? BedrockInvoke.readAnswer(body) {
      _ = BedrockInvoke.writeAnswer(answer, TranslationBench.reply)
    }
    for model in ["amazon.titan-embed-text-v2:0", "cohere.embed-v4:0"] {
      guard let request = try? BedrockEmbeddings.readRequest(body, model: model, .invoke, &notes) else { continue }
      let target = ChatTarget(provider: .bedrock, model: model)
      _ = try? BedrockEmbeddings.writeRequest(request, for: target, &notes)
    }
    if let answer = try? BedrockEmbeddings.readAnswer(body) {
      _ = BedrockEmbeddings.writeAnswer(answer, EmbeddingRequest(model: "m", inputs: []), TranslationBench.reply)
    }
  }

  @Test func documents() throws {
    var random = SplitMix64(seed: 23)
    let embeddings = [
      #"{"inputText":"a","dimensions":256,"normalize":true}"#, #"{"texts":["a"],"input_type":"search_query"}"#,
      #"{"embedding":[0.5],"inputTextTokenCount":3}"#, #"{"embeddings":[[0.5]]}"#, #"{"embeddings":{"float":[[0.5]]}}"#,
    ].map { Array($0.utf8) }
    let files = ["bedrock/invoke-anthropic.request.json", "bedrock/invoke-anthropic.response.json"]
    for original in try files.map(Fixture.bytes) + embeddings {
      for _ in 0..<200 { exercise(MutationTests.mutated(original, &random)) }
      for value in ["7", "\"\"", "[null]", "{}", "-1", "1e99", "null"] {
        TranslationMutationTests.retyped(try JSONReader.read(original), value).forEach {
          exercise(Array($0.jsonText.utf8))
        }
      }
    }
  }

  /// The vendor's events inside of messages whose own framing is sound.
  @Test func streams() throws {
    var random = SplitMix64(seed: 29)
    var messages: [(name: [UInt8]?, data: [UInt8])] = []
    var framer = EventFramer(.awsEventStream)
    try Fixture.bytes("bedrock/invoke-anthropic-stream.response.bin").withSlice {
      try? framer.consume($0) { name, data in messages.append((name.map { Array($0.raw) }, Array(data.raw))) }
    }
    #expect(messages.count > 3)
    for round in 0..<300 {
      var reader = BedrockInvokeStreamReader()
      var deltas: [SluiceDialects.ChatDelta] = []
      for (index, message) in messages.enumerated() {
        let data = (round + index).isMultiple(of: 3) ? damaged(message.data, &random) : message.data
        let name = round.isMultiple(of: 7) && index == 2 ? Array("throttlingException".utf8) : message.name ?? []
        do throws(UnreadableAnswer) {
          try name.withSlice { name in
            data.withSlice { data -> Result<Void, UnreadableAnswer> in
              do throws(UnreadableAnswer) {
                return .success(try reader.read(event: name, data: data, into: &deltas))
              } catch {
                return .failure(error)
              }
            }
          }.get()
        } catch { break }
      }
      reader.finish(into: &deltas)
      _ = try? TranslationBench.write(OpenAIStreamWriter.self, deltas)
      _ = try? TranslationBench.write(BedrockInvokeStreamWriter.self, deltas)
    }
  }

  /// The message's own JSON, or the event in its base64, with bytes changed.
  private func damaged(_ data: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    guard random.next().isMultiple(of: 2), let value = try? JSONReader.read(data), let text = value["bytes"]?.string,
      let event = Array(text.utf8).withSlice({ Base64Text.decode($0) })
    else { return MutationTests.mutated(data, &random) }
    let changed = MutationTests.mutated(event, &random)
    return Array(
      JSONValue.object([JSONMember(name: "bytes", value: .string(Base64Text.encode(changed)))]).jsonText.utf8)
  }
}
