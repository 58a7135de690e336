"""What every client is asked to do, in its own words: one adapter per client says how, `test_contract.py` what must come of it."""
import base64, json
import anthropic, boto3, cohere, ollama, openai
from botocore.config import Config
from botocore.exceptions import ClientError
from cohere.core.api_error import ApiError
from google import genai
from google.genai import types
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from mistralai.client import Mistral
from mistralai.client.errors import SDKError
from matrix import RED_DOT, SCHEMA

HELLO = "Say hello to the pool."
QUESTION = "How is the weather in Paris?"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "Weather of a city", "parameters": PARAMETERS}
TOOL = {"type": "function", "function": FUNCTION}
FORMAT = {"type": "json_schema", "json_schema": {"name": "report", "schema": SCHEMA, "strict": True}}
PICTURE = "data:image/png;base64," + RED_DOT
DEADLINE = {"x-sluice-deadline": "400ms"}


class Adapter:
    """A client's way of doing what is asked of all; what it leaves at None its protocol does not have.

    `plain(text)` → the answer's text. `stream(text)` → its pieces, lazily. `tools(question)` → (name, arguments, the answer to the
    tool's result). `embeddings(texts)` → vectors. `image(text)` → the answer's text. `schema(text)` → an object. `failing()` asks
    with a short deadline. `status(error)`, `hint(error)` → the status and the wait in seconds that the error carries.
    """
    name = ""
    provider, model, embedding_model = "openai", "gpt-4o-mini", "text-embedding-3-small"
    foreign = "anthropic/claude-sonnet-4-5"
    foreign_embedding = "mistral/mistral-embed"
    error = Exception
    limited = 429
    """What its own provider's 429 becomes."""
    hinted = True
    """Its own provider says how long to wait."""
    plain = stream = tools = embeddings = image = schema = None

    def __init__(self, url, model=None):
        self.url, self.model = url, model or self.model
        self.client = self.make()

    def make(self, headers=None):
        """The client, with these headers in each request where it can be told so."""
        raise NotImplementedError

    def failing(self):
        self.plain(HELLO)

    def failing_with(self, hasty):
        """As `failing`, by another client that has the deadline."""
        client, self.client = self.client, hasty
        try:
            self.plain(HELLO)
        finally:
            self.client = client

    def cancel(self, stream):
        self.open.close()

    def status(self, error):
        return error.status_code

    def hint(self, error):
        return float(error.response.headers["retry-after"])

    def close(self):
        pass


class ChatCompletions(Adapter):
    """Messages in, choices out, as OpenAI has it; `create(messages, **more)` asks in the client's own way."""
    picture = {"url": PICTURE}
    result = {}
    """What else a tool's result says."""

    def ask(self, content, **more):
        return self.create([{"role": "user", "content": content}], **more).choices[0].message

    def plain(self, text):
        return self.ask(text).content

    def stream(self, text):
        self.open = self.create([{"role": "user", "content": text}], stream=True)
        return (c.choices[0].delta.content for c in self.open if c.choices and c.choices[0].delta.content)

    def turn(self, message):
        """An answer as it is sent back."""
        return message

    def tools(self, question):
        ask = [{"role": "user", "content": question}]
        message = self.create(ask, tools=[TOOL]).choices[0].message
        call = message.tool_calls[0].function
        results = [{"role": "tool", "tool_call_id": c.id, "content": "sunny", **self.result} for c in message.tool_calls]
        second = self.create(ask + [self.turn(message)] + results, tools=[TOOL]).choices[0].message
        return call.name, json.loads(call.arguments) if isinstance(call.arguments, str) else call.arguments, second.content

    def image(self, text):
        return self.ask([{"type": "text", "text": text}, {"type": "image_url", "image_url": self.picture}]).content

    def schema(self, text):
        return json.loads(self.ask(text, response_format=FORMAT).content)


