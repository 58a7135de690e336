"""OpenAI, Anthropic and Bedrock clients, unmodified, to all nine providers."""
import base64, json, unittest
import anthropic, boto3, openai
from botocore.config import Config
from matrix import CACHED, MatrixCase, PARALLEL, PROVIDERS, RED_DOT, SCHEMA, STOP, Table

FUNCTION = {"name": "get_weather", "description": "Weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}
# The others' protocols have no word for it.
CACHING = ("openai", "azure", "anthropic", "gemini", "cohere", "mistral", "huggingface", "local", "bedrock")
QUESTION = "How is the weather in Paris?"


class A_OpenAIMatrix(MatrixCase):
    surface = "OpenAI chat completions"

    def setUp(self):
        self.client = openai.OpenAI(base_url=self.url + "/v1", api_key="client", max_retries=0, timeout=20)
        self.messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello to the pool."}]
        self.tools = [{"type": "function", "function": FUNCTION}]

    def round_trip(self, model, ask, message):
        """The results of all its calls bring an answer."""
        results = [{"role": "tool", "tool_call_id": c.id, "content": "sunny"} for c in message.tool_calls]
        second = self.client.chat.completions.create(model=model, tools=self.tools, max_tokens=500,
                                                     messages=ask + [message.model_dump(exclude_none=True)] + results)
        self.assertTrue(second.choices[0].message.content)

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
            self.round_trip(model, ask, message)
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
        self.each("JSON schema", self.surface, check)

    def test_parallel_tools(self):
        def check(model, row):
            ask = [{"role": "user", "content": PARALLEL}]
            message = self.client.chat.completions.create(model=model, messages=ask, tools=self.tools, max_tokens=500).choices[0].message
            self.assertEqual([json.loads(c.function.arguments)["city"] for c in message.tool_calls], ["Paris", "Oslo"])
            self.assertEqual(len({c.id for c in message.tool_calls}), 2)
            calls = {}
            for chunk in self.client.chat.completions.create(model=model, messages=ask, tools=self.tools, max_tokens=500, stream=True):
                for call in chunk.choices[0].delta.tool_calls or [] if chunk.choices else []:
                    calls[call.index] = calls.get(call.index, "") + (call.function.arguments or "")
            self.assertEqual([json.loads(calls[index])["city"] for index in (0, 1)], ["Paris", "Oslo"])
            self.round_trip(model, ask, message)
        self.each("parallel tools", self.surface, check)

    def test_reasoning(self):
        def check(model, row):
            answer = self.client.chat.completions.create(model=model, messages=self.messages, reasoning_effort="high", max_completion_tokens=20000)
            message = answer.choices[0].message
            self.assertTrue(message.content)
            # Of its thoughts OpenAI tells only the number of tokens.
            thought = getattr(message, "reasoning_content", None) or answer.usage.completion_tokens_details.reasoning_tokens
            self.assertTrue(thought)
            self.assertNotIn("</think>", message.content)
        self.each("reasoning", self.surface, check)

    def test_stop(self):
        def check(model, row):
            answer = self.client.chat.completions.create(model=model, messages=self.messages, stop=[STOP], max_tokens=500)
            self.assertEqual(answer.choices[0].finish_reason, "stop")
            self.assertNotIn(STOP, answer.choices[0].message.content or "")
            self.assertLess(answer.usage.completion_tokens, 20)
        self.each("stop", self.surface, check)

    def test_cached_tokens(self):
        def check(model, row):
            ask = [{"role": "user", "content": CACHED}]
            usage = self.client.chat.completions.create(model=model, messages=ask, max_tokens=200).usage
            self.assertEqual(usage.prompt_tokens_details.cached_tokens, 7)
            self.assertGreater(usage.prompt_tokens, 7)
            last = list(self.client.chat.completions.create(model=model, messages=ask, max_tokens=200, stream=True,
                                                            stream_options={"include_usage": True}))[-1].usage
            self.assertEqual((last.prompt_tokens, last.prompt_tokens_details.cached_tokens), (usage.prompt_tokens, 7))
        self.each("cached tokens", self.surface, check, where=lambda row: row[0] in CACHING)

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
            if row[0] == "bedrock":
                self.embed_one_by_one(f"{row[0]}/amazon.titan-embed-text-v2:0")
        self.each("embeddings", self.surface, check, where=lambda row: row[4])

    def embed_one_by_one(self, model):
        """Titan takes one text per call; what it cannot do is refused and not left out."""
        first, second = (self.client.embeddings.create(model=model, input=text, dimensions=256).data for text in ("a pool", "a river"))
        self.assertEqual([len(first), len(first[0].embedding)], [1, 256])
        self.assertNotEqual(first[0].embedding, second[0].embedding)
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.embeddings.create(model=model, input=["a pool", "a river"])
        self.assertEqual((caught.exception.param, caught.exception.code), ("input", "unsupported_field"))


class B_AnthropicMatrix(MatrixCase):
    surface = "Anthropic messages"

    def setUp(self):
        self.client = anthropic.Anthropic(base_url=self.url, api_key="client", max_retries=0, timeout=20)
        self.messages = [{"role": "user", "content": "Say hello to the pool."}]
        self.tools = [{"name": FUNCTION["name"], "description": FUNCTION["description"], "input_schema": FUNCTION["parameters"]}]

    @staticmethod
    def uses(message):
        return [block for block in message.content if block.type == "tool_use"]

    def round_trip(self, model, ask, message):
        """The results of all its calls bring an answer."""
        results = [{"type": "tool_result", "tool_use_id": use.id, "content": "sunny"} for use in self.uses(message)]
        second = self.client.messages.create(
            model=model, tools=self.tools, max_tokens=500,
            messages=ask + [{"role": "assistant", "content": [b.model_dump(exclude_none=True) for b in message.content]},
                            {"role": "user", "content": results}])
        self.assertEqual(second.content[0].type, "text")

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
            uses = self.uses(first)
            self.assertEqual(first.stop_reason, "tool_use")
            self.assertIn("city", uses[0].input)
            self.round_trip(model, ask, first)
        self.each("tools", self.surface, check)

    def test_stream_tools(self):
        def check(model, row):
            with self.client.messages.stream(model=model, messages=[{"role": "user", "content": QUESTION}], tools=self.tools,
                                             tool_choice={"type": "any"}, max_tokens=500) as stream:
                final = stream.get_final_message()
            self.assertIn("city", self.uses(final)[0].input)
        self.each("stream tools", self.surface, check)

    def test_image(self):
        def check(model, row):
            parts = [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": RED_DOT}},
                     {"type": "text", "text": "What is this?"}]
            answer = self.client.messages.create(model=model, messages=[{"role": "user", "content": parts}], max_tokens=200)
            self.assertTrue(answer.content[0].text)
        self.each("image", self.surface, check)

    def test_json_schema(self):
        def check(model, row):
            answer = self.client.messages.create(model=model, messages=self.messages, max_tokens=500,
                                                 output_config={"format": {"type": "json_schema", "schema": SCHEMA}})
            self.assertEqual(set(json.loads(answer.content[0].text)), {"city", "warm"})
        self.each("JSON schema", self.surface, check)

    def test_parallel_tools(self):
        def check(model, row):
            ask = [{"role": "user", "content": PARALLEL}]
            first = self.client.messages.create(model=model, messages=ask, tools=self.tools, max_tokens=500)
            uses = self.uses(first)
            self.assertEqual([use.input["city"] for use in uses], ["Paris", "Oslo"])
            self.assertEqual(len({use.id for use in uses}), 2)
            with self.client.messages.stream(model=model, messages=ask, tools=self.tools, max_tokens=500) as stream:
                final = stream.get_final_message()
            self.assertEqual([b.input["city"] for b in final.content if b.type == "tool_use"], ["Paris", "Oslo"])
            self.round_trip(model, ask, first)
        self.each("parallel tools", self.surface, check)

    def test_reasoning(self):
        def check(model, row):
            arguments = {"model": model, "messages": self.messages, "max_tokens": 20000, "thinking": {"type": "enabled", "budget_tokens": 4096}}
            answer = self.client.messages.create(**arguments)
            self.assertEqual(answer.content[-1].type, "text")
            if row[0] == "openai":  # which tells only the number of tokens
                return
            self.assertEqual(answer.content[0].type, "thinking")
            with self.client.messages.stream(**arguments) as stream:
                final = stream.get_final_message()
            self.assertEqual([block.type for block in final.content], ["thinking", "text"])
            self.assertEqual(final.content[0].thinking, answer.content[0].thinking)
        self.each("reasoning", self.surface, check)

    def test_stop(self):
        def check(model, row):
            answer = self.client.messages.create(model=model, messages=self.messages, stop_sequences=[STOP], max_tokens=500)
            self.assertIn(answer.stop_reason, ("stop_sequence", "end_turn"))  # most others do not say which of the two it was
            self.assertNotIn(STOP, "".join(block.text for block in answer.content))
            self.assertLess(answer.usage.output_tokens, 20)
        self.each("stop", self.surface, check)

    def test_cached_tokens(self):
        def check(model, row):
            ask = [{"role": "user", "content": CACHED}]
            usage = self.client.messages.create(model=model, messages=ask, max_tokens=200).usage
            self.assertEqual(usage.cache_read_input_tokens, 7)
            with self.client.messages.stream(model=model, messages=ask, max_tokens=200) as stream:
                last = stream.get_final_message().usage
            self.assertEqual((last.input_tokens, last.cache_read_input_tokens), (usage.input_tokens, 7))
        self.each("cached tokens", self.surface, check, where=lambda row: row[0] in CACHING)

    def test_error(self):
        def check(model, row):
            self.faults({"kind": "status", "status": 400, "message": "bad luck", "match": {"provider": row[1]}})
            with self.assertRaises(anthropic.BadRequestError):
                self.client.messages.create(model=model, messages=self.messages, max_tokens=20)
            self.faults()
        self.each("error", self.surface, check)


class C_BedrockMatrix(MatrixCase):
    surface = "Bedrock Converse"

    def setUp(self):
        self.client = boto3.client("bedrock-runtime", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="AKIDCLIENT",
                                   aws_secret_access_key="secret", config=Config(retries={"max_attempts": 0}, read_timeout=20))
        self.tools = {"tools": [{"toolSpec": {"name": FUNCTION["name"], "description": FUNCTION["description"],
                                              "inputSchema": {"json": FUNCTION["parameters"]}}}]}

    def tearDown(self):
        self.client.close()
        super().tearDown()

    def arguments(self, model, text="Say hello to the pool.", most=300, **more):
        return {"modelId": model, "messages": [{"role": "user", "content": [{"text": text}]}], "inferenceConfig": {"maxTokens": most}, **more}

    def ask(self, model, *text, **more):
        """(content blocks, whole answer)"""
        answer = self.client.converse(**self.arguments(model, *text, **more))
        return answer["output"]["message"]["content"], answer

    def stream(self, arguments):
        """(what was said, tool inputs by block, the events)"""
        text, inputs, events = "", {}, list(self.client.converse_stream(**arguments)["stream"])
        for event in events:
            delta = event.get("contentBlockDelta")
            if delta and "text" in delta["delta"]:
                text += delta["delta"]["text"]
            elif delta and "toolUse" in delta["delta"]:
                index = delta["contentBlockIndex"]
                inputs[index] = inputs.get(index, "") + delta["delta"]["toolUse"]["input"]
        return text, [json.loads(inputs[index]) for index in sorted(inputs)], events

    @staticmethod
    def uses(content):
        return [block["toolUse"] for block in content if "toolUse" in block]

    def round_trip(self, model, question, content):
        results = [{"toolResult": {"toolUseId": use["toolUseId"], "content": [{"text": "sunny"}]}} for use in self.uses(content)]
        arguments = self.arguments(model, question, toolConfig=self.tools)
        arguments["messages"] += [{"role": "assistant", "content": content}, {"role": "user", "content": results}]
        self.assertTrue(self.client.converse(**arguments)["output"]["message"]["content"][0]["text"])

    def test_plain(self):
        def check(model, row):
            content, answer = self.ask(model, system=[{"text": "Be brief."}])
            self.assertTrue(content[0]["text"])
            self.assertEqual(answer["stopReason"], "end_turn")
            self.assertEqual(answer["usage"]["totalTokens"], answer["usage"]["inputTokens"] + answer["usage"]["outputTokens"])
        self.each("plain", self.surface, check)

    def test_stream(self):
        def check(model, row):
            text, _, events = self.stream(self.arguments(model))
            self.assertEqual(text, self.ask(model)[0][0]["text"])
            self.assertIn({"messageStop": {"stopReason": "end_turn"}}, events)
            self.assertGreater(events[-1]["metadata"]["usage"]["outputTokens"], 0)
        self.each("stream", self.surface, check)

    def test_tools(self):
        def check(model, row):
            content, answer = self.ask(model, QUESTION, toolConfig={**self.tools, "toolChoice": {"any": {}}})
            self.assertEqual(answer["stopReason"], "tool_use")
            self.assertIn("city", self.uses(content)[0]["input"])
            self.round_trip(model, QUESTION, content)
        self.each("tools", self.surface, check)

    def test_stream_tools(self):
        def check(model, row):
            _, inputs, events = self.stream(self.arguments(model, QUESTION, toolConfig={**self.tools, "toolChoice": {"any": {}}}))
            self.assertIn("city", inputs[0])
            self.assertIn({"messageStop": {"stopReason": "tool_use"}}, events)
        self.each("stream tools", self.surface, check)

    def test_parallel_tools(self):
        def check(model, row):
            content, _ = self.ask(model, PARALLEL, toolConfig=self.tools)
            self.assertEqual([use["input"]["city"] for use in self.uses(content)], ["Paris", "Oslo"])
            self.round_trip(model, PARALLEL, content)
            _, inputs, _ = self.stream(self.arguments(model, PARALLEL, toolConfig=self.tools))
            self.assertEqual([given["city"] for given in inputs], ["Paris", "Oslo"])
        self.each("parallel tools", self.surface, check)

    def test_image(self):
        def check(model, row):
            arguments = self.arguments(model, "What is this?")
            arguments["messages"][0]["content"].append({"image": {"format": "png", "source": {"bytes": base64.b64decode(RED_DOT)}}})
            self.assertTrue(self.client.converse(**arguments)["output"]["message"]["content"][0]["text"])
        self.each("image", self.surface, check)

    def test_json_schema(self):
        def check(model, row):
            wish = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"name": "report", "schema": json.dumps(SCHEMA)}}}}
            content, _ = self.ask(model, outputConfig=wish)
            self.assertEqual(set(json.loads(content[0]["text"])), {"city", "warm"})
        self.each("JSON schema", self.surface, check)

    def test_reasoning(self):
        def check(model, row):
            wish = {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 4096}}}
            content, _ = self.ask(model, "Say hello.", 20000, **wish)
            self.assertTrue(content[-1]["text"])
            if row[0] == "openai":  # which tells only the number of tokens
                return
            thought = content[0]["reasoningContent"]["reasoningText"]["text"]
            _, _, events = self.stream(self.arguments(model, "Say hello.", 20000, **wish))
            pieces = [e["contentBlockDelta"]["delta"].get("reasoningContent", {}).get("text", "") for e in events if "contentBlockDelta" in e]
            self.assertEqual("".join(pieces), thought)
        self.each("reasoning", self.surface, check)

    def test_stop(self):
        def check(model, row):
            answer = self.client.converse(**{**self.arguments(model), "inferenceConfig": {"maxTokens": 300, "stopSequences": [STOP]}})
            self.assertIn(answer["stopReason"], ("stop_sequence", "end_turn"))
            self.assertNotIn(STOP, "".join(block["text"] for block in answer["output"]["message"]["content"]))
            self.assertLess(answer["usage"]["outputTokens"], 20)
        self.each("stop", self.surface, check)

    def test_cached_tokens(self):
        def check(model, row):
            usage = self.ask(model, CACHED)[1]["usage"]
            self.assertEqual(usage["cacheReadInputTokens"], 7)
            self.assertEqual(self.stream(self.arguments(model, CACHED))[2][-1]["metadata"]["usage"], usage)
        self.each("cached tokens", self.surface, check, where=lambda row: row[0] in CACHING)

    def test_error(self):
        def check(model, row):
            self.faults({"kind": "status", "status": 400, "message": "bad luck", "match": {"provider": row[1]}})
            with self.assertRaises(self.client.exceptions.ValidationException):
                self.ask(model)
            self.faults({"kind": "status", "status": 429, "retry_after": 3, "match": {"provider": row[1]}})
            self.client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header("x-sluice-deadline", "500ms"))
            # Where there is no account a 429 says that the server is busy.
            busy = row[0] in ("huggingface", "local")
            with self.assertRaises(self.client.exceptions.ServiceUnavailableException if busy else self.client.exceptions.ThrottlingException):
                self.ask(model)
            self.faults()
        self.each("error", self.surface, check)


class Z_Compatibility(unittest.TestCase):
    def test_the_table_is_up_to_date(self):
        if not Table.clients or len(Table.cells) < 3 or any(len(rows) < len(PROVIDERS) for rows in Table.cells.values()):
            self.skipTest("needs the whole matrix")
        Table.check(self)
