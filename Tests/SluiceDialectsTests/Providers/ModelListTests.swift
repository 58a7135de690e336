import Foundation
import SluiceDialects
import Testing

@Suite("Model lists")
struct ModelListTests {
  @Test func samplesAreRead() throws {
    let openai = try #require(try Fixture.bytes("openai/models.response.json").withSlice { ModelList.parse($0) })
    #expect(openai.models.map(\.id) == ["gpt-5.4-mini", "text-embedding-3-small"])
    #expect(openai.models[1].created == 1_705_948_997)
    #expect(openai.nextQuery == nil)
    let anthropic = try #require(try Fixture.bytes("anthropic/models.response.json").withSlice { ModelList.parse($0) })
    #expect(
      anthropic.models == [
        ModelEntry(
          id: "claude-sonnet-5-5", createdAt: "2026-09-01T00:00:00Z", displayName: "Claude Sonnet 5.5",
          maxInputTokens: 1_000_000)
      ])
  }

  @Test func pagesAreFollowed() {
    let page = withBytes(#"{"has_more":true,"last_id":"m2","data":[{"id":"m1"},{"id":"m2"}]}"#) { ModelList.parse($0) }
    #expect(page?.nextQuery == "limit=1000&after_id=m2")
  }

  @Test("no list", arguments: ["", "{}", "[]", "{\"data\":", "{\"data\":[{\"id\":1", "<html>"])
  func notAList(_ body: String) {
    #expect(withBytes(body) { ModelList.parse($0) } == nil)
  }

  @Test(
    "odd entries are skipped",
    arguments: [
      #"{"data":[1,"x",null,[{"id":"inner"}],{"id":7},{"id":{"id":"inner"}},{"name":"a"},{"id":"good"}]}"#,
      #"{"object":{"data":[{"id":"inner"}]},"data":[{"nested":{"id":"inner"},"id":"good"}]}"#,
    ])
  func odd(_ body: String) {
    #expect(withBytes(body) { ModelList.parse($0) }?.models.map(\.id) == ["good"])
  }

  @Test func theNumberIsBounded() {
    let body = "{\"data\":[" + repeatElement("{\"id\":\"m\"}", count: ModelList.limit + 5).joined(separator: ",") + "]}"
    #expect(withBytes(body) { ModelList.parse($0) }?.models.count == ModelList.limit)
  }

  @Test func mergedListsReadBackInBothShapes() throws {
    let models = [
      ModelEntry(id: "a\"b", created: 951_825_600, owner: "pool"),
      ModelEntry(id: "c", createdAt: "2026-09-01T00:00:00Z", displayName: "C", maxInputTokens: 5),
    ]
    for surface in [Surface.openai, .anthropic] {
      let bytes = ModelList.render(surface, models)
      #expect(bytes.withSlice { ModelList.parse($0) }?.models.map(\.id) == ["a\"b", "c"])
    }
    let openai = try GatewayErrorTests.object(ModelList.render(.openai, models))
    let second = (openai["data"] as? [[String: Any]])?[1]
    #expect(second?["created"] as? Int == 1_788_220_800)
    #expect(second?["object"] as? String == "model")
    let anthropic = try GatewayErrorTests.object(ModelList.render(.anthropic, models))
    #expect(anthropic["first_id"] as? String == "a\"b")
    #expect(anthropic["last_id"] as? String == "c")
    #expect(anthropic["has_more"] as? Bool == false)
    #expect((anthropic["data"] as? [[String: Any]])?[0]["created_at"] as? String == "2000-02-29T12:00:00Z")
    #expect(try GatewayErrorTests.object(ModelList.render(.anthropic, []))["first_id"] is NSNull)
    #expect(try GatewayErrorTests.object(ModelList.render(.openai, one: models[1]))["id"] as? String == "c")
  }
}
