"""The official `openai` client, unmodified, against gateway and simulator."""
import time, unittest
import openai
from harness import GatewayCase, call

TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}


class OpenAITests(GatewayCase):
    def setUp(self):
        self.client = openai.OpenAI(base_url=self.url + "/v1", api_key="client-key", max_retries=0, timeout=20)
        self.messages = [{"role": "user", "content": "Say hello to the pool."}]

    def test_plain_chat(self):
        answer = self.client.chat.completions.create(model="gpt-4o-mini", messages=self.messages)
        self.assertTrue(answer.choices[0].message.content)
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)

    def test_response_headers(self):
        raw = self.client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=self.messages)
        self.assertEqual(raw.headers["x-sluice-pool"], "openai")
        self.assertIn(raw.headers["x-sluice-endpoint"], ("first", "second"))
        self.assertEqual(raw.headers["x-sluice-attempts"], "1")
        self.assertTrue(raw.headers["x-sluice-request-id"])
        self.assertIn("upstream;dur=", raw.headers["server-timing"])
        self.assertIn("x-ratelimit-remaining-requests", raw.headers)

    def test_stream(self):
        stream = self.client.chat.completions.create(model="gpt-4o-mini", messages=self.messages, stream=True,
                                                     stream_options={"include_usage": True})
        chunks = list(stream)
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        self.assertTrue(text)
        self.assertEqual([c for c in chunks if c.choices][-1].choices[0].finish_reason, "stop")
        self.assertGreater(chunks[-1].usage.completion_tokens, 0)

    def test_stream_equals_plain(self):
        plain = self.client.chat.completions.create(model="gpt-4o-mini", messages=self.messages).choices[0].message.content
        stream = self.client.chat.completions.create(model="gpt-4o-mini", messages=self.messages, stream=True)
        self.assertEqual("".join(c.choices[0].delta.content or "" for c in stream if c.choices), plain)

    def test_tools_round_trip(self):
        first = self.client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Weather in Paris?"}],
                                                    tools=[TOOL], tool_choice="required")
        calls = first.choices[0].message.tool_calls
        self.assertEqual(first.choices[0].finish_reason, "tool_calls")
        self.assertEqual(calls[0].function.name, "get_weather")
        messages = [{"role": "user", "content": "Weather in Paris?"}, first.choices[0].message.model_dump(exclude_none=True)]
        messages += [{"role": "tool", "tool_call_id": c.id, "content": "sunny"} for c in calls]
        second = self.client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=[TOOL])
        self.assertTrue(second.choices[0].message.content)

    def test_streamed_tools(self):
        stream = self.client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Weather in Paris?"}],
                                                     tools=[TOOL], tool_choice="required", stream=True)
        arguments, reasons = "", []
        for chunk in stream:
            for choice in chunk.choices:
                reasons.append(choice.finish_reason)
                for part in choice.delta.tool_calls or []:
                    arguments += part.function.arguments or ""
        self.assertTrue(arguments.startswith("{") and arguments.endswith("}"))
        self.assertIn("tool_calls", reasons)

    def test_completions(self):
        answer = self.client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once")
        self.assertTrue(answer.choices[0].text)

    def test_embeddings(self):
        one = self.client.embeddings.create(model="text-embedding-3-small", input=["a", "b"], dimensions=64)
        self.assertEqual([len(d.embedding) for d in one.data], [64, 64])
        floats = self.client.embeddings.create(model="text-embedding-3-small", input="a", dimensions=64, encoding_format="float")
        for a, b in zip(one.data[0].embedding, floats.data[0].embedding):
            self.assertAlmostEqual(a, b, places=5)

    def test_responses(self):
        answer = self.client.responses.create(model="gpt-4o-mini", input="Hello")
        self.assertTrue(answer.output_text)
        with self.client.responses.stream(model="gpt-4o-mini", input="Hello") as stream:
            kinds = [event.type for event in stream]
        self.assertEqual(kinds[0], "response.created")
        self.assertEqual(kinds[-1], "response.completed")

    def test_models(self):
        names = [m.id for m in self.client.models.list()]
        self.assertTrue(names)
        self.assertEqual(self.client.models.retrieve(names[0]).id, names[0])

    def test_large_body(self):
        answer = self.client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "word " * 60000}])
        self.assertTrue(answer.choices[0].message.content)

    def test_callers_mistake_passes_through(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.chat.completions.create(model="gpt-4o-mini", messages="not a list")
        self.assertEqual(caught.exception.body["type"], "invalid_request_error")

    def test_malformed_json_is_the_gateways_own_400(self):
        status, _, body = call(self.url + "/v1/chat/completions", headers={"content-type": "application/json"}, method="POST")
        self.assertEqual(status, 400)
        self.assertIn("message", body["error"])

    def test_duplicate_model_is_refused(self):
        import urllib.request, urllib.error
        request = urllib.request.Request(self.url + "/v1/chat/completions", b'{"model":"a","model":"b","messages":[]}', {"content-type": "application/json"})
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        self.assertEqual(caught.exception.code, 400)
        caught.exception.close()

    def test_rate_limited_key_is_walked_around(self):
        self.faults({"kind": "status", "status": 429, "match": {"key": "sk-test-1"}, "retry_after": 30})
        for _ in range(6):
            self.assertTrue(self.client.chat.completions.create(model="gpt-4o-mini", messages=self.messages).id)
        # One call at most finds out that the key is limited; the rest go around it.
        self.assertLessEqual(self.fault_hits(), 1)

    def test_server_error_is_retried_on_the_other_key(self):
        self.faults({"kind": "status", "status": 500, "count": 1})
        raw = self.client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=self.messages)
        self.assertEqual(raw.headers["x-sluice-attempts"], "2")

    def test_a_stream_that_begins_with_an_error_is_raised_with_its_status(self):
        self.faults({"kind": "stream_error", "after_events": 0})
        with self.assertRaises(openai.InternalServerError) as caught:
            self.client.chat.completions.create(model="gpt-4o-mini", messages=self.messages, stream=True)
        self.assertEqual(caught.exception.response.headers["x-sluice-attempts"], "3")

    def test_server_error_everywhere_is_typed(self):
        self.faults({"kind": "status", "status": 500})
        with self.assertRaises(openai.InternalServerError):
            self.client.chat.completions.create(model="gpt-4o-mini", messages=self.messages)

    def test_broken_stream_ends_in_an_error_event(self):
        self.faults({"kind": "truncate", "after_events": 3, "count": 1})
        with self.assertRaises(openai.APIError):
            list(self.client.chat.completions.create(model="gpt-4o-mini", messages=self.messages, stream=True))

    def test_cancel_mid_stream_reaches_the_upstream(self):
        before = self.stats()["cancelled"]["mid_stream"]
        self.faults({"kind": "stall", "after_events": 2, "count": 1})
        stream = self.client.chat.completions.create(model="gpt-4o-mini", messages=self.messages, stream=True)
        next(iter(stream))
        stream.close()
        end = time.monotonic() + 10
        while self.stats()["cancelled"]["mid_stream"] == before and time.monotonic() < end:
            pass
        self.assertEqual(self.stats()["cancelled"]["mid_stream"], before + 1)


if __name__ == "__main__":
    unittest.main()
