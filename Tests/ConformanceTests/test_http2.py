"""HTTP/2 towards providers, through the real binaries: the official SDKs on every surface with every provider, and a thousand
calls that go on while the provider changes its mind about streams and says goodbye."""
import asyncio, json, resource, unittest, urllib.parse
import matrix, test_matrix
from harness import GatewayCase, call

POOLS = matrix.POOLS.replace("keys: [", "connections: {protocol: http2}, keys: [")


class OverHTTP2:
    """The matrix once more; the table of docs/compatibility.md is not about it."""
    pools = POOLS

    def each(self, feature, surface, check, where=lambda row: True):
        for row in matrix.PROVIDERS:
            if where(row):
                with self.subTest(provider=row[0]):
                    check(f"{row[0]}/{row[3]}", row)

    def tearDown(self):
        self.assertGreater(self.stats()["connections"]["http2"], 0, "not a single connection was HTTP/2")
        super().tearDown()


class OpenAIOverHTTP2(OverHTTP2, test_matrix.A_OpenAIMatrix):
    pass


class AnthropicOverHTTP2(OverHTTP2, test_matrix.B_AnthropicMatrix):
    pass


class ManyCallsTests(GatewayCase):
    """1,000 streams at once; the stream limit falls from 100 to 10 meanwhile, and connections are told to go away."""
    calls = 1_000
    simulator_arguments = ["--latency", "none", "--max-concurrent-streams", "100"]
    pools = """
  openai: {provider: openai, base_url: "SIMULATOR/v1", keys: [sk-test-1], connections: {protocol: http2, max: 30}}
"""
    routes = "admission: {capacity: 3000}\n"

    def limit(self, streams):
        status, _, answer = call(self.simulator.url + "/_simulator/http2", {"max_concurrent_streams": streams}, method="PUT")
        self.assertEqual((status, answer.get("max_concurrent_streams")), (200, streams), answer)
        return answer

    async def one(self, number):
        """What is wrong with this stream; None if it came to its proper end."""
        place = urllib.parse.urlparse(self.url)
        body = json.dumps({"model": "gpt-4o-mini", "stream": True, "max_tokens": 24,
                           "messages": [{"role": "user", "content": f"Tell me story {number}."}]}).encode()
        try:
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
            writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: %s\r\ncontent-type: application/json\r\nconnection: close\r\n"
                         b"content-length: %d\r\n\r\n%s" % (place.netloc.encode(), len(body), body))
            answer = await asyncio.wait_for(reader.read(-1), 90)
            writer.close()
        except Exception as error:
            return repr(error)
        head, _, chunks = answer.partition(b"\r\n\r\n")
        text, size = b"", -1
        while size and chunks:
            line, _, chunks = chunks.partition(b"\r\n")
            size = int(line, 16)
            text, chunks = text + chunks[:size], chunks[size + 2:]
        good = head.startswith(b"HTTP/1.1 200 ") and size == 0 and text.endswith(b"data: [DONE]\n\n") and b'"error"' not in text
        return None if good else answer[:300] + b" ... " + answer[-300:]

    async def all(self):
        running = [asyncio.create_task(self.one(number)) for number in range(self.calls)]
        in_use = lambda: self.stats()["requests"]["concurrent"]
        while sum(task.done() for task in running) < self.calls:
            if await asyncio.to_thread(in_use) >= self.calls / 3:
                break
            await asyncio.sleep(0.05)
        await asyncio.to_thread(self.limit, 10)
        # Those that the old limit let in go on beside the new ones; half of all calls are still to be served.
        while sum(task.done() for task in running) < self.calls / 2:
            await asyncio.sleep(0.05)
        self.later = await asyncio.to_thread(self.limit, 11)
        return [problem for problem in await asyncio.gather(*running) if problem]

    def test_nothing_fails(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4_096)) if hard > 0 else 4_096, hard))
        self.faults({"kind": "goaway", "mode": "after", "rate": 0.01, "count": 8},
                    {"kind": "goaway", "mode": "before", "rate": 0.01, "count": 8},
                    {"kind": "rst_stream", "error": "refused_stream", "rate": 0.02, "count": 20},
                    {"kind": "slow", "first_byte": 1, "tokens_per_second": 20})
        problems = asyncio.run(self.all())
        logs = "".join(["simulator:\n", *self.simulator.lines[-20:], "gateway:\n", *self.gateway.lines[-20:]])
        self.assertEqual(problems[:3], [], f"{len(problems)} of {self.calls} failed\n{self.stats()}\n{logs}")
        stats = self.stats()
        self.assertGreaterEqual(stats["requests"]["completed"], self.calls)
        self.assertGreaterEqual(stats["requests"]["peak"], self.calls / 3)
        self.assertGreater(stats["fault_hits"]["goaway"], 4, stats["fault_hits"])
        self.assertGreater(stats["connections"]["http2"], 3)
        self.assertLess(stats["connections"]["http2"], 300, "connections are used for more than one call")


if __name__ == "__main__":
    unittest.main()
