"""The official `anthropic` client, unmodified, against gateway and simulator."""
import time, unittest
import anthropic
from harness import GatewayCase

TOOL = {"name": "get_weather", "description": "Weather of a city",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}
MODEL = "claude-sonnet-4-5"


class AnthropicTests(GatewayCase):
    def setUp(self):
        self.client = anthropic.Anthropic(base_url=self.url, api_key="client-key", max_retries=0, timeout=20)
        self.messages = [{"role": "user", "content": "Say hello to the pool."}]

    def create(self, **more):
        return self.client.messages.create(model=MODEL, max_tokens=128, messages=self.messages, **more)

    def test_plain(self):
        answer = self.create()
        self.assertEqual(answer.stop_reason, "end_turn")
        self.assertTrue(answer.content[0].text)
        self.assertGreater(answer.usage.output_tokens, 0)

    def test_response_headers(self):
        raw = self.client.messages.with_raw_response.create(model=MODEL, max_tokens=64, messages=self.messages)
        self.assertEqual(raw.headers["x-sluice-pool"], "anthropic")
        self.assertIn("request-id", raw.headers)
        self.assertIn("anthropic-ratelimit-requests-remaining", raw.headers)

    def test_stream(self):
        with self.client.messages.stream(model=MODEL, max_tokens=128, messages=self.messages) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        self.assertEqual(final.content[0].text, text)
        self.assertGreater(final.usage.output_tokens, 0)

    def test_tools_round_trip(self):
        first = self.create(tools=[TOOL], tool_choice={"type": "any"})
        self.assertEqual(first.stop_reason, "tool_use")
        uses = [block for block in first.content if block.type == "tool_use"]
        messages = self.messages + [{"role": "assistant", "content": [b.model_dump(exclude_none=True) for b in first.content]},
                                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": u.id, "content": "sunny"} for u in uses]}]
        second = self.client.messages.create(model=MODEL, max_tokens=128, messages=messages, tools=[TOOL])
        self.assertTrue(second.content[0].text)

    def test_streamed_tools(self):
        with self.client.messages.stream(model=MODEL, max_tokens=128, messages=self.messages, tools=[TOOL], tool_choice={"type": "any"}) as stream:
            final = stream.get_final_message()
        self.assertIsInstance([b for b in final.content if b.type == "tool_use"][0].input, dict)

    def test_count_tokens(self):
        self.assertGreater(self.client.messages.count_tokens(model=MODEL, messages=self.messages).input_tokens, 0)

    def test_models(self):
        self.assertTrue(self.client.models.list().data)

    def test_a_stream_that_begins_with_an_error_is_raised_with_its_status(self):
        self.faults({"kind": "stream_error", "after_events": 0})
        with self.assertRaises(anthropic.InternalServerError) as caught:
            self.create(stream=True)
        self.assertEqual(caught.exception.status_code, 503)
        self.assertEqual(caught.exception.body["error"]["type"], "overloaded_error")

    def test_callers_mistake(self):
        with self.assertRaises(anthropic.BadRequestError) as caught:
            self.client.messages.create(model=MODEL, max_tokens=0, messages=self.messages)
        self.assertEqual(caught.exception.body["error"]["type"], "invalid_request_error")

    def test_overloaded(self):
        self.faults({"kind": "status", "status": 529})
        with self.assertRaises(anthropic.APIStatusError) as caught:
            self.create()
        self.assertEqual(caught.exception.status_code, 529)

    def test_broken_stream_ends_in_an_error_event(self):
        self.faults({"kind": "truncate", "after_events": 3, "count": 1})
        with self.assertRaises(anthropic.APIError):
            with self.client.messages.stream(model=MODEL, max_tokens=128, messages=self.messages) as stream:
                stream.get_final_message()

    def test_cancel_mid_stream_reaches_the_upstream(self):
        before = self.stats()["cancelled"]["mid_stream"]
        self.faults({"kind": "stall", "after_events": 3, "count": 1})
        with self.client.messages.stream(model=MODEL, max_tokens=128, messages=self.messages) as stream:
            next(iter(stream))
        end = time.monotonic() + 10
        while self.stats()["cancelled"]["mid_stream"] == before and time.monotonic() < end:
            pass
        self.assertEqual(self.stats()["cancelled"]["mid_stream"], before + 1)


if __name__ == "__main__":
    unittest.main()
