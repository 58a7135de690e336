"""Official SDKs through the gateway to mock providers that were not written here, which also judge how it retries."""
import json, time, unittest
import anthropic, boto3, cohere, openai
from botocore.config import Config
from google import genai
from mistralai.client import Mistral
from harness import call
from mocks import LLMockCase, MockedCase, katan
from wire import until

HELLO = [{"role": "user", "content": "Say hello to the pool."}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "parameters": PARAMETERS}}
PATIENT = "health: {unhealthy_after: 1000, interval: 1h}, retry: {attempts: 4, budget: 100%}"


def pool(name, path, more=""):
    return f'  {name}: {{provider: {name}, base_url: "MOCK{path}", keys: [key-{name}], {PATIENT}{more}}}\n'


class LLMockSDKs(LLMockCase):
    """Every provider that llmock speaks, by its own client and by another one."""
    pools = "\n" + "".join(pool(*row) for row in [
        ("openai", "/v1"), ("anthropic", "/anthropic"), ("gemini", "/gemini"), ("cohere", "/cohere"), ("mistral", "/mistral")])
    MODELS = ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-pro", "cohere/command-r", "mistral/mistral-large-latest"]

    def each(self, check):
        for model in self.MODELS:
            with self.subTest(model=model):
                check(model)
        self.assert_clean_verdict()

    def openai(self):
        return openai.OpenAI(base_url=self.url + "/v1", api_key="client", max_retries=0, timeout=20)

    def anthropic(self):
        return anthropic.Anthropic(base_url=self.url, api_key="client", max_retries=0, timeout=20)

    def test_openai_client(self):
        client = self.openai()

        def check(model):
            plain = client.chat.completions.create(model=model, messages=HELLO, max_tokens=200)
            self.assertTrue(plain.choices[0].message.content)
            self.assertEqual(plain.choices[0].finish_reason, "stop")
            chunks = list(client.chat.completions.create(model=model, messages=HELLO, max_tokens=200, stream=True))
            self.assertEqual("".join(c.choices[0].delta.content or "" for c in chunks if c.choices), plain.choices[0].message.content)
            self.assertEqual([c.choices[0].finish_reason for c in chunks if c.choices][-1], "stop")
        self.each(check)

    def test_openai_client_with_tools(self):
        client = self.openai()

        def check(model):
            ask = [{"role": "user", "content": "How is the weather in Paris?"}]
            first = client.chat.completions.create(model=model, messages=ask, tools=[TOOL], max_tokens=200)
            message = first.choices[0].message
            self.assertEqual(message.tool_calls[0].function.name, "get_weather")
            self.assertIn("city", json.loads(message.tool_calls[0].function.arguments))
            results = [{"role": "tool", "tool_call_id": c.id, "content": "sunny"} for c in message.tool_calls]
            second = client.chat.completions.create(model=model, tools=[TOOL], max_tokens=200,
                                                    messages=ask + [message.model_dump(exclude_none=True)] + results)
            self.assertTrue(second.choices[0].message.content)
            pieces = list(client.chat.completions.create(model=model, messages=ask, tools=[TOOL], max_tokens=200, stream=True))
            arguments = "".join(call.function.arguments or "" for c in pieces if c.choices for call in c.choices[0].delta.tool_calls or [])
            self.assertIn("city", json.loads(arguments))
        self.each(check)

    def test_anthropic_client(self):
        client = self.anthropic()

        def check(model):
            plain = client.messages.create(model=model, messages=HELLO, max_tokens=200)
            self.assertEqual(plain.stop_reason, "end_turn")
            with client.messages.stream(model=model, messages=HELLO, max_tokens=200) as stream:
                self.assertEqual("".join(stream.text_stream), plain.content[0].text)
        self.each(check)

    def test_gemini_client(self):
        client = genai.Client(api_key="client", http_options={"base_url": self.url, "api_version": "v1beta"})

        def check(model):
            plain = client.models.generate_content(model=model, contents="Say hello to the pool.")
            pieces = client.models.generate_content_stream(model=model, contents="Say hello to the pool.")
            self.assertEqual("".join(piece.text or "" for piece in pieces), plain.text)
            self.assertTrue(plain.text)
        self.each(check)

    def test_cohere_client(self):
        client = cohere.ClientV2(api_key="client", base_url=self.url)

        def check(model):
            text = client.chat(model=model, messages=HELLO).message.content[0].text
            pieces = [e.delta.message.content.text for e in client.chat_stream(model=model, messages=HELLO) if e.type == "content-delta"]
            self.assertEqual("".join(pieces), text)
            self.assertTrue(text)
        self.each(check)

    def test_mistral_client(self):
        client = Mistral(api_key="client", server_url=self.url)

        def check(model):
            text = client.chat.complete(model=model, messages=HELLO).choices[0].message.content
            events = client.chat.stream(model=model, messages=HELLO)
            self.assertEqual("".join(e.data.choices[0].delta.content or "" for e in events if e.data.choices), text)
            self.assertTrue(text)
        self.each(check)

    def test_responses_and_embeddings(self):
        client = self.openai()
        plain = client.responses.create(model="openai/gpt-4o-mini", input="Say hello to the pool.")
        with client.responses.stream(model="openai/gpt-4o-mini", input="Say hello to the pool.") as stream:
            final = [event for event in stream][-1]
        self.assertEqual(final.response.output_text, plain.output_text)
        self.assertEqual(len(client.embeddings.create(model="openai/text-embedding-3-small", input=["a", "b"]).data), 2)
        self.assert_clean_verdict()


