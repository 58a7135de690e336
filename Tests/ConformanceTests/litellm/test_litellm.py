"""litellm, unmodified, as a client of the gateway: each of its providers' ways of speaking, to its own provider and to others."""
import json, os, pathlib, sys, time, unittest

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # nothing is fetched
os.environ["LITELLM_TELEMETRY"] = "False"
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import litellm
from harness import call
from matrix import MatrixCase, RED_DOT, SCHEMA

litellm.telemetry = False
litellm.drop_params = True
HELLO = [{"role": "user", "content": "Say hello to the pool."}]
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
# (litellm's provider, path of its base, the gateway's model, who serves it)
WAYS = [
    ("openai", "/v1", "openai/gpt-4o-mini", "openai"),
    ("openai", "/v1", "anthropic/claude-sonnet-4-5", "anthropic"),
    ("anthropic", "", "anthropic/claude-sonnet-4-5", "anthropic"),
    ("anthropic", "", "gemini/gemini-2.5-flash", "gemini"),
    ("mistral", "/v1", "mistral/mistral-large-latest", "mistral"),
    ("gemini", "/v1beta", "gemini-2.5-flash", "gemini"),
    ("ollama_chat", "", "local/qwen3", "local"),
    ("ollama_chat", "", "openai/gpt-4o-mini", "openai"),
    ("cohere_chat", "/v2/chat", "command-a-03-2025", "cohere"),
]
# litellm reads a stream of Cohere's v2 line by line as JSON, and stumbles over the `event:` lines that the API documents.
STREAMING = [way for way in WAYS if way[0] != "cohere_chat"]


class LiteLLM(MatrixCase):
    def ask(self, way, **more):
        provider, base, model, _ = way
        return litellm.completion(**{"model": f"{provider}/{model}", "api_base": self.url + base, "api_key": "client",
                                     "max_retries": 0, "timeout": 20, "messages": HELLO, "max_tokens": 300, **more})

    def each(self, check, ways=WAYS):
        for way in ways:
            with self.subTest(way=way[0], model=way[2]):
                check(way)

    def test_plain_and_stream(self):
        def check(way):
            plain = self.ask(way)
            text = plain.choices[0].message.content
            self.assertTrue(text)
            self.assertEqual(plain.choices[0].finish_reason, "stop")
            self.assertGreater(plain.usage.prompt_tokens, 0)
            if way not in STREAMING:
                return
            chunks = list(self.ask(way, stream=True, stream_options={"include_usage": True}))
            self.assertEqual("".join(c.choices[0].delta.content or "" for c in chunks if c.choices), text)
            self.assertEqual([c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason], ["stop"])
        self.each(check)

    def test_tools_round_trip(self):
        def check(way):
            ask = [{"role": "user", "content": "How is the weather in Paris?"}]
            first = self.ask(way, messages=ask, tools=[TOOL])
            message = first.choices[0].message
            self.assertEqual(message.tool_calls[0].function.name, "get_weather")
            self.assertIn("city", json.loads(message.tool_calls[0].function.arguments))
            results = [{"role": "tool", "tool_call_id": c.id, "name": "get_weather", "content": "sunny"} for c in message.tool_calls]
            second = self.ask(way, messages=ask + [message.model_dump(exclude_none=True)] + results, tools=[TOOL])
            self.assertTrue(second.choices[0].message.content)
        self.each(check)

    def test_image_and_schema(self):
        def check(way):
            parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64," + RED_DOT}}]
            self.assertTrue(self.ask(way, messages=[{"role": "user", "content": parts}]).choices[0].message.content)
            answer = self.ask(way, response_format={"type": "json_schema", "json_schema": {"name": "report", "schema": SCHEMA, "strict": True}})
            self.assertEqual(set(json.loads(answer.choices[0].message.content)), {"city", "warm"})
        self.each(check, [way for way in WAYS if way[0] in ("openai", "gemini", "mistral")])

    def test_embeddings(self):
        for model in ("openai/text-embedding-3-small", "mistral/mistral-embed", "gemini/gemini-embedding-001"):
            with self.subTest(model=model):
                answer = litellm.embedding(model="openai/" + model, input=["a pool", "a river"], api_base=self.url + "/v1", api_key="client")
                self.assertEqual(len(answer.data), 2)

    def test_typed_errors(self):
        for status, kind in [(400, litellm.BadRequestError), (404, litellm.NotFoundError), (429, litellm.RateLimitError)]:
            def check(way):
                # The key that the last way has used up must not wait for this one.
                call(f"{self.url}/api/pools/{way[3]}/endpoints/key1/reset", {}, method="POST")
                self.faults({"kind": "status", "status": status, "retry_after": 3, "match": {"provider": way[3]}})
                with self.assertRaises(kind):
                    self.ask(way, extra_headers={"x-sluice-deadline": "500ms"})
                self.faults()
            with self.subTest(status=status):
                self.each(check, [way for way in WAYS if way[0] in ("openai", "anthropic", "gemini")])

    def test_retry_hint(self):
        self.faults({"kind": "status", "status": 429, "retry_after": 3, "match": {"provider": "openai"}})
        with self.assertRaises(litellm.RateLimitError) as caught:
            self.ask(WAYS[0], extra_headers={"x-sluice-deadline": "500ms"})
        self.assertGreater(float(caught.exception.litellm_response_headers["retry-after"]), 0)

    def test_it_retries_with_the_gateways_hint(self):
        self.faults({"kind": "status", "status": 429, "retry_after": 1, "count": 1, "match": {"provider": "openai"}})
        begin = time.monotonic()
        answer = self.ask(WAYS[0], max_retries=2, extra_headers={"x-sluice-deadline": "500ms"})
        self.assertTrue(answer.choices[0].message.content)
        self.assertGreater(time.monotonic() - begin, 0.5)

    def test_a_broken_stream_is_an_error(self):
        def check(way):
            self.faults({"kind": "truncate", "after_events": 3, "count": 1})
            with self.assertRaises(litellm.exceptions.MidStreamFallbackError):
                list(self.ask(way, stream=True))
        self.each(check, WAYS[:3])


if __name__ == "__main__":
    unittest.main()