class OpenAIChat(ChatCompletions):
    name = "openai, chat completions"
    error = openai.APIStatusError

    def make(self, headers=None):
        return openai.OpenAI(base_url=self.url + "/v1", api_key="client", max_retries=0, timeout=20)

    def create(self, messages, **more):
        return self.client.chat.completions.create(model=self.model, messages=messages, max_tokens=500, **more)

    def turn(self, message):
        return message.model_dump(exclude_none=True)

    def embeddings(self, texts, model):
        return [item.embedding for item in self.client.embeddings.create(model=model, input=texts).data]

    def failing(self):
        self.ask(HELLO, extra_headers=DEADLINE)

    def close(self):
        self.client.close()


class AzureChat(OpenAIChat):
    name = "openai, AzureOpenAI"
    provider, model = "azure_openai", "azure/gpt-4o"

    def make(self, headers=None):
        return openai.AzureOpenAI(azure_endpoint=self.url, api_key="client", api_version="2024-10-21", max_retries=0, timeout=20)


class OpenAIResponses(OpenAIChat):
    name = "openai, responses"
    embeddings = None

    def create(self, given, **more):
        return self.client.responses.create(model=self.model, input=given, max_output_tokens=500, **more)

    def plain(self, text):
        return self.create(text).output_text

    def stream(self, text):
        self.open = self.create(text, stream=True)
        return (event.delta for event in self.open if event.type == "response.output_text.delta")

    def tools(self, question):
        tools = [{"type": "function", "strict": False, **FUNCTION}]
        ask = [{"role": "user", "content": question}]
        first = self.create(ask, tools=tools)
        calls = [item for item in first.output if item.type == "function_call"]
        results = [{"type": "function_call_output", "call_id": c.call_id, "output": "sunny"} for c in calls]
        second = self.create(ask + [c.model_dump(exclude_none=True) for c in calls] + results, tools=tools)
        return calls[0].name, json.loads(calls[0].arguments), second.output_text

    def image(self, text):
        parts = [{"type": "input_text", "text": text}, {"type": "input_image", "image_url": PICTURE, "detail": "auto"}]
        return self.create([{"role": "user", "content": parts}]).output_text

    def schema(self, text):
        return json.loads(self.create(text, text={"format": {"type": "json_schema", "name": "report", "schema": SCHEMA, "strict": True}}).output_text)

    def failing(self):
        self.create(HELLO, extra_headers=DEADLINE)