class LLMockVerdict(LLMockCase):
    """Faults, and what an independent judge finds in the gateway's conduct: it waits as long as it is told to, repeats what
    can be repeated, lets be what cannot, and takes no broken stream for a whole one."""
    pools = "\n" + "".join(pool(name, path, ", timeouts: {first_token: 2s, between_bytes: 1s}") for name, path in [
        ("openai", "/v1"), ("anthropic", "/anthropic"), ("gemini", "/gemini"), ("cohere", "/cohere"), ("mistral", "/mistral")])
    event_milliseconds = 50  # so that a stream can be left before it is all sent
    MODELS = {"openai": "gpt-4o-mini", "anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-pro", "cohere": "command-r",
              "mistral": "mistral-large-latest"}

    def client(self, retries=0):
        return openai.OpenAI(base_url=self.url + "/v1", api_key="client", max_retries=retries, timeout=20)

    def ask(self, provider, **more):
        """One chat through the gateway, whose body is like no other, so that the judge does not take it for a repetition."""
        text = f"Say hello to the pool. {provider} {time.monotonic_ns()}"
        return self.client().chat.completions.with_raw_response.create(
            model=f"{provider}/{self.MODELS[provider]}", messages=[{"role": "user", "content": text}], max_tokens=100, **more)

    def assert_reached(self, count):
        """How many requests the mock provider has seen. `x-sluice-attempts` may say one more: the mock closes a connection
        after five idle seconds, and a request that meets the close is sent again."""
        reached = self.requests()
        self.assertEqual(len(reached), count, [{name: r[name] for name in ("started_at", "status", "completed")} for r in reached])

    def each(self, check):
        for provider in self.MODELS:
            with self.subTest(provider=provider):
                self.setUp()
                check(provider)
                self.assert_clean_verdict()

    def test_rate_limited_twice(self):
        def check(provider):
            self.script({"type": "fail", "status": 429, "retry_after": 0.4, "times": 2})
            self.ask(provider)
            self.assert_reached(3)
        self.each(check)

    def test_overloaded(self):
        for status in (529, 503):
            with self.subTest(status=status):
                self.setUp()
                self.script({"type": "fail", "status": status, "times": 1})
                self.ask("anthropic")
                self.assert_reached(2)
                self.assert_clean_verdict()

    def test_server_errors_back_off(self):
        def check(provider):
            self.script({"type": "fail", "status": 500, "times": 3, "retry_after": 0})
            self.ask(provider)
            self.assert_reached(4)
        self.each(check)

    def test_the_callers_mistake_is_not_repeated(self):
        def check(provider):
            # Its 422 in Gemini's name says FAILED_PRECONDITION, which is Google's word for an account without billing.
            statuses = (400, 404) if provider == "gemini" else (400, 404, 422)
            for status in statuses:
                self.script({"type": "fail", "status": status, "times": 1})
                with self.assertRaises(openai.APIStatusError):
                    self.ask(provider)
            self.assert_reached(len(statuses))
        self.each(check)

    def broken(self, provider, **fault):
        """A stream that breaks is an error for the client, who asks again and is served."""
        self.script({"type": "stream_fault", "after_chunks": 3, **fault})
        text = f"Say hello to the pool. {provider} {time.monotonic_ns()}"
        arguments = {"model": f"{provider}/{self.MODELS[provider]}", "messages": [{"role": "user", "content": text}], "max_tokens": 100}
        with self.assertRaises(openai.APIError) as caught:
            list(self.client().chat.completions.create(**arguments, stream=True))
        # The judge takes a call for a repetition only if it began after the end of the first, which it notices a moment later.
        until(self.requests, "the mock provider has the broken call in its journal")
        self.assertTrue(list(self.client().chat.completions.create(**arguments, stream=True)))
        return caught.exception

    def test_disconnected_before_the_first_event(self):
        def check(provider):
            self.script({"type": "stream_fault", "kind": "disconnect", "after_chunks": 0})
            self.assertTrue(list(self.client().chat.completions.create(
                model=f"{provider}/{self.MODELS[provider]}", max_tokens=100, stream=True,
                messages=[{"role": "user", "content": f"Say hello to the pool. {provider} {time.monotonic_ns()}"}])))
            self.assert_reached(2)
        self.each(check)

    def test_disconnected_mid_stream(self):
        self.each(lambda provider: self.broken(provider, kind="disconnect"))

    def test_truncated_stream_is_no_answer(self):
        self.each(lambda provider: self.broken(provider, kind="truncate"))

    def test_malformed_event(self):
        # Translated streams are read, so that the broken event is seen; one that passes through is the client's to read.
        for provider in ("anthropic", "gemini", "cohere"):
            with self.subTest(provider=provider):
                self.setUp()
                # Early: a stream whose last event it is would be over before it can be left.
                self.broken(provider, kind="malformed", after_chunks=1)
                self.assert_clean_verdict()

    def test_stalled_stream(self):
        def check(provider):
            begin = time.monotonic()
            self.broken(provider, kind="stall", stall_seconds=10)
            self.assertLess(time.monotonic() - begin, 5)
        self.each(check)

    def test_limit_that_outlasts_the_deadline_is_the_clients_429(self):
        self.script({"type": "fail", "status": 429, "retry_after": 3, "times": 1})
        with self.assertRaises(openai.RateLimitError) as caught:
            self.ask("openai", extra_headers={"x-sluice-deadline": "500ms"})
        self.assertGreater(float(caught.exception.response.headers["retry-after"]), 0)
        self.assert_reached(1)


