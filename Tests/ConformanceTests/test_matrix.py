"""OpenAI and Anthropic clients, unmodified, to all nine providers."""
import json, unittest
import anthropic, openai
from matrix import MatrixCase, PROVIDERS, RED_DOT, SCHEMA, Table

FUNCTION = {"name": "get_weather", "description": "Weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}
QUESTION = "How is the weather in Paris?"


class A_OpenAIMatrix(MatrixCase):
    surface = "OpenAI chat completions"

    def setUp(self):
        self.client = openai.OpenAI(base_url=self.url + "/v1", api_key="client", max_retries=0, timeout=20)
        self.messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello to the pool."}]
        self.tools = [{"type": "function", "function": FUNCTION}]

    def test_plain(self):
        def check(model, row):
            answer = self.client.chat.completions.create(model=model, messages=self.messages, temperature=0.5, max_tokens=200)
            self.assertTrue(answer.choices[0].message.content)
            self.assertEqual(answer.choices[0].finish_reason, "stop")
            self.assertGreater(answer.usage.prompt_tokens, 0)
            self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)
        self.each("plain", self.surface, check)

    def test_stream(self):
        def check(model, row):
            plain = self.client.chat.completions.create(model=model, messages=self.messages, max_tokens=200)
            chunks = list(self.client.chat.completions.create(model=model, messages=self.messages, max_tokens=200, stream=True,
                                                              stream_options={"include_usage": True}))
            text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
            self.assertEqual(text, plain.choices[0].message.content)
            self.assertEqual([c.choices[0].finish_reason for c in chunks if c.choices][-1], "stop")
            self.assertGreater([c.usage for c in chunks if c.usage][-1].completion_tokens, 0)
        self.each("stream", self.surface, check)

    def test_tools(self):
        def check(model, row):
            ask = [{"role": "user", "content": QUESTION}]
            first = self.client.chat.completions.create(model=model, messages=ask, tools=self.tools, tool_choice="required", max_tokens=500)
            message = first.choices[0].message
            self.assertEqual(first.choices[0].finish_reason, "tool_calls")
            self.assertEqual(message.tool_calls[0].function.name, "get_weather")
            self.assertIn("city", json.loads(message.tool_calls[0].function.arguments))
            results = [{"role": "tool", "tool_call_id": c.id, "content": "sunny"} for c in message.tool_calls]
            second = self.client.chat.completions.create(model=model, tools=self.tools, max_tokens=500,
                                                         messages=ask + [message.model_dump(exclude_none=True)] + results)
            self.assertTrue(second.choices[0].message.content)
        self.each("tools", self.surface, check)

    def test_stream_tools(self):
        def check(model, row):
            name, arguments = "", ""
            for chunk in self.client.chat.completions.create(model=model, messages=[{"role": "user", "content": QUESTION}], tools=self.tools,
                                                             tool_choice="required", stream=True, max_tokens=500):
                for choice in chunk.choices:
                    for call in choice.delta.tool_calls or []:
                        if call.index == 0:
                            name += call.function.name or ""
                            arguments += call.function.arguments or ""
            self.assertEqual(name, "get_weather")
            self.assertIn("city", json.loads(arguments))
        self.each("stream tools", self.surface, check)

    def test_image(self):
        def check(model, row):
            parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64," + RED_DOT}}]
            answer = self.client.chat.completions.create(model=model, messages=[{"role": "user", "content": parts}], max_tokens=200)
            self.assertTrue(answer.choices[0].message.content)
        self.each("image", self.surface, check)

    def test_json_schema(self):
        def check(model, row):
            answer = self.client.chat.completions.create(
                model=model, messages=self.messages, max_tokens=500,
                response_format={"type": "json_schema", "json_schema": {"name": "report", "schema": SCHEMA, "strict": True}})
            self.assertEqual(set(json.loads(answer.choices[0].message.content)), {"city", "warm"})
        self.each("JSON schema", self.surface, check, where=lambda row: row[0] not in ("bedrock",))

    def test_error(self):
        def check(model, row):
            self.faults({"kind": "status", "status": 400, "message": "bad luck", "match": {"provider": row[1]}})
            with self.assertRaises(openai.BadRequestError):
                self.client.chat.completions.create(model=model, messages=self.messages, max_tokens=20)
            self.faults({"kind": "status", "status": 429, "retry_after": 3, "match": {"provider": row[1]}})
            with self.assertRaises(openai.RateLimitError) as caught:
                self.client.chat.completions.create(model=model, messages=self.messages, max_tokens=20,
                                                    extra_headers={"x-sluice-deadline": "500ms"})
            self.assertTrue(caught.exception.response.headers.get("x-sluice-request-id"))
            self.faults()
        self.each("error", self.surface, check)

    def test_embeddings(self):
        def check(model, row):
            name = f"{row[0]}/{row[4]}"
            numbers = self.client.embeddings.create(model=name, input=["a pool", "a river"], encoding_format="float")
            self.assertEqual(len(numbers.data), 2)
            packed = self.client.embeddings.create(model=name, input=["a pool", "a river"])
            for left, right in zip(numbers.data[0].embedding, packed.data[0].embedding):
                self.assertAlmostEqual(left, right, places=5)
        self.each("embeddings", self.surface, check, where=lambda row: row[4])