class AnthropicMessages(Adapter):
    name = "anthropic"
    provider, model, foreign = "anthropic", "claude-sonnet-4-5", "openai/gpt-4o-mini"
    error = anthropic.APIStatusError

    def make(self, headers=None):
        return anthropic.Anthropic(base_url=self.url, api_key="client", max_retries=0, timeout=20)

    def create(self, messages, **more):
        return self.client.messages.create(model=self.model, messages=messages, max_tokens=500, **more)

    def plain(self, text):
        return self.create([{"role": "user", "content": text}]).content[0].text

    def stream(self, text):
        self.open = self.create([{"role": "user", "content": text}], stream=True)
        return (e.delta.text for e in self.open if e.type == "content_block_delta" and e.delta.type == "text_delta")

    def tools(self, question):
        tools = [{"name": FUNCTION["name"], "description": FUNCTION["description"], "input_schema": PARAMETERS}]
        ask = [{"role": "user", "content": question}]
        first = self.create(ask, tools=tools)
        uses = [block for block in first.content if block.type == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": use.id, "content": "sunny"} for use in uses]
        second = self.create(ask + [{"role": "assistant", "content": [b.model_dump(exclude_none=True) for b in first.content]},
                                    {"role": "user", "content": results}], tools=tools)
        return uses[0].name, uses[0].input, second.content[0].text

    def image(self, text):
        picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": RED_DOT}}
        return self.create([{"role": "user", "content": [picture, {"type": "text", "text": text}]}]).content[0].text

    def schema(self, text):
        wish = {"format": {"type": "json_schema", "schema": SCHEMA}}
        return json.loads(self.create([{"role": "user", "content": text}], output_config=wish).content[0].text)

    def failing(self):
        self.create([{"role": "user", "content": HELLO}], extra_headers=DEADLINE)

    def close(self):
        self.client.close()


class AnthropicOnBedrock(AnthropicMessages):
    name = "anthropic, AnthropicBedrock"
    provider, model = "bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    hinted = False

    def make(self, headers=None):
        return anthropic.AnthropicBedrock(base_url=self.url, aws_access_key="AKIDCLIENT", aws_secret_key="secret", aws_region="us-east-1",
                                          max_retries=0, timeout=20)


class Gemini(Adapter):
    name = "google-genai"
    provider, model, embedding_model = "gemini", "gemini-2.5-flash", "gemini-embedding-001"
    foreign_embedding = "openai/text-embedding-3-small"
    error = genai.errors.APIError

    def make(self, headers=None):
        return genai.Client(api_key="client", http_options={"base_url": self.url, "api_version": "v1beta", "headers": headers or {}})

    def create(self, contents, **config):
        return self.client.models.generate_content(model=self.model, contents=contents, config=types.GenerateContentConfig(**config))

    def plain(self, text):
        return self.create(text).text

    def stream(self, text):
        self.open = self.client.models.generate_content_stream(model=self.model, contents=text, config=types.GenerateContentConfig())
        return (piece.text for piece in self.open if piece.text)

    def tools(self, question):
        tools = [types.Tool(function_declarations=[types.FunctionDeclaration(
            name=FUNCTION["name"], description=FUNCTION["description"], parameters_json_schema=PARAMETERS)])]
        ask = types.Content(role="user", parts=[types.Part(text=question)])
        first = self.create([ask], tools=tools, automatic_function_calling={"disable": True})
        call = first.function_calls[0]
        result = types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": "sunny"}))
        second = self.create([ask, first.candidates[0].content, types.Content(role="user", parts=[result])], tools=tools,
                             automatic_function_calling={"disable": True})
        return call.name, dict(call.args), second.text

    def embeddings(self, texts, model):
        return [item.values for item in self.client.models.embed_content(model=model, contents=texts).embeddings]

    def image(self, text):
        return self.create([types.Part.from_bytes(data=base64.b64decode(RED_DOT), mime_type="image/png"), text]).text

    def schema(self, text):
        return json.loads(self.create(text, response_mime_type="application/json", response_json_schema=SCHEMA).text)

    def failing(self):
        self.failing_with(self.make(DEADLINE))

    def status(self, error):
        return error.code


class Cohere(Adapter):
    name = "cohere"
    provider, model, embedding_model = "cohere", "command-a-03-2025", "embed-english-v3.0"
    foreign, foreign_embedding = "openai/gpt-4o-mini", "openai/text-embedding-3-small"
    error = ApiError

    def make(self, headers=None):
        return cohere.ClientV2(api_key="client", base_url=self.url)

    def create(self, messages, **more):
        return self.client.chat(model=self.model, messages=messages, request_options={"max_retries": 0, "additional_headers": more.pop("headers", {})},
                                **more)

    def plain(self, text):
        return self.create([{"role": "user", "content": text}]).message.content[0].text

    def stream(self, text):
        self.open = self.client.chat_stream(model=self.model, messages=[{"role": "user", "content": text}])
        return (e.delta.message.content.text for e in self.open if e.type == "content-delta")

    def tools(self, question):
        ask = [{"role": "user", "content": question}]
        message = self.create(ask, tools=[TOOL]).message
        call = message.tool_calls[0]
        turn = {"role": "assistant", "tool_calls": [c.model_dump(exclude_none=True) for c in message.tool_calls]}
        results = [{"role": "tool", "tool_call_id": c.id, "content": "sunny"} for c in message.tool_calls]
        second = self.create(ask + [turn] + results, tools=[TOOL])
        return call.function.name, json.loads(call.function.arguments), second.message.content[0].text

    def embeddings(self, texts, model):
        return self.client.embed(model=model, texts=texts, input_type="search_document", embedding_types=["float"]).embeddings.float_

    def image(self, text):
        parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": PICTURE}}]
        return self.create([{"role": "user", "content": parts}]).message.content[0].text

    def schema(self, text):
        answer = self.create([{"role": "user", "content": text}], response_format={"type": "json_object", "json_schema": SCHEMA})
        return json.loads(answer.message.content[0].text)

    def failing(self):
        self.create([{"role": "user", "content": HELLO}], headers=DEADLINE)

    def hint(self, error):
        return float({k.lower(): v for k, v in error.headers.items()}["retry-after"])


class MistralClient(ChatCompletions):
    name = "mistralai"
    provider, model, embedding_model = "mistral", "mistral-large-latest", "mistral-embed"
    foreign_embedding = "gemini/gemini-embedding-001"  # OpenAI's own answer has no id, which this client wants
    error = SDKError
    picture = PICTURE
    result = {"name": "get_weather"}

    def __init__(self, url, model=None):
        super().__init__(url, f"mistral/{self.model}" if model is None else model)

    def make(self, headers=None):
        return Mistral(api_key="client", server_url=self.url)

    def create(self, messages, **more):
        return self.client.chat.complete(model=self.model, messages=messages, **more)

    def stream(self, text):
        self.open = self.client.chat.stream(model=self.model, messages=[{"role": "user", "content": text}])
        return (e.data.choices[0].delta.content for e in self.open if e.data.choices and e.data.choices[0].delta.content)

    def cancel(self, stream):
        self.open.response.close()

    def embeddings(self, texts, model):
        return [item.embedding for item in self.client.embeddings.create(model=model if "/" in model else "mistral/" + model, inputs=texts).data]

    def failing(self):
        self.ask(HELLO, http_headers=DEADLINE)

    def hint(self, error):
        return float(error.headers["retry-after"])


class HuggingFace(ChatCompletions):
    name = "huggingface_hub"
    provider, model = "huggingface", "huggingface/Qwen/Qwen3-32B"
    error = HfHubHTTPError

    def make(self, headers=None):
        return InferenceClient(base_url=self.url + "/v1", api_key="client", headers=headers)

    def create(self, messages, **more):
        return self.client.chat.completions.create(model=self.model, messages=messages, max_tokens=500, **more)

    def turn(self, message):
        return {"role": "assistant", "tool_calls": [{"id": c.id, "type": "function", "function": {
            "name": c.function.name, "arguments": c.function.arguments}} for c in message.tool_calls]}

    def failing(self):
        self.failing_with(self.make(DEADLINE))

    def status(self, error):
        return error.response.status_code


class Ollama(Adapter):
    name = "ollama"  # its errors carry no headers, so there is no hint to see
    provider, model, embedding_model = "local", "local/qwen3", "local/nomic-embed-text"
    foreign_embedding = "openai/text-embedding-3-small"
    error = ollama.ResponseError
    hint = None
    limited = 503  # a server of one's own has no accounts: its 429 says that it is busy

    def make(self, headers=None):
        return ollama.Client(host=self.url, headers=headers or {})

    def create(self, messages, **more):
        return self.client.chat(model=self.model, messages=messages, **more)

    def plain(self, text):
        return self.create([{"role": "user", "content": text}]).message.content

    def stream(self, text):
        self.open = self.create([{"role": "user", "content": text}], stream=True)
        return (piece.message.content for piece in self.open if piece.message.content)

    def tools(self, question):
        ask = [{"role": "user", "content": question}]
        message = self.create(ask, tools=[TOOL]).message
        call = message.tool_calls[0]
        results = [{"role": "tool", "tool_name": c.function.name, "content": "sunny"} for c in message.tool_calls]
        second = self.create(ask + [message] + results, tools=[TOOL])
        return call.function.name, dict(call.function.arguments), second.message.content

    def embeddings(self, texts, model):
        return self.client.embed(model=model, input=texts).embeddings

    def image(self, text):
        return self.create([{"role": "user", "content": text, "images": [RED_DOT]}]).message.content

    def schema(self, text):
        return json.loads(self.create([{"role": "user", "content": text}], format=SCHEMA).message.content)

    def failing(self):
        self.failing_with(self.make(DEADLINE))


class Bedrock(Adapter):
    name = "boto3, bedrock-runtime"
    provider, model = "bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    hinted = False
    foreign = "openai/gpt-4o-mini"
    error = ClientError

    def make(self, headers=None):
        return boto3.client("bedrock-runtime", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="AKIDCLIENT",
                            aws_secret_access_key="secret", config=Config(retries={"max_attempts": 0}, read_timeout=20))

    def arguments(self, messages, **more):
        return {"modelId": self.model, "messages": messages, "inferenceConfig": {"maxTokens": 500}, **more}

    def create(self, messages, **more):
        return self.client.converse(**self.arguments(messages, **more))["output"]["message"]

    @staticmethod
    def turn(*blocks):
        return {"role": "user", "content": list(blocks)}

    def plain(self, text):
        return self.create([self.turn({"text": text})])["content"][0]["text"]

    def stream(self, text):
        self.open = self.client.converse_stream(**self.arguments([self.turn({"text": text})]))["stream"]
        return (e["contentBlockDelta"]["delta"]["text"] for e in self.open if "text" in e.get("contentBlockDelta", {}).get("delta", {}))

    def tools(self, question):
        config = {"tools": [{"toolSpec": {"name": FUNCTION["name"], "description": FUNCTION["description"], "inputSchema": {"json": PARAMETERS}}}]}
        ask = [self.turn({"text": question})]
        message = self.create(ask, toolConfig=config)
        uses = [block["toolUse"] for block in message["content"] if "toolUse" in block]
        results = [{"toolResult": {"toolUseId": use["toolUseId"], "content": [{"text": "sunny"}]}} for use in uses]
        second = self.create(ask + [message, self.turn(*results)], toolConfig=config)
        return uses[0]["name"], uses[0]["input"], second["content"][0]["text"]

    def image(self, text):
        picture = {"image": {"format": "png", "source": {"bytes": base64.b64decode(RED_DOT)}}}
        return self.create([self.turn({"text": text}, picture)])["content"][0]["text"]

    def schema(self, text):
        wish = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"name": "report", "schema": json.dumps(SCHEMA)}}}}
        return json.loads(self.create([self.turn({"text": text})], outputConfig=wish)["content"][0]["text"])

    def failing(self):
        hasty = self.make()
        hasty.meta.events.register("before-sign", lambda request, **_: request.headers.add_header(*next(iter(DEADLINE.items()))))
        try:
            self.failing_with(hasty)
        finally:
            hasty.close()

    def status(self, error):
        return error.response["ResponseMetadata"]["HTTPStatusCode"]

    def hint(self, error):
        return float(error.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"])

    def close(self):
        self.client.close()


class LangChain(Adapter):
    name = "langchain-openai"
    error = openai.APIStatusError

    def make(self, headers=None):
        return ChatOpenAI(base_url=self.url + "/v1", api_key="client", model=self.model, max_retries=0, default_headers=headers)

    def plain(self, text):
        return self.client.invoke(text).content

    def stream(self, text):
        self.open = self.client.stream(text)
        return (piece.content for piece in self.open if piece.content)

    def tools(self, question):
        chat = self.client.bind_tools([TOOL])
        first = chat.invoke([HumanMessage(question)])
        results = [ToolMessage("sunny", tool_call_id=c["id"]) for c in first.tool_calls]
        second = chat.invoke([HumanMessage(question), first, *results])
        return first.tool_calls[0]["name"], first.tool_calls[0]["args"], second.content

    def embeddings(self, texts, model):
        client = OpenAIEmbeddings(base_url=self.url + "/v1", api_key="client", model=model, max_retries=0, check_embedding_ctx_length=False)
        return client.embed_documents(texts)

    def image(self, text):
        parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": PICTURE}}]
        return self.client.invoke([HumanMessage(parts)]).content

    def schema(self, text):
        return json.loads(self.client.bind(response_format=FORMAT).invoke(text).content)

    def failing(self):
        self.make(DEADLINE).invoke(HELLO)


ADAPTERS = [OpenAIChat, AzureChat, OpenAIResponses, AnthropicMessages, AnthropicOnBedrock, Gemini, Cohere, MistralClient, HuggingFace, Ollama,
            Bedrock, LangChain]