class KatanTests(MockedCase):
    """Azure OpenAI, and Bedrock's Converse and InvokeModel, as another author reads the documentation."""
    pools = f"""
  azure: {{provider: azure_openai, base_url: "MOCK", keys: [key-azure], options: {{api_version: "2024-10-21"}}}}
  bedrock: {{provider: bedrock, base_url: "MOCK", keys: ["AKIDEXAMPLE:secret"], options: {{region: us-east-1}}}}
"""
    CLAUDE = "anthropic.claude-3-5-sonnet-20240620-v1:0"

    @classmethod
    def start(cls):
        return katan("azure_openai,bedrock", cls.folder.name)

    def bedrock(self):
        return boto3.client("bedrock-runtime", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="AKIDCLIENT",
                            aws_secret_access_key="secret", config=Config(retries={"max_attempts": 1}))

    def test_azure(self):
        client = openai.AzureOpenAI(azure_endpoint=self.url, api_key="client", api_version="2024-10-21", max_retries=0)
        plain = client.chat.completions.create(model="azure/gpt-4o", messages=HELLO)
        self.assertIn("hello", plain.choices[0].message.content.lower())
        chunks = client.chat.completions.create(model="azure/gpt-4o", messages=HELLO, stream=True)
        self.assertIn("hello", "".join(c.choices[0].delta.content or "" for c in chunks if c.choices).lower())

    def test_azure_from_another_surface(self):
        client = anthropic.Anthropic(base_url=self.url, api_key="client", max_retries=0)
        answer = client.messages.create(model="azure/gpt-4o", messages=HELLO, max_tokens=200)
        self.assertIn("hello", answer.content[0].text.lower())

    def test_converse(self):
        answer = self.bedrock().converse(modelId="bedrock/" + self.CLAUDE, messages=[{"role": "user", "content": [{"text": "Hello there"}]}],
                                         inferenceConfig={"maxTokens": 100})
        self.assertIn("hello", answer["output"]["message"]["content"][0]["text"].lower())
        self.assertEqual(answer["stopReason"], "end_turn")

    def test_converse_from_another_surface(self):
        client = openai.OpenAI(base_url=self.url + "/v1", api_key="client", max_retries=0)
        answer = client.chat.completions.create(model="bedrock/" + self.CLAUDE, messages=HELLO, max_tokens=100)
        self.assertIn("hello", answer.choices[0].message.content.lower())
        self.assertGreater(answer.usage.prompt_tokens, 0)

    def test_converse_tools(self):
        client = openai.OpenAI(base_url=self.url + "/v1", api_key="client", max_retries=0)
        answer = client.chat.completions.create(model="bedrock/" + self.CLAUDE, messages=HELLO, tools=[TOOL], tool_choice="required", max_tokens=100)
        self.assertEqual(answer.choices[0].message.tool_calls[0].function.name, "get_weather")

    def test_invoke(self):
        client = anthropic.AnthropicBedrock(base_url=self.url, aws_access_key="AKIDCLIENT", aws_secret_key="secret", aws_region="us-east-1",
                                            max_retries=0)
        answer = client.messages.create(model=self.CLAUDE, max_tokens=100, messages=[{"role": "user", "content": "Hello there"}])
        self.assertIn("hello", answer.content[0].text.lower())


if __name__ == "__main__":
    unittest.main()