class B_AnthropicMatrix(MatrixCase):
    surface = "Anthropic messages"

    def setUp(self):
        self.client = anthropic.Anthropic(base_url=self.url, api_key="client", max_retries=0, timeout=20)
        self.messages = [{"role": "user", "content": "Say hello to the pool."}]
        self.tools = [{"name": FUNCTION["name"], "description": FUNCTION["description"], "input_schema": FUNCTION["parameters"]}]

    def test_plain(self):
        def check(model, row):
            answer = self.client.messages.create(model=model, messages=self.messages, system="Be brief.", max_tokens=200)
            self.assertEqual(answer.content[0].type, "text")
            self.assertEqual(answer.stop_reason, "end_turn")
            self.assertGreater(answer.usage.input_tokens, 0)
            self.assertGreater(answer.usage.output_tokens, 0)
        self.each("plain", self.surface, check)

    def test_stream(self):
        def check(model, row):
            plain = self.client.messages.create(model=model, messages=self.messages, max_tokens=200)
            with self.client.messages.stream(model=model, messages=self.messages, max_tokens=200) as stream:
                text = "".join(stream.text_stream)
                final = stream.get_final_message()
            self.assertEqual(text, plain.content[0].text)
            self.assertEqual(final.stop_reason, "end_turn")
            self.assertGreater(final.usage.output_tokens, 0)
        self.each("stream", self.surface, check)

    def test_tools(self):
        def check(model, row):
            ask = [{"role": "user", "content": QUESTION}]
            first = self.client.messages.create(model=model, messages=ask, tools=self.tools, tool_choice={"type": "any"}, max_tokens=500)
            uses = [block for block in first.content if block.type == "tool_use"]
            self.assertEqual(first.stop_reason, "tool_use")
            self.assertIn("city", uses[0].input)
            results = [{"type": "tool_result", "tool_use_id": use.id, "content": "sunny"} for use in uses]
            second = self.client.messages.create(
                model=model, tools=self.tools, max_tokens=500,
                messages=ask + [{"role": "assistant", "content": [b.model_dump(exclude_none=True) for b in first.content]},
                                {"role": "user", "content": results}])
            self.assertEqual(second.content[0].type, "text")
        self.each("tools", self.surface, check)

    def test_stream_tools(self):
        def check(model, row):
            with self.client.messages.stream(model=model, messages=[{"role": "user", "content": QUESTION}], tools=self.tools,
                                             tool_choice={"type": "any"}, max_tokens=500) as stream:
                final = stream.get_final_message()
            self.assertIn("city", [b for b in final.content if b.type == "tool_use"][0].input)
        self.each("stream tools", self.surface, check)

    def test_image(self):
        def check(model, row):
            parts = [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": RED_DOT}},
                     {"type": "text", "text": "What is this?"}]
            answer = self.client.messages.create(model=model, messages=[{"role": "user", "content": parts}], max_tokens=200)
            self.assertTrue(answer.content[0].text)
        self.each("image", self.surface, check)

    def test_error(self):
        def check(model, row):
            self.faults({"kind": "status", "status": 400, "message": "bad luck", "match": {"provider": row[1]}})
            with self.assertRaises(anthropic.BadRequestError):
                self.client.messages.create(model=model, messages=self.messages, max_tokens=20)
            self.faults()
        self.each("error", self.surface, check)


class Z_Compatibility(unittest.TestCase):
    def test_the_table_is_up_to_date(self):
        if len(Table.cells) < 2 or any(len(rows) < len(PROVIDERS) for rows in Table.cells.values()):
            self.skipTest("needs the whole matrix")
        Table.check(self)
