"""Every official client does everything that its protocol has: to its own provider, and to another one by translation."""
import time
from harness import call
from contract import ADAPTERS, HELLO, QUESTION
from matrix import MatrixCase, PROVIDERS, Table
from wire import until

POOL_OF = {provider: pool for pool, provider, *_ in PROVIDERS}


class ClientContract(MatrixCase):
    def each(self, capability, needs, check, foreign=True):
        """Runs a check for each client that can do this, against its own provider and a foreign one."""
        for kind in ADAPTERS:
            if getattr(kind, needs) is None:
                continue
            Table.note_client(kind.name, capability, False)
            models = (None, kind.foreign) if foreign else (None,)
            done = []
            for model in models:
                with self.subTest(client=kind.name, model=model or kind.model):
                    adapter = kind(self.url, model)
                    self.addCleanup(adapter.close)
                    check(adapter)
                    done.append(model)
            Table.note_client(kind.name, capability, len(done) == len(models))

    def test_plain(self):
        def check(client):
            self.assertTrue(client.plain(HELLO))
        self.each("plain", "plain", check)

    def test_stream(self):
        def check(client):
            pieces = list(client.stream(HELLO))
            self.assertGreater(len(pieces), 3)
            self.assertEqual("".join(pieces), client.plain(HELLO))
        self.each("stream", "stream", check)

    def test_tools_round_trip(self):
        def check(client):
            name, arguments, answer = client.tools(QUESTION)
            self.assertEqual((name, arguments), ("get_weather", {"city": "Paris"}))
            self.assertTrue(answer)
        self.each("tools round trip", "tools", check)

    def test_embeddings(self):
        def check(client):
            for model in (client.embedding_model, client.foreign_embedding, "bedrock/cohere.embed-english-v3"):
                vectors = client.embeddings(["a pool", "a river"], model)
                self.assertEqual(len(vectors), 2)
                self.assertGreater(len(vectors[0]), 8)
                self.assertNotEqual(vectors[0], vectors[1])
        self.each("embeddings", "embeddings", check, foreign=False)

    def test_images(self):
        self.each("images", "image", lambda client: self.assertTrue(client.image("What is this?")))

    def test_json_schema(self):
        self.each("JSON schema", "schema", lambda client: self.assertEqual(set(client.schema(HELLO)), {"city", "warm"}))

    def provider(self, client):
        return client.provider if "/" not in client.model or client.model == type(client).model or client.model.startswith("mistral/") else next(
            provider for pool, provider, *_ in PROVIDERS if client.model.startswith(pool + "/"))

    def failure(self, client, **fault):
        """The error that the client raises when its provider answers like this."""
        provider = self.provider(client)
        # The key that an earlier client has used up must not wait for this one.
        self.assertEqual(call(f"{self.url}/api/pools/{POOL_OF[provider]}/endpoints/key1/reset", {}, method="POST")[0], 200)
        self.faults({"kind": "status", "match": {"provider": provider}, **fault})
        with self.assertRaises(client.error) as caught:
            client.failing()
        self.assertGreaterEqual(self.fault_hits(), 1, "the fault was met")
        self.faults()
        return caught.exception

    def test_typed_errors(self):
        def check(client):
            for status in (400, 404, 429):
                error = self.failure(client, status=status, retry_after=3)
                self.assertEqual(client.status(error), client.limited if status == 429 and client.provider == self.provider(client) else status)
        self.each("typed errors", "plain", check)

    def test_retry_hints(self):
        def check(client):
            if self.provider(client) == client.provider and not client.hinted:
                return
            hint = client.hint(self.failure(client, status=429, retry_after=3))
            self.assertTrue(0 < hint <= 4, hint)
        self.each("retry hints", "hint", check)

    def test_cancel(self):
        def cancelled():
            return self.stats()["cancelled"]["mid_stream"]

        def check(client):
            before = cancelled()
            self.faults({"kind": "stall", "after_events": 6, "count": 1})
            stream = client.stream(HELLO)
            next(stream)
            client.cancel(stream)
            until(lambda: cancelled() == before + 1, "the provider sees that the client has gone")
            self.faults()
        self.each("cancel", "stream", check)
