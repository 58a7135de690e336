"""The other official clients, unmodified: each on its own surface, to its own provider and to another one."""
import json, unittest
import anthropic, boto3, cohere, ollama, openai
from botocore.config import Config
from botocore.exceptions import ClientError
from google import genai
from google.genai import types
from huggingface_hub import InferenceClient
from langchain_openai import ChatOpenAI
from mistralai.client import Mistral
from matrix import MatrixCase

QUESTION = "How is the weather in Paris?"


class GeminiClient(MatrixCase):
    def setUp(self):
        self.client = genai.Client(api_key="client", http_options={"base_url": self.url, "api_version": "v1beta"})

    def test_plain_and_stream(self):
        for model in ("gemini-2.5-flash", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"):
            with self.subTest(model=model):
                plain = self.client.models.generate_content(model=model, contents="Say hello to the pool.")
                self.assertTrue(plain.text)
                self.assertGreater(plain.usage_metadata.total_token_count, 0)
                pieces = list(self.client.models.generate_content_stream(model=model, contents="Say hello to the pool."))
                self.assertEqual("".join(piece.text or "" for piece in pieces), plain.text)

    def test_tools(self):
        tool = types.Tool(function_declarations=[types.FunctionDeclaration(
            name="get_weather", description="Weather", parameters_json_schema={
                "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})])
        config = types.GenerateContentConfig(tools=[tool], tool_config=types.ToolConfig(
            function_calling_config=types.FunctionCallingConfig(mode="ANY")))
        for model in ("gemini-2.5-flash", "openai/gpt-4o-mini"):
            with self.subTest(model=model):
                answer = self.client.models.generate_content(model=model, contents=QUESTION, config=config)
                self.assertEqual(answer.function_calls[0].name, "get_weather")
                self.assertIn("city", answer.function_calls[0].args)

    def test_embeddings_and_counts(self):
        result = self.client.models.embed_content(model="gemini-embedding-001", contents=["a", "b"])
        self.assertEqual(len(result.embeddings), 2)
        count = self.client.models.count_tokens(model="gemini-2.5-flash", contents="How long is this?")
        self.assertGreater(count.total_tokens, 0)

    def test_typed_error(self):
        self.faults({"kind": "status", "status": 404, "match": {"provider": "gemini"}})
        with self.assertRaises(genai.errors.ClientError) as caught:
            self.client.models.generate_content(model="gemini-2.5-flash", contents="x")
        self.assertEqual(caught.exception.code, 404)


class CohereClient(MatrixCase):
    def setUp(self):
        self.client = cohere.ClientV2(api_key="client", base_url=self.url)

    def test_plain_and_stream(self):
        for model in ("command-a-03-2025", "openai/gpt-4o-mini"):
            with self.subTest(model=model):
                plain = self.client.chat(model=model, messages=[{"role": "user", "content": "Say hello to the pool."}])
                text = plain.message.content[0].text
                pieces = [event.delta.message.content.text
                          for event in self.client.chat_stream(model=model, messages=[{"role": "user", "content": "Say hello to the pool."}])
                          if event.type == "content-delta"]
                self.assertEqual("".join(pieces), text)

    def test_embed_and_rerank(self):
        answer = self.client.embed(model="embed-english-v3.0", texts=["a", "b"], input_type="search_document", embedding_types=["float"])
        self.assertEqual(len(answer.embeddings.float_), 2)
        ranked = self.client.rerank(model="rerank-v3.5", query="pool", documents=["a river", "a pool"])
        self.assertEqual(ranked.results[0].index, 1)

    def test_typed_error(self):
        self.faults({"kind": "status", "status": 404, "match": {"provider": "cohere"}})
        with self.assertRaises(cohere.NotFoundError):
            self.client.chat(model="command-a-03-2025", messages=[{"role": "user", "content": "x"}])


class MistralClient(MatrixCase):
    def test_plain_stream_and_tools(self):
        client = Mistral(api_key="client", server_url=self.url)
        for model in ("mistral/mistral-large-latest", "anthropic/claude-sonnet-4-5"):
            with self.subTest(model=model):
                plain = client.chat.complete(model=model, messages=[{"role": "user", "content": "Say hello to the pool."}])
                text = plain.choices[0].message.content
                pieces = [event.data.choices[0].delta.content or "" for event in client.chat.stream(
                    model=model, messages=[{"role": "user", "content": "Say hello to the pool."}]) if event.data.choices]
                self.assertEqual("".join(pieces), text)


class OllamaClient(MatrixCase):
    def setUp(self):
        self.client = ollama.Client(host=self.url)

    def test_chat_and_stream(self):
        for model in ("local/qwen3", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"):
            with self.subTest(model=model):
                plain = self.client.chat(model=model, messages=[{"role": "user", "content": "Say hello to the pool."}])
                self.assertTrue(plain.done)
                pieces = list(self.client.chat(model=model, messages=[{"role": "user", "content": "Say hello to the pool."}], stream=True))
                self.assertEqual("".join(piece.message.content for piece in pieces), plain.message.content)
                self.assertTrue(pieces[-1].done)

    def test_generate_embed_and_list(self):
        self.assertTrue(self.client.generate(model="openai/gpt-4o-mini", prompt="Say hello.").response)
        self.assertEqual(len(self.client.embed(model="openai/text-embedding-3-small", input=["a", "b"]).embeddings), 2)
        self.assertTrue(self.client.list().models)


class BedrockClient(MatrixCase):
    def setUp(self):
        self.client = boto3.client("bedrock-runtime", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="AKIDCLIENT",
                                   aws_secret_access_key="secret", config=Config(retries={"max_attempts": 1}))

    def test_converse_and_stream(self):
        for model in ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "openai/gpt-4o-mini"):
            with self.subTest(model=model):
                arguments = {"modelId": model, "messages": [{"role": "user", "content": [{"text": "Say hello to the pool."}]}],
                             "inferenceConfig": {"maxTokens": 200}}
                plain = self.client.converse(**arguments)
                text = plain["output"]["message"]["content"][0]["text"]
                events = list(self.client.converse_stream(**arguments)["stream"])
                self.assertEqual("".join(e["contentBlockDelta"]["delta"].get("text", "") for e in events if "contentBlockDelta" in e), text)
                self.assertIn("metadata", events[-1])

    def test_signatures_are_checked_by_the_simulator_itself(self):
        def client(secret):
            return boto3.client("bedrock-runtime", endpoint_url=self.simulator.url, region_name="us-east-1", aws_access_key_id="AKIDCLIENT",
                                aws_secret_access_key=secret, config=Config(retries={"max_attempts": 1}))
        arguments = {"modelId": "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
        self.assertTrue(client("simulator-secret").converse(**arguments)["output"])
        with self.assertRaises(ClientError) as caught:
            client("wrong").converse(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidSignatureException")

    def test_anthropic_bedrock_client(self):
        client = anthropic.AnthropicBedrock(base_url=self.url, aws_access_key="AKIDCLIENT", aws_secret_key="secret", aws_region="us-east-1",
                                            max_retries=0)
        for model in ("us.anthropic.claude-sonnet-4-5-20250929-v1:0",):
            answer = client.messages.create(model=model, max_tokens=200, messages=[{"role": "user", "content": "Say hello."}])
            self.assertTrue(answer.content[0].text)
            with client.messages.stream(model=model, max_tokens=200, messages=[{"role": "user", "content": "Say hello."}]) as stream:
                self.assertEqual("".join(stream.text_stream), answer.content[0].text)

    def test_typed_error(self):
        self.faults({"kind": "status", "status": 404, "match": {"provider": "bedrock"}})
        with self.assertRaises(self.client.exceptions.ResourceNotFoundException):
            self.client.converse(modelId="amazon.nova-pro-v1:0", messages=[{"role": "user", "content": [{"text": "x"}]}])


class OpenAIShapedClients(MatrixCase):
    def test_azure_class(self):
        client = openai.AzureOpenAI(azure_endpoint=self.url, api_key="client", api_version="2024-10-21", max_retries=0)
        answer = client.chat.completions.create(model="azure/gpt-4o", messages=[{"role": "user", "content": "Hello"}])
        self.assertTrue(answer.choices[0].message.content)

    def test_hugging_face_client(self):
        client = InferenceClient(base_url=self.url + "/v1", api_key="client")
        answer = client.chat.completions.create(model="huggingface/Qwen/Qwen3-32B", messages=[{"role": "user", "content": "Hello"}])
        self.assertTrue(answer.choices[0].message.content)

    def test_langchain(self):
        chat = ChatOpenAI(base_url=self.url + "/v1", api_key="client", model="anthropic/claude-sonnet-4-5", max_retries=0)
        self.assertTrue(chat.invoke("Hello").content)
        self.assertTrue("".join(piece.content for piece in chat.stream("Hello")))

    def test_responses_to_a_provider_without_it(self):
        client = openai.OpenAI(base_url=self.url + "/v1", api_key="client", max_retries=0)
        for model in ("openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash"):
            with self.subTest(model=model):
                plain = client.responses.create(model=model, input="Say hello to the pool.")
                with client.responses.stream(model=model, input="Say hello to the pool.") as stream:
                    final = [event for event in stream][-1]
                self.assertEqual(final.type, "response.completed")
                self.assertEqual(final.response.output_text, plain.output_text)

    def test_native_path(self):
        client = openai.OpenAI(base_url=self.url + "/pools/openai/v1", api_key="client", max_retries=0)
        self.assertTrue(client.models.list().data)


if __name__ == "__main__":
    unittest.main()
