"""What goes wrong in life: upstreams that die, hang, lie or refuse, clients that are slow, gone or hostile. Each case is
bounded in time, ends in the client's own words, and leaves the gateway serving."""
import asyncio, json, os, signal, socket, ssl, subprocess, sys, tempfile, threading, time, unittest, urllib.parse
from concurrent.futures import ThreadPoolExecutor
from harness import BINARY, GatewayCase, Program, call
from wire import CHAT_ANSWER, Client, Upstream, closed_port, frozen_listener, plain, until

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
RESPONSES = {"model": "gpt-4o-mini", "input": "Hello"}
MESSAGES = {"model": "claude-sonnet-4-5", "max_tokens": 200, "messages": [{"role": "user", "content": "Hello"}]}
VERSION = ["anthropic-version: 2023-06-01"]
SURFACES = {"chat": ("/v1/chat/completions", CHAT, ()), "responses": ("/v1/responses", RESPONSES, ()),
            "messages": ("/v1/messages", MESSAGES, VERSION)}
PATIENT = "health: {unhealthy_after: 1000}, retry: {attempts: 3, budget: 100%}"


def error_of(surface, body):
    """(code, message) of an error in that surface's shape."""
    if surface == "messages":
        assert body["type"] == "error", body
        return body["error"]["details"]["error_code"], body["error"]["message"]
    return body["error"]["code"], body["error"]["message"]


def stream_error(surface, answer):
    """The code in the error event that ends a stream; fails if it ends in anything else."""
    name, data = answer.events[-1]
    if surface == "chat":
        return data["error"]["code"]
    assert name == "error" and data["type"] == "error", answer.events[-1]
    if surface == "responses":
        assert data["sequence_number"] == len(answer.events) - 1, data
        return data["code"]
    return data["error"]["details"]["error_code"]


class FaultCase(GatewayCase):
    """As GatewayCase, with endpoints that forgive failures so that one test does not take a key from the next."""
    pools = """
  openai: {provider: openai, base_url: "SIMULATOR/v1", keys: [{name: first, key: sk-test-1}, {name: second, key: sk-test-2}], %s}
  anthropic: {provider: anthropic, base_url: "SIMULATOR", keys: [{name: first, key: sk-ant-test-1}], %s}
""" % (PATIENT, PATIENT)

    def client(self):
        client = Client(self.url)
        self.addCleanup(client.close)
        return client

    def ask(self, surface="chat", stream=False, headers=()):
        path, body, more = SURFACES[surface]
        with Client(self.url) as client:
            return client.ask(path, {**body, "stream": True} if stream else body, [*more, *headers])

    def open_stream(self, surface="chat", text=b"data:"):
        """A stream whose first bytes have come: (client, answer)."""
        path, body, more = SURFACES[surface]
        client = self.client()
        client.post(path, {**body, "stream": True}, more)
        answer = client.begin()
        self.assertEqual(answer.status, 200)
        while text not in answer.body:
            self.assertTrue(client.chunk(answer), f"the stream ended before {text}: {answer.body[-300:]}")
        return client, answer

    def hits(self):
        """How often the faults now set were applied."""
        return sum(fault["hits"] for fault in call(self.simulator.url + "/_simulator/faults")[2])

    def metric(self, name, **labels):
        """The sum of a metric's samples that carry these labels."""
        total = 0.0
        for line in call(self.url + "/metrics")[2].splitlines():
            if line.split("{")[0].split(" ")[0] == "sluice_" + name and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def endpoints(self, pool="openai"):
        return {e["name"]: e for e in call(f"{self.url}/api/pools/{pool}")[2]["endpoints"]}

    def pool(self, name):
        return call(f"{self.url}/api/pools/{name}")[2]

    def timed(self, surface="chat"):
        """(answer, seconds) of one request on a connection of its own."""
        begin = time.monotonic()
        answer = self.ask(surface)
        return answer, time.monotonic() - begin

    def together(self, count):
        """As `timed`, for that many requests at once."""
        with ThreadPoolExecutor(count) as threads:
            return [asked.result() for asked in [threads.submit(self.timed) for _ in range(count)]]

    def assert_serves(self, surface="chat"):
        answer = self.ask(surface)
        self.assertEqual(answer.status, 200, answer.body)
        return answer


class BetweenRequestsTests(FaultCase):
    """A kept connection that died while nobody used it must cost no client anything."""

    def restart(self):
        port = urllib.parse.urlparse(self.simulator.url).port
        self.simulator.process.kill()
        self.simulator.process.wait()
        type(self).simulator = Program("simulate", "--listen", f"127.0.0.1:{port}", "--latency", "none")

    def test_upstream_killed_between_requests(self):
        for surface in SURFACES:
            self.assert_serves(surface)
        self.restart()
        for surface in SURFACES:
            self.assert_serves(surface)

    def test_upstream_closes_idle_connections(self):
        self.faults({"kind": "idle_close", "after": 0})
        for _ in range(10):
            self.assert_serves()

    def test_upstream_closes_right_after_the_answer(self):
        self.faults({"kind": "early_close", "mode": "after_answer"})
        for _ in range(10):
            self.assert_serves()
            self.assert_serves("messages")

    def test_closed_on_reuse_is_replayed_once_and_counted(self):
        self.assert_serves()
        before = self.metric("replays_total")
        self.faults({"kind": "early_close", "mode": "on_reuse", "count": 1})
        answers = [self.assert_serves() for _ in range(6)]
        self.assertEqual(self.hits(), 1)
        self.assertEqual(sorted(a.headers["x-sluice-attempts"] for a in answers)[-1], "2")
        self.assertEqual(self.metric("replays_total") - before, 1)
        self.assertEqual(self.metric("retries_total"), 0, "a replay is no retry")

    def test_a_stream_is_replayed_too(self):
        self.assert_serves()
        self.faults({"kind": "early_close", "mode": "on_reuse", "count": 1})
        for _ in range(4):
            self.assertEqual(self.ask(stream=True).events[-1][1], "[DONE]")
        self.assertEqual(self.hits(), 1)

    def test_half_closed_upstream(self):
        self.faults({"kind": "half_close"})
        for _ in range(6):
            self.assert_serves()

    @unittest.skipUnless(sys.platform == "linux", "needs Linux: packet filter, /proc, listen queue")
    def test_silently_dropped_connection_costs_two_seconds_at_most(self):
        self.assert_serves("messages")
        self.faults({"kind": "drop", "after": 0, "count": 1, "match": {"provider": "anthropic"}})
        self.assert_serves("messages")
        until(lambda: self.stats()["connections"]["dropped"], "the simulator dropped a connection")
        begin = time.monotonic()
        self.assert_serves("messages")
        self.assertLess(time.monotonic() - begin, 2.0 + 0.5)

    @unittest.skipUnless(sys.platform == "linux", "needs Linux: packet filter, /proc, listen queue")
    def test_silently_dropped_connections_under_a_burst(self):
        """Many kept connections die without a word, then a request for each of them comes at once.

        Judged by what the gateway and the upstream counted. The only clock is a control of the same run: requests to the
        other pool, whose connections live, go around all the while and feel whatever slows this machine down."""
        count = 16
        openai = {"provider": "openai"}
        dropped, before = self.stats()["connections"]["dropped"], self.pool("openai")
        # Held at the upstream together, so each has a connection of its own, which dies when its answer is out.
        self.faults({"kind": "slow", "first_byte": 0.5}, {"kind": "drop", "after": 0, "count": count, "match": openai})
        self.assertEqual([answer.status for answer, _ in self.together(count)], [200] * count)
        until(lambda: self.stats()["connections"]["dropped"] == dropped + count, "the connections died")
        self.faults({"kind": "slow", "first_byte": 0.5})
        until(lambda: self.pool("openai")["connections"]["leased"] == 0, "all leases are back")
        idle = self.pool("openai")["connections"]["idle"]
        replays, total = self.metric("replays_total"), self.stats()["requests"]["total"]
        stop, control = threading.Event(), []

        def go_around():
            while not stop.is_set():
                control.append(self.timed("messages"))
        around = threading.Thread(target=go_around, daemon=True)
        around.start()
        try:
            burst = self.together(count)
        finally:
            stop.set()
            around.join(30)

        for answer, _ in burst + control:
            self.assertEqual(answer.status, 200, answer.body)
        replayed = [answer for answer, _ in burst if answer.headers["x-sluice-attempts"] == "2"]
        self.assertLessEqual({answer.headers["x-sluice-attempts"] for answer, _ in burst}, {"1", "2"})
        self.assertGreaterEqual(len(replayed), count // 2, f"the burst met dead connections: {idle} were idle")
        self.assertEqual(self.metric("replays_total") - replays, len(replayed))
        self.assertEqual(self.metric("retries_total"), 0, "a replay is no retry")
        self.assertEqual(self.stats()["requests"]["total"] - total, count + len(control), "nothing arrived twice")
        closed = lambda pool: sum(pool["connections"]["closed"].values())
        until(lambda: closed(self.pool("openai")) - closed(before) >= len(replayed), "the dead connections are gone")
        after = self.endpoints()
        self.assertEqual({(e["state"], e["consecutive_failures"]) for e in after.values()}, {("healthy", 0)})
        # Found dead within two seconds, then asked anew: twice what a request takes here and now.
        slowest = max(took for _, took in control)
        self.assertLess(max(took for _, took in burst), 2.0 + 2 * slowest, sorted(took for _, took in burst))


class MidAnswerTests(FaultCase):
    """An upstream that breaks while it answers."""

    def test_one_broken_plain_answer_is_recovered(self):
        for fault in ({"kind": "reset", "after_bytes": 0}, {"kind": "reset", "after_bytes": 100},
                      {"kind": "truncate", "after_bytes": 300}, {"kind": "garbage"}):
            for surface in SURFACES:
                with self.subTest(fault=fault, surface=surface):
                    self.faults({**fault, "count": 1})
                    answer = self.assert_serves(surface)
                    self.assertEqual(answer.headers["x-sluice-attempts"], "2")

    def test_always_broken_plain_answers_are_a_clean_502(self):
        for fault, code in (({"kind": "reset", "after_bytes": 0}, "upstream_broke"),
                            ({"kind": "truncate", "after_bytes": 300}, "upstream_broke"),
                            ({"kind": "garbage"}, "upstream_protocol_error")):
            for surface in SURFACES:
                with self.subTest(fault=fault, surface=surface):
                    self.faults(fault)
                    client = self.client()
                    path, body, headers = SURFACES[surface]
                    answer = client.ask(path, body, headers)
                    self.assertEqual(answer.status, 502)
                    self.assertTrue(answer.complete)
                    self.assertEqual(error_of(surface, answer.json)[0], code)
                    # Three tries, and the replay where the first of them met a kept connection that broke at once.
                    self.assertIn(answer.headers["x-sluice-attempts"], ("3", "4"))
                    self.faults()
                    self.assertEqual(client.ask(path, body, headers).status, 200, "the client's connection still serves")

    def test_streams_end_in_the_surfaces_own_error_event(self):
        for fault, code in (({"kind": "reset", "after_events": 3}, "upstream_broke"),
                            ({"kind": "truncate", "after_events": 3}, "upstream_broke"),
                            ({"kind": "truncate", "after_bytes": 1800}, "upstream_broke"),
                            ({"kind": "truncate", "after_events": 3, "clean": True}, "upstream_truncated"),
                            ({"kind": "garbage", "mode": "chunk", "after_events": 3}, "upstream_protocol_error")):
            for surface in SURFACES:
                with self.subTest(fault=fault, surface=surface):
                    self.faults(fault)
                    client = self.client()
                    path, body, headers = SURFACES[surface]
                    answer = client.ask(path, {**body, "stream": True}, headers)
                    self.assertEqual(answer.status, 200)
                    self.assertTrue(answer.complete, "the chunked framing ends properly")
                    self.assertEqual(stream_error(surface, answer), code)
                    self.assertNotIn(b"[DONE]", answer.body)
                    self.assertNotIn(b"message_stop", answer.body)
                    self.assertNotIn(b"response.completed", answer.body)
                    self.faults()
                    self.assertEqual(client.ask(path, body, headers).status, 200, "the client's connection still serves")

    def test_a_stream_broken_before_its_head_is_retried(self):
        self.faults({"kind": "reset", "after_bytes": 0, "count": 1})
        answer = self.ask(stream=True)
        self.assertEqual(answer.events[-1][1], "[DONE]")

    NO_EVENT = [{"kind": "reset", "after_events": 0}, {"kind": "truncate", "after_events": 0},
                {"kind": "truncate", "after_events": 0, "clean": True}, {"kind": "garbage", "mode": "chunk", "after_events": 0},
                {"kind": "stream_error", "after_events": 0}]
    TRANSLATED = {"chat": "anthropic/claude-sonnet-4-5", "messages": "openai/gpt-4o-mini"}

    def streams(self):
        """(surface, model) of streams that are passed on, and of translated ones."""
        return [(surface, None) for surface in SURFACES] + list(self.TRANSLATED.items())

    def ask_for(self, surface, model):
        path, body, headers = SURFACES[surface]
        with Client(self.url) as client:
            return client.ask(path, {**body, "model": model or body["model"], "stream": True}, headers)

    def test_a_stream_that_fails_between_its_head_and_its_first_event_is_retried(self):
        for fault in self.NO_EVENT:
            for surface, model in self.streams():
                with self.subTest(fault=fault, surface=surface, model=model):
                    self.faults({**fault, "count": 1})
                    begin = time.monotonic()
                    answer = self.ask_for(surface, model)
                    took = (time.monotonic() - begin) * 1000
                    self.assertEqual((answer.status, answer.complete, self.hits()), (200, True, 1), answer.body)
                    self.assertEqual(answer.headers["x-sluice-attempts"], "2")
                    last = answer.events[-1]
                    self.assertTrue(last[1] == "[DONE]" or last[0] in ("message_stop", "response.completed"), last)
                    phases = [float(part.split("dur=")[1]) for part in answer.headers["server-timing"].split(",")]
                    self.assertLessEqual(sum(phases), took, "the phases are within the time the client saw")

    def test_streams_that_never_get_to_an_event_are_errors_with_a_status(self):
        for fault in self.NO_EVENT:
            for surface, model in self.streams():
                with self.subTest(fault=fault, surface=surface, model=model):
                    self.faults(fault)
                    answer = self.ask_for(surface, model)
                    self.assertIn(answer.status, (500, 502, 503), answer.body)
                    self.assertTrue(answer.complete)
                    self.assertTrue(answer.headers["content-type"].startswith("application/json"))
                    code, message = error_of(surface, answer.json)
                    self.assertIn(code, ("upstream_broke", "upstream_protocol_error", "upstream_error", "gateway_overloaded"))
                    self.assertTrue(message)
                    self.assertGreaterEqual(int(answer.headers["x-sluice-attempts"]), 3)

    def test_the_providers_own_error_event_passes_through(self):
        before = self.metric("streams_broken_total")
        for surface in SURFACES:
            with self.subTest(surface=surface):
                self.faults({"kind": "stream_error", "after_events": 3})
                answer = self.ask(surface, stream=True)
                self.assertTrue(answer.complete)
                errors = [e for e in answer.events if e[0] == "error" or (isinstance(e[1], dict) and e[1].get("error"))
                          or e[0] == "response.failed"]
                self.assertEqual(len(errors), 1, "one error event: the gateway adds none of its own")
        self.assertGreaterEqual(self.metric("streams_broken_total"), before)

    def test_process_killed_in_the_middle(self):
        self.faults({"kind": "stall", "after_events": 3})
        streams = {surface: self.open_stream(surface) for surface in SURFACES}
        hung = self.client()
        self.faults({"kind": "stall", "after_bytes": 0})
        hung.post("/v1/chat/completions", CHAT)
        until(lambda: self.stats()["requests"]["concurrent"] >= 4, "four exchanges are under way")
        port = urllib.parse.urlparse(self.simulator.url).port
        self.simulator.process.kill()
        self.simulator.process.wait()
        for surface, (client, answer) in streams.items():
            with self.subTest(surface=surface):
                client.finish(answer)
                self.assertTrue(answer.complete)
                self.assertEqual(stream_error(surface, answer), "upstream_broke")
        type(self).simulator = Program("simulate", "--listen", f"127.0.0.1:{port}", "--latency", "none")
        answer = hung.answer()
        self.assertIn(answer.status, (200, 502, 503), answer.body)
        self.assertTrue(answer.complete)
        until(lambda: self.ask().status == 200, "the gateway finds the new process", 10)


class SilentUpstreamTests(FaultCase):
    """Clocks: an upstream that says nothing, or stops saying anything."""
    timeouts = "timeouts: {first_byte: 600ms, first_token: 800ms, between_bytes: 700ms, total: 5s}, retry: {attempts: 1}, health: {unhealthy_after: 1000}"
    pools = """
  openai: {provider: openai, base_url: "SIMULATOR/v1", keys: [{name: first, key: sk-test-1}], %s}
  anthropic: {provider: anthropic, base_url: "SIMULATOR", keys: [{name: first, key: sk-ant-test-1}], %s}
""" % (timeouts, timeouts)

    def expect(self, surface, stream, status, code, seconds):
        begin = time.monotonic()
        answer = self.ask(surface, stream)
        took = time.monotonic() - begin
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(error_of(surface, answer.json)[0], code)
        self.assertGreater(took, seconds - 0.05)
        self.assertLess(took, seconds + 1)

    def test_first_byte(self):
        for surface in SURFACES:
            with self.subTest(surface=surface):
                self.faults({"kind": "hang"})
                self.expect(surface, False, 504, "timeout_first_byte", 0.6)
        self.faults()
        self.assert_serves()

    def test_first_token_when_not_even_a_head_comes(self):
        for surface in SURFACES:
            with self.subTest(surface=surface):
                self.faults({"kind": "hang"})
                self.expect(surface, True, 504, "timeout_first_token", 0.8)

    def test_first_token_when_nothing_follows_the_head(self):
        """The pause between bytes is the shorter clock here, and runs from the head on."""
        for surface in SURFACES:
            with self.subTest(surface=surface):
                self.faults({"kind": "stall", "after_events": 0})
                self.expect(surface, True, 504, "timeout_between_bytes", 0.7)

    def test_between_bytes(self):
        for surface in SURFACES:
            with self.subTest(surface=surface):
                self.faults({"kind": "stall", "after_events": 4})
                begin = time.monotonic()
                answer = self.ask(surface, True)
                self.assertTrue(answer.complete)
                self.assertEqual(stream_error(surface, answer), "timeout_between_bytes")
                self.assertLess(time.monotonic() - begin, 2)

    def test_deadline_of_the_caller(self):
        self.faults({"kind": "hang"})
        for surface in SURFACES:
            for text, seconds in (("250", 0.25), ("300ms", 0.3)):
                with self.subTest(surface=surface, text=text):
                    begin = time.monotonic()
                    answer = self.ask(surface, headers=["x-sluice-deadline: " + text])
                    self.assertEqual(answer.status, 504, answer.body)
                    self.assertEqual(error_of(surface, answer.json)[0], "deadline_exceeded")
                    self.assertLess(time.monotonic() - begin, seconds + 0.6)

    def test_deadline_within_a_stream(self):
        self.faults({"kind": "stall", "after_events": 4})
        for surface in SURFACES:
            with self.subTest(surface=surface):
                answer = self.ask(surface, True, headers=["x-sluice-deadline: 400ms"])
                self.assertTrue(answer.complete)
                self.assertEqual(stream_error(surface, answer), "deadline_exceeded")

    def test_a_generous_deadline_changes_nothing(self):
        self.assertEqual(self.ask(headers=["x-sluice-deadline: 30s"]).status, 200)


class KeepaliveTests(FaultCase):
    """Comments on a silent stream: only after the upstream's own head, and only between events."""
    server = ", keepalive_comment: 1s"

    def test_comment_while_the_model_is_silent(self):
        for surface, mark in (("chat", b": keepalive"), ("messages", b"event: ping")):
            with self.subTest(surface=surface):
                before = self.metric("keepalive_comments_total")
                self.faults({"kind": "stall", "after_events": 3, "for": 1.6})
                answer = self.ask(surface, True)
                self.assertTrue(answer.complete)
                self.assertGreater(self.metric("keepalive_comments_total"), before)
                self.assertIn(mark, answer.body)
                answer.events  # still parses

    def test_the_head_goes_out_with_the_first_comment(self):
        """Before that a failure would be another try; from then on it is an event of the stream."""
        for surface, mark in (("chat", b": keepalive"), ("messages", b"event: ping")):
            with self.subTest(surface=surface):
                self.faults({"kind": "stall", "after_events": 0, "for": 1.6})
                client, answer = self.open_stream(surface, mark)
                self.assertEqual(answer.events[:-1], [], "no event of the provider's")
                client.finish(answer)
                self.assertTrue(answer.complete)
                self.assertEqual(answer.headers["x-sluice-attempts"], "1")
                self.assertNotIn("error", [name for name, _ in answer.events])

    def test_no_byte_before_the_upstreams_head(self):
        before = self.metric("keepalive_comments_total")
        self.faults({"kind": "slow", "first_byte": 1.5})
        client = self.client()
        client.post("/v1/chat/completions", {**CHAT, "stream": True})
        client.socket.settimeout(1.3)
        with self.assertRaises(TimeoutError):
            client.more()
        client.socket.settimeout(20)
        answer = client.answer()
        self.assertEqual(answer.status, 200)
        self.assertNotIn(b": keepalive", answer.body)
        self.assertEqual(self.metric("keepalive_comments_total"), before)


class RefusedTests(unittest.TestCase):
    """Upstreams that cannot be reached at all."""

    def gateway(self, pools, server=""):
        folder = tempfile.TemporaryDirectory(prefix="sluice-test-")
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "sluice.yaml")
        with open(path, "w") as file:
            file.write(f'version: 1\nserver: {{listen: "127.0.0.1:0"{server}}}\npools:\n{pools}')
        gateway = Program("serve", "--config", path)
        self.addCleanup(gateway.stop)
        return gateway

    def simulator(self):
        simulator = Program("simulate", "--listen", "127.0.0.1:0", "--latency", "none")
        self.addCleanup(simulator.stop)
        return simulator

    def upstream(self, serve, tls=None):
        upstream = Upstream(serve, tls)
        self.addCleanup(upstream.stop)
        return upstream

    def chat(self, gateway, stream=False, headers=()):
        begin = time.monotonic()
        with Client(gateway.url) as client:
            answer = client.ask("/v1/chat/completions", {**CHAT, "stream": stream}, headers)
        return answer, time.monotonic() - begin

    def test_refused_says_so_in_bounded_time(self):
        gateway = self.gateway(f'  a: {{provider: openai, base_url: "http://127.0.0.1:{closed_port()}/v1", keys: [sk-test-1]}}\n')
        for _ in range(3):
            answer, took = self.chat(gateway)
            self.assertIn(answer.status, (502, 503), answer.body)
            self.assertLess(took, 8)
            self.assertIn(answer.json["error"]["code"], ("upstream_connect_failed", "no_endpoint_available"))
            self.assertIn("retry-after", answer.headers)
            self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)
        self.assert_reason(gateway, answer, "connection refused")
        self.assertEqual(call(gateway.url + "/health")[2]["pools"], {"a": "down"})
        self.assertEqual(call(gateway.url + "/ready")[0], 503)

    def test_refused_on_one_of_two_urls_costs_no_client_anything(self):
        good = self.simulator()
        gateway = self.gateway(f"""  a:
    provider: openai
    keys: [sk-test-1]
    endpoints: [{{url: "http://127.0.0.1:{closed_port()}/v1", region: bad}}, {{url: "{good.url}/v1", region: good}}]
""")
        for _ in range(20):
            answer, took = self.chat(gateway)
            self.assertEqual(answer.status, 200, answer.body)
            self.assertLess(took, 3)

    def test_the_pool_returns_with_its_upstream(self):
        port = closed_port()
        gateway = self.gateway(f'  a: {{provider: openai, base_url: "http://127.0.0.1:{port}/v1", keys: [sk-test-1], connections: {{reconnect_delay: 50ms}}}}\n')
        self.assertIn(self.chat(gateway)[0].status, (502, 503))
        simulator = Program("simulate", "--listen", f"127.0.0.1:{port}", "--latency", "none")
        self.addCleanup(simulator.stop)
        until(lambda: self.chat(gateway)[0].status == 200, "the pool serves again", 15)

    @unittest.skipUnless(sys.platform == "linux", "needs Linux: packet filter, /proc, listen queue")
    def test_no_answer_to_connect(self):
        listener, fillers = frozen_listener()
        self.addCleanup(lambda: [s.close() for s in (listener, *fillers)])
        port = listener.getsockname()[1]
        gateway = self.gateway(f'  a: {{provider: openai, base_url: "http://127.0.0.1:{port}/v1", keys: [sk-test-1], connections: {{connect_timeout: 500ms}}, timeouts: {{total: 5s}}}}\n')
        answer, took = self.chat(gateway)
        self.assertIn(answer.status, (502, 503, 504), answer.body)
        self.assertLess(took, 5.5)
        self.assertIn(answer.json["error"]["code"], ("upstream_connect_failed", "no_endpoint_available", "timeout_total"))

    def test_hung_accept(self):
        """The kernel takes the connection, the program never does: the clock of the first byte tells."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.addCleanup(listener.close)
        gateway = self.gateway(f"""  a:
    provider: openai
    base_url: "http://127.0.0.1:{listener.getsockname()[1]}/v1"
    keys: [sk-test-1]
    timeouts: {{first_byte: 500ms, first_token: 700ms, total: 10s}}
    retry: {{attempts: 1}}
""")
        for stream, code, seconds in ((False, "timeout_first_byte", 0.5), (True, "timeout_first_token", 0.7)):
            with self.subTest(stream=stream):
                answer, took = self.chat(gateway, stream)
                self.assertEqual(answer.status, 504, answer.body)
                self.assertEqual(answer.json["error"]["code"], code)
                self.assertGreater(took, seconds - 0.05)
                self.assertLess(took, seconds + 1)

    def assert_reason(self, gateway, answer, text):
        """The error sends the operator to /health, so that has to say why."""
        self.assertIn("/health", answer.json["error"]["message"])
        self.assertIn(text, json.dumps(call(gateway.url + "/health")[2]))

    # TLS

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="sluice-tls-")
        for name, alternative in (("good", "IP:127.0.0.1"), ("other", "DNS:elsewhere.example")):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                            "-subj", "/CN=sluice-test", "-addext", f"subjectAltName={alternative}", "-addext", "basicConstraints=critical,CA:TRUE",
                            "-keyout", cls.path(name + ".key"), "-out", cls.path(name + ".pem")], check=True, capture_output=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    def tls(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(name + ".pem"), self.path(name + ".key"))
        return context

    @staticmethod
    async def healthy(upstream, reader, writer, number):
        while True:
            await upstream.request(reader)
            writer.write(plain())
            await writer.drain()

    def secured(self, name, extra=""):
        upstream = self.upstream(self.healthy, self.tls(name))
        return self.gateway(f'  a: {{provider: openai, base_url: "{upstream.url}/v1", keys: [sk-test-1], connections: {{connect_timeout: 2s}}{extra}}}\n')

    def test_certificate_nobody_trusts(self):
        gateway = self.secured("good")
        answer, took = self.chat(gateway)
        self.assertIn(answer.status, (502, 503), answer.body)
        self.assertLess(took, 8)
        self.assert_reason(gateway, answer, "certificate is not trusted")

    def test_certificate_of_another_host(self):
        gateway = self.secured("other", f', tls_ca: "{self.path("other.pem")}"')
        answer, _ = self.chat(gateway)
        self.assertIn(answer.status, (502, 503), answer.body)
        self.assert_reason(gateway, answer, "certificate is not trusted")

    def test_certificate_of_the_configured_authority(self):
        gateway = self.secured("good", f', tls_ca: "{self.path("good.pem")}"')
        for _ in range(3):
            answer, _ = self.chat(gateway)
            self.assertEqual(answer.status, 200, answer.body)

    def test_handshake_that_never_ends(self):
        async def silent(upstream, reader, writer, number):
            await reader.read(-1)
        upstream = self.upstream(silent)
        gateway = self.gateway(f'  a: {{provider: openai, base_url: "https://127.0.0.1:{upstream.port}/v1", keys: [sk-test-1], connections: {{connect_timeout: 500ms}}}}\n')
        answer, took = self.chat(gateway)
        self.assertIn(answer.status, (502, 503, 504), answer.body)
        self.assertLess(took, 8)
        self.assert_reason(gateway, answer, "during the TLS handshake")

    def test_tls_spoken_to_a_plain_server(self):
        upstream = self.upstream(self.healthy)
        gateway = self.gateway(f'  a: {{provider: openai, base_url: "https://127.0.0.1:{upstream.port}/v1", keys: [sk-test-1], connections: {{connect_timeout: 1s}}}}\n')
        answer, took = self.chat(gateway)
        self.assertIn(answer.status, (502, 503), answer.body)
        self.assertLess(took, 8)
        self.assert_reason(gateway, answer, "TLS")

    # Answers no simulator would give

    def answers(self, *bytes_, attempts=1):
        """A gateway whose upstream answers each request with the next of these bytes (the last one for ever)."""
        async def serve(upstream, reader, writer, number):
            while True:
                await upstream.request(reader)
                answer = bytes_[min(upstream.requests, len(bytes_)) - 1]
                writer.write(answer)
                await writer.drain()
                if not answer.startswith(b"HTTP/1.1 2") or b"chunked" in answer:
                    return
        upstream = self.upstream(serve)
        return upstream, self.gateway(f'  a: {{provider: openai, base_url: "{upstream.url}/v1", keys: [sk-test-1], retry: {{attempts: {attempts}}}, health: {{unhealthy_after: 1000}}, timeouts: {{total: 8s}}}}\n')

    def test_answers_that_are_no_http(self):
        bad = [b"\x00\x01\x02\x03\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n",
               b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
               b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
               b"HTTP/1.1 200 OK\r\nx: " + b"a" * 70_000 + b"\r\ncontent-length: 2\r\n\r\n{}",
               b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: 1\r\n" % i for i in range(4000)) + b"content-length: 2\r\n\r\n{}"]
        _, gateway = self.answers(*bad)
        for sample in bad:
            with self.subTest(sample=sample[:60]):
                answer, took = self.chat(gateway)
                self.assertEqual(answer.status, 502, answer.body)
                self.assertTrue(answer.complete)
                self.assertEqual(answer.json["error"]["code"], "upstream_protocol_error")
                self.assertLess(took, 5)

    def test_a_bad_answer_is_recovered_on_another_try(self):
        _, gateway = self.answers(b"HTTP/1.1 abc OK\r\n\r\n", plain(), attempts=3)
        answer, _ = self.chat(gateway)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.headers["x-sluice-attempts"], "2")

    def test_bytes_behind_an_answer_never_reach_another_client(self):
        served = []

        async def serve(upstream, reader, writer, number):
            while True:
                await upstream.request(reader)
                served.append(number)
                writer.write(plain() + plain(b'{"stolen": true}'))
                await writer.drain()
        upstream = self.upstream(serve)
        gateway = self.gateway(f'  a: {{provider: openai, base_url: "{upstream.url}/v1", keys: [sk-test-1]}}\n')
        for _ in range(5):
            answer, _ = self.chat(gateway)
            self.assertEqual(answer.body, CHAT_ANSWER)
        self.assertEqual(len(served), 5)
        self.assertEqual(len(set(served)), 5, "a connection with bytes nobody asked for is not used again")

    def test_informational_answers_are_skipped_and_bounded(self):
        interim = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
        _, gateway = self.answers(interim * 3 + plain(), interim * 20_000 + plain())
        self.assertEqual(self.chat(gateway)[0].status, 200)
        self.assertEqual(self.chat(gateway)[0].status, 502)

    def test_an_upstream_that_sends_slowly_is_waited_for(self):
        async def serve(upstream, reader, writer, number):
            await upstream.request(reader)
            for byte in plain():
                writer.write(bytes([byte]))
                await writer.drain()
            await reader.read(-1)
        upstream = self.upstream(serve)
        gateway = self.gateway(f'  a: {{provider: openai, base_url: "{upstream.url}/v1", keys: [sk-test-1]}}\n')
        self.assertEqual(self.chat(gateway)[0].body, CHAT_ANSWER)

    def test_a_drip_without_end_is_ended_by_total(self):
        """One byte at a time keeps every clock of silence from running out; the clock of the whole exchange does not care."""
        head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n"
        token = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
        drips = {"head": (b"HTTP/1.1 200 OK\r\nx-slow: ", b"x"), "plain": (head % b"application/json", b"1\r\n \r\n"),
                 "no token": (head % b"text/event-stream", b"1\r\n:\r\n"),
                 "stream": (head % b"text/event-stream" + b"%x\r\n%b\r\n" % (len(token), token), b"1\r\n:\r\n")}
        ended = []

        async def serve(upstream, reader, writer, number):
            _, body = await upstream.request(reader)
            start, drop = drips[json.loads(body)["user"]]
            writer.write(start)
            gone = asyncio.ensure_future(reader.read(1))
            while not gone.done():
                writer.write(drop)
                await writer.drain()
                await asyncio.wait([gone], timeout=0.03)
            ended.append(number)
        upstream = self.upstream(serve)
        gateway = self.gateway(f"""  a:
    provider: openai
    base_url: "{upstream.url}/v1"
    keys: [sk-test-1]
    timeouts: {{first_byte: 20s, first_token: 20s, between_bytes: 500ms, total: 1500ms}}
    health: {{unhealthy_after: 1000}}
""")
        cases = (("head", False), ("head", True), ("plain", False), ("no token", True), ("stream", True))
        for number, (kind, stream) in enumerate(cases):
            with self.subTest(kind=kind, stream=stream), Client(gateway.url) as client:
                begin = time.monotonic()
                answer = client.ask("/v1/chat/completions", {**CHAT, "stream": stream, "user": kind})
                self.assertGreater(time.monotonic() - begin, 1.45)
                self.assertTrue(answer.complete)
                if answer.status == 200:
                    self.assertIn(kind, ("no token", "stream"), answer.body)
                    self.assertEqual(stream_error("chat", answer), "timeout_total")
                else:
                    self.assertNotEqual(kind, "stream", answer.body)
                    self.assertEqual((answer.status, answer.json["error"]["code"]), (504, "timeout_total"))
                until(lambda: len(ended) == number + 1, "the upstream saw the end of its exchange")
        self.assertEqual(upstream.requests, len(cases), "what took all the time is not tried again")

    def test_a_large_plain_answer_broken_late_is_cut(self):
        """Past 256 KiB the head is out: the missing rest must be visible to the client."""
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        _, gateway = self.answers(head + b"80000\r\n" + b"x" * 0x80000 + b"\r\n")
        answer, _ = self.chat(gateway)
        self.assertEqual(answer.status, 200)
        self.assertFalse(answer.complete, "a broken answer must not look whole")


class HostileClientTests(FaultCase):
    """Requests that are too big, too slow, or not one request at all."""
    server = ", max_request_body: 64KiB, max_head: 16KiB, head_timeout: 700ms, body_timeout: 700ms, min_body_rate: 0"

    def refused(self, raw, status, surface="chat", code=None):
        """Sends raw bytes, expects that status in the surface's shape, and the connection's end."""
        before = self.stats()["requests"]["total"]
        client = self.client()
        try:
            client.send(raw)
        except ConnectionError:
            pass
        answer = client.answer()
        self.assertIsNotNone(answer, "closed without an answer")
        self.assertEqual(answer.status, status, answer.body)
        self.assertTrue(answer.complete)
        self.assertTrue(error_of(surface, answer.json)[1])
        if code:
            self.assertEqual(error_of(surface, answer.json)[0], code)
        self.assertTrue(client.is_closed(), "the connection is not used again")
        self.assertEqual(self.stats()["requests"]["total"], before, "nothing of it went upstream")
        return answer

    def test_head_too_big(self):
        self.refused(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 20_000 + b"\r\n\r\n", 431)

    def test_head_that_never_ends(self):
        self.refused(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n" + b"x: y\r\n" * 4000, 431)

    def test_too_many_headers(self):
        self.refused(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n" + b"x: y\r\n" * 400 + b"\r\n", 431)

    def test_target_too_long(self):
        self.refused(b"GET /v1/models?" + b"a" * 20_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n", 414)

    def test_body_too_large_in_the_clients_shape(self):
        for surface, (path, body, headers) in SURFACES.items():
            big = json.dumps({**body, "padding": "x" * 70_000}).encode()
            with self.subTest(surface=surface, framing="length"):
                before = self.stats()["requests"]["total"]
                client = self.client()
                client.post(path, big, headers)
                answer = client.answer()
                self.assertEqual(answer.status, 413)
                self.assertEqual(error_of(surface, answer.json)[0], "request_too_large")
                self.assertTrue(client.is_closed())
                self.assertEqual(self.stats()["requests"]["total"], before)
            with self.subTest(surface=surface, framing="chunked"):
                client = self.client()
                client.send(client.head(path, headers=[*headers, "transfer-encoding: chunked"]))
                client.send(b"%x\r\n" % len(big) + big + b"\r\n0\r\n\r\n")
                self.assertEqual(client.answer().status, 413)
        self.assert_serves()

    def test_chunked_request_bodies(self):
        for surface, (path, body, headers) in SURFACES.items():
            data = json.dumps(body).encode()
            client = self.client()
            for size in (1, 7, len(data)):
                with self.subTest(surface=surface, size=size):
                    chunks = b"".join(b"%x;ext=1\r\n" % len(data[i:i + size]) + data[i:i + size] + b"\r\n" for i in range(0, len(data), size))
                    client.send(client.head(path, headers=[*headers, "transfer-encoding: chunked"]) + chunks + b"0\r\nx-trailer: 1\r\n\r\n")
                    answer = client.answer()
                    self.assertEqual(answer.status, 200, answer.body)

    def test_slow_head_is_408(self):
        client = self.client()
        client.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: local")
        answer = client.answer()
        self.assertEqual(answer.status, 408)
        self.assertTrue(client.is_closed())

    def test_stalled_body_is_408_in_the_clients_shape(self):
        for surface, (path, body, headers) in SURFACES.items():
            with self.subTest(surface=surface):
                client = self.client()
                client.send(client.head(path, 5000, headers) + b'{"model": "')
                begin = time.monotonic()
                answer = client.answer()
                self.assertEqual(answer.status, 408)
                self.assertEqual(error_of(surface, answer.json)[0], "request_timeout")
                self.assertLess(time.monotonic() - begin, 2)
                self.assertTrue(client.is_closed())

    def test_chunked_body_that_stops_is_408_wherever_it_stops(self):
        """An upload in small chunks, longer than the clock in all, that stops at every kind of place."""
        before = self.stats()["requests"]["total"]
        ends = {"behind a chunk": b"", "in a size": b"4", "in an extension": b"40;pace=", "in a chunk": b"40\r\nslow",
                "before a chunk's end": b"4\r\nslow", "before the last line": b"0\r\n", "in a trailer": b"0\r\nx-a: "}
        uploads = [(surface, name, self.client()) for surface in SURFACES for name in ends]
        for surface, _, client in uploads:
            path, _, headers = SURFACES[surface]
            client.send(client.head(path, headers=[*headers, "transfer-encoding: chunked"]) + b'b\r\n{"padding":\r\n1\r\n"\r\n')
        for _ in range(3):
            threading.Event().wait(0.3)  # the clients' own pace is what is tested
            for *_, client in uploads:
                client.send(b"1\r\nx\r\n")
        begin = time.monotonic()
        for _, name, client in uploads:
            client.send(ends[name])
        for surface, name, client in uploads:
            with self.subTest(surface=surface, stopped=name):
                answer = client.answer()
                self.assertIsNotNone(answer, "closed without an answer")
                self.assertGreater(time.monotonic() - begin, 0.65, "not before the clock, which progress sets anew")
                self.assertEqual(answer.status, 408, answer.body)
                self.assertTrue(answer.complete)
                self.assertEqual(error_of(surface, answer.json)[0], "request_timeout")
                self.assertTrue(client.is_closed(), "what might still come is not taken for a request")
        self.assertEqual(self.stats()["requests"]["total"], before, "nothing of it went upstream")
        self.assert_serves()

    def test_a_slow_body_that_makes_progress_is_taken(self):
        """`body_timeout` is how long a body may make no progress, not how long it may take."""
        data = json.dumps({**CHAT, "padding": "x" * 2000}).encode()
        client = self.client()
        client.send(client.head("/v1/chat/completions", len(data)))
        for index in range(0, len(data), 500):
            client.send(data[index:index + 500])
            threading.Event().wait(0.35)  # the client's own pace is what is tested
        answer = client.answer()
        self.assertEqual(answer.status, 200, answer.body)

    def test_pipelined_requests_are_answered_in_order(self):
        client = self.client()
        data = json.dumps(CHAT).encode()
        stream = json.dumps({**CHAT, "stream": True}).encode()
        path = "/v1/chat/completions"
        client.send(client.head(path, len(data)) + data + client.head(path, len(stream)) + stream
                    + client.head("/health", method="GET") + client.head(path, len(data)) + data)
        first, second, third, fourth = [client.answer() for _ in range(4)]
        self.assertEqual(first.json["object"], "chat.completion")
        self.assertEqual(second.events[-1][1], "[DONE]")
        self.assertEqual(third.status, 200)
        self.assertIn("pools", third.json)
        self.assertEqual(fourth.json["object"], "chat.completion")

    def test_many_pipelined_requests(self):
        client = self.client()
        data = json.dumps(CHAT).encode()
        one = client.head("/v1/chat/completions", len(data)) + data
        writer = threading.Thread(target=client.send, args=(one * 300,), daemon=True)
        writer.start()
        for _ in range(300):
            self.assertEqual(client.answer().status, 200)
        writer.join(10)

    def test_expect_100_continue(self):
        data = json.dumps(CHAT).encode()
        client = self.client()
        client.send(client.head("/v1/chat/completions", len(data), ["expect: 100-continue"]))
        while b"\r\n\r\n" not in client.rest:
            self.assertTrue(client.more())
        self.assertTrue(client.rest.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"), client.rest)
        client.rest = b""
        client.send(data)
        self.assertEqual(client.answer().status, 200)

    def test_expect_100_continue_is_not_answered_for_a_body_too_large(self):
        client = self.client()
        client.send(client.head("/v1/chat/completions", 1 << 20, ["expect: 100-continue"]))
        answer = client.answer()
        self.assertEqual((answer.status, answer.interim), (413, []))

    def test_smuggling_is_refused(self):
        start = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        body = json.dumps(CHAT).encode()
        inner = b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n"
        samples = {
            "length and chunked": start + b"content-length: %d\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" % len(inner) + inner,
            "chunked and length": start + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n" + inner,
            "two lengths": start + b"content-length: %d\r\ncontent-length: 0\r\n\r\n" % len(body) + body,
            "a list of lengths": start + b"content-length: %d, 0\r\n\r\n" % len(body) + body,
            "signed length": start + b"content-length: +%d\r\n\r\n" % len(body) + body,
            "hexadecimal length": start + b"content-length: 0x10\r\n\r\n" + body,
            "huge length": start + b"content-length: 99999999999999999999\r\n\r\n" + body,
            "negative length": start + b"content-length: -1\r\n\r\n" + body,
            "bare line feeds": start.replace(b"\r\n", b"\n") + b"content-length: %d\n\n" % len(body) + body,
            "one bare line feed": start + b"x: a\ncontent-length: %d\r\n\r\n" % len(body) + body,
            "bare carriage return": start + b"x: a\rb\r\ncontent-length: %d\r\n\r\n" % len(body) + body,
            "folded header": start + b"x: a\r\n b\r\ncontent-length: %d\r\n\r\n" % len(body) + body,
            "folded transfer coding": start + b"transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
            "space before colon": start + b"content-length : %d\r\n\r\n" % len(body) + body,
            "zero byte": start + b"x: a\0b\r\ncontent-length: %d\r\n\r\n" % len(body) + body,
            "two hosts": start + b"host: elsewhere\r\ncontent-length: %d\r\n\r\n" % len(body) + body,
            "no host": b"POST /v1/chat/completions HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body,
            "xchunked": start + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
            "chunked twice": start + b"transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            "chunked not last": start + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            "chunk size sign": start + b"transfer-encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
            "chunk size prefix": start + b"transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
            "chunk size overflow": start + b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n",
            "chunk end missing": start + b"transfer-encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
            "chunk bare line feed": start + b"transfer-encoding: chunked\r\n\r\n5\nhello\n0\n\n",
            "trailer sets length": start + b"transfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 3\r\n\r\n",
            "space in target": b"POST /v1/chat completions HTTP/1.1\r\nhost: localhost\r\n\r\n",
            "no version": b"GET /v1/models\r\n\r\n",
            "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100 + b"\r\n\r\n",
        }
        for name, raw in samples.items():
            with self.subTest(name):
                client_statuses = (501,) if name in ("xchunked", "chunked not last", "chunked twice") else ()
                before = self.stats()["requests"]["total"]
                client = self.client()
                client.send(raw)
                answer = client.answer()
                self.assertIsNotNone(answer, "closed without an answer")
                self.assertIn(answer.status, (400, *client_statuses), answer.body)
                self.assertTrue(answer.complete)
                self.assertTrue(client.is_closed(), "bytes behind it are not taken for a request")
                self.assertEqual(self.stats()["requests"]["total"], before, "nothing of it went upstream")
        self.assert_serves()

    def test_unknown_expectation(self):
        self.refused(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: magic\r\ncontent-length: 2\r\n\r\n{}", 417)


class CancelTests(FaultCase):
    """A client that leaves ends the work at the provider, and blames nobody."""

    def test_before_the_first_byte(self):
        for surface, stream in (("chat", False), ("chat", True), ("messages", True)):
            with self.subTest(surface=surface, stream=stream):
                before, cancelled = self.stats()["cancelled"]["before_first_byte"], self.metric("cancelled_total")
                self.faults({"kind": "hang"})
                path, body, headers = SURFACES[surface]
                client = self.client()
                client.post(path, {**body, "stream": stream}, headers)
                until(lambda: self.hits() == 1, "the request reached the upstream")
                client.close()
                until(lambda: self.stats()["cancelled"]["before_first_byte"] == before + 1, "the upstream saw the end")
                until(lambda: self.metric("cancelled_total") == cancelled + 1, "the gateway counted it")

    def test_mid_stream(self):
        for surface in SURFACES:
            with self.subTest(surface=surface):
                before, cancelled = self.stats()["cancelled"]["mid_stream"], self.metric("cancelled_total")
                self.faults({"kind": "stall", "after_events": 3})
                client, _ = self.open_stream(surface)
                client.close()
                until(lambda: self.stats()["cancelled"]["mid_stream"] == before + 1, "the upstream saw the end")
                until(lambda: self.metric("cancelled_total") == cancelled + 1, "the gateway counted it")

    def test_half_closing_client_counts_as_gone(self):
        before = self.stats()["cancelled"]["mid_stream"]
        self.faults({"kind": "stall", "after_events": 3})
        client, _ = self.open_stream()
        client.socket.shutdown(1)
        until(lambda: self.stats()["cancelled"]["mid_stream"] == before + 1, "the upstream saw the end")

    def test_many_cancels_do_not_touch_health(self):
        self.faults({"kind": "stall", "after_events": 3})
        for _ in range(12):
            self.open_stream()[0].close()
        until(lambda: all(e["leased"] == 0 for e in self.endpoints().values()), "all leases are back")
        self.assertEqual({e["state"] for e in self.endpoints().values()}, {"healthy"})
        self.assertEqual(self.metric("streams_open"), 0)
        self.faults()
        self.assert_serves()

    def test_while_waiting_in_the_queue(self):
        """Leaving the queue frees the place at once and sends nothing upstream."""
        file = '\n  openai: {provider: openai, base_url: "SIMULATOR/v1", keys: [sk-test-1], connections: {max: 1}}\n'
        self.write_configuration(file)
        self.addCleanup(lambda: (self.write_configuration(), call(self.url + "/api/config/reload", {}, method="POST")))
        self.assertEqual(call(self.url + "/api/config/reload", {}, method="POST")[0], 200)
        self.faults({"kind": "stall", "after_events": 3, "count": 1})
        holder, _ = self.open_stream()
        waiting = [self.client() for _ in range(3)]
        for client in waiting:
            client.post("/v1/chat/completions", CHAT)
        pool = lambda: call(self.url + "/api/pools/openai")[2]
        until(lambda: pool()["waiting"]["total"] == 3, "three wait")
        total = self.stats()["requests"]["total"]
        waiting[0].close()
        waiting[1].close()
        until(lambda: pool()["waiting"]["total"] == 1, "two have left")
        holder.close()
        self.assertEqual(waiting[2].answer().status, 200)
        self.assertEqual(self.stats()["requests"]["total"], total + 1)


class KeyTests(FaultCase):
    """Keys that are limited or rejected, and pools that have nothing left."""
    pools = """
  openai: {provider: openai, base_url: "SIMULATOR/v1", keys: [{name: first, key: sk-test-1}, {name: second, key: sk-test-2}], timeouts: {total: 20s}, balance: {strategy: round_robin}}
  anthropic: {provider: anthropic, base_url: "SIMULATOR", keys: [{name: first, key: sk-ant-test-1}], timeouts: {total: 20s}}
"""

    def tearDown(self):
        super().tearDown()
        for pool, names in (("openai", ("first", "second")), ("anthropic", ("first",))):
            for name in names:
                call(f"{self.url}/api/pools/{pool}/endpoints/{name}/reset", {}, method="POST")

    def test_a_limited_key_cools_and_the_other_serves(self):
        self.faults({"kind": "status", "status": 429, "retry_after": 30, "match": {"key": "sk-test-1"}})
        for _ in range(12):
            self.assertEqual(self.assert_serves().headers["x-sluice-endpoint"], "second")
        self.assertEqual(self.hits(), 1)
        first, second = self.endpoints()["first"], self.endpoints()["second"]
        self.assertEqual((first["state"], second["state"]), ("cooling", "healthy"))
        self.assertGreater(first["returns_in_seconds"], 20)
        self.assertLessEqual(first["returns_in_seconds"], 30)

    def test_a_short_cooling_ends(self):
        self.faults({"kind": "status", "status": 429, "retry_after": 1, "count": 1, "match": {"key": "sk-test-1"}})
        until(lambda: self.assert_serves() and self.hits() == 1, "the limit was met")
        until(lambda: self.endpoints()["first"]["state"] == "healthy", "the key is back", 4)
        until(lambda: self.assert_serves().headers["x-sluice-endpoint"] == "first", "it serves again", 4)

    def test_all_keys_limited_is_a_truthful_429(self):
        self.faults({"kind": "status", "status": 429, "retry_after": 25, "match": {"key": "sk-test-1"}},
                    {"kind": "status", "status": 429, "retry_after": 40, "match": {"key": "sk-test-2"}})
        # The first one passes the provider's answer on; later ones are refused before anybody is asked.
        for statuses in ((429,), (429, 503)):
            answer = self.ask()
            self.assertIn(answer.status, statuses, answer.body)
            self.assertGreater(int(answer.headers["retry-after"]), 20)
            self.assertLessEqual(int(answer.headers["retry-after"]), 25)

    def test_all_keys_limited_briefly_is_waited_for(self):
        self.faults({"kind": "status", "status": 429, "retry_after": 1, "count": 1, "match": {"provider": "anthropic"}})
        begin = time.monotonic()
        self.assert_serves("messages")
        self.assertGreater(time.monotonic() - begin, 0.9)

    def test_a_rejected_key_is_taken_out(self):
        self.faults({"kind": "status", "status": 401, "code": "invalid_api_key", "match": {"key": "sk-test-1"}})
        for _ in range(8):
            self.assertEqual(self.assert_serves().headers["x-sluice-endpoint"], "second")
        self.assertEqual(self.hits(), 1, "a rejected key is not tried again")
        self.assertEqual(self.endpoints()["second"]["state"], "healthy")
        self.assertNotEqual(self.endpoints()["first"]["state"], "healthy")

    def test_all_keys_rejected_is_the_providers_401(self):
        self.faults({"kind": "status", "status": 401, "code": "invalid_api_key", "message": "Incorrect API key provided"})
        for _ in range(3):
            answer = self.ask()
            self.assertEqual(answer.status, 401, answer.body)
            self.assertIn("key", answer.json["error"]["message"])
            self.assertIsNone(answer.headers.get("retry-after"), "waiting does not help")
        self.assertEqual(self.hits(), 2, "rejected keys are not tried again")

    def test_the_first_answer_after_a_rejection_is_the_providers_own(self):
        for surface in SURFACES:
            with self.subTest(surface=surface):
                self.tearDown()
                self.faults({"kind": "status", "status": 401, "message": "very much the provider's own words"})
                answer = self.ask(surface)
                self.assertEqual(answer.status, 401)
                self.assertIn("very much the provider's own words", answer.body.decode())

    def test_reset_brings_a_key_back(self):
        self.faults({"kind": "status", "status": 401, "count": 1, "match": {"key": "sk-test-1"}})
        until(lambda: self.assert_serves() and self.hits() == 1, "the rejection was met")
        self.assertEqual(call(self.url + "/api/pools/openai/endpoints/first/reset", {}, method="POST")[0], 200)
        until(lambda: self.assert_serves().headers["x-sluice-endpoint"] == "first", "it serves again", 4)

    def test_a_callers_mistake_blames_no_endpoint(self):
        self.faults({"kind": "status", "status": 400})
        for _ in range(8):
            answer = self.ask()
            self.assertEqual((answer.status, answer.headers["x-sluice-attempts"]), (400, "1"))
        self.assertEqual({e["state"] for e in self.endpoints().values()}, {"healthy"})

    def test_providers_failure_everywhere_passes_its_own_words_on(self):
        for surface, status in (("chat", 503), ("responses", 500), ("messages", 529)):
            with self.subTest(surface=surface):
                self.faults({"kind": "status", "status": status, "message": "the provider's own words", "count": 3})
                answer = self.ask(surface)
                self.assertEqual(answer.status, status)
                self.assertIn("the provider's own words", answer.body.decode())


class ExhaustedTests(FaultCase):
    """When a pool has nothing left it says when something returns."""
    pools = """
  openai: {provider: openai, base_url: "SIMULATOR/v1", keys: [{name: first, key: sk-test-1}], timeouts: {total: 5s}, retry: {attempts: 1}}
"""

    def test_error_says_when_the_next_returns(self):
        self.faults({"kind": "status", "status": 429, "retry_after": 33})
        self.assertEqual(self.ask().status, 429)
        answer = self.ask()
        self.assertIn(answer.status, (429, 503), answer.body)
        self.assertGreater(int(answer.headers["retry-after"]), 25)
        self.assertLessEqual(int(answer.headers["retry-after"]), 33)
        self.assertEqual(self.hits(), 1, "the second one did not bother the provider")


class AdmissionTests(FaultCase):
    """More streams than connections wait their turn."""
    pools = """
  openai: {provider: openai, base_url: "SIMULATOR/v1", keys: [{name: first, key: sk-test-1}, {name: second, key: sk-test-2}], connections: {max: 20}}
"""

    def test_300_streams_on_20_connections(self):
        call(self.simulator.url + "/_simulator/stats", method="DELETE")
        self.faults({"kind": "slow", "first_byte": 0.05})
        failures = []

        def once():
            try:
                answer = self.ask(stream=True)
                if answer.status != 200 or not answer.complete or answer.events[-1][1] != "[DONE]":
                    failures.append((answer.status, answer.body[-200:]))
            except Exception as error:
                failures.append(repr(error))
        threads = [threading.Thread(target=once, daemon=True) for _ in range(300)]
        [t.start() for t in threads]
        [t.join(60) for t in threads]
        self.assertEqual(failures, [])
        stats = self.stats()
        self.assertLessEqual(stats["requests"]["peak"], 20)
        self.assertGreaterEqual(stats["requests"]["total"], 300)

    def test_a_deadline_ends_the_wait(self):
        self.faults({"kind": "hang"})
        holders = [self.client() for _ in range(20)]
        for holder in holders:
            holder.post("/v1/chat/completions", CHAT)
        until(lambda: self.hits() == 20, "all connections are taken")
        begin = time.monotonic()
        answer = self.ask(headers=["x-sluice-deadline: 300ms"])
        self.assertEqual(answer.status, 504, answer.body)
        self.assertEqual(answer.json["error"]["code"], "deadline_exceeded")
        self.assertLess(time.monotonic() - begin, 1.5)
        [holder.close() for holder in holders]
        self.faults()
        self.assert_serves()


class StopTests(GatewayCase):
    """The end comes also when the configuration file has just changed, which a look at the file would reload."""

    def test_stopping_right_after_the_file_changed(self):
        for _ in range(8):
            gateway = Program("serve", "--config", self.file)
            self.write_configuration('\n  openai: {provider: openai, base_url: "SIMULATOR/v1", keys: [sk-test-1]}\n')
            gateway.signal(signal.SIGTERM)
            try:
                self.assertEqual(gateway.process.wait(8), 0)
            finally:
                gateway.process.kill()
                self.write_configuration()


class SoakTests(unittest.TestCase):
    @unittest.skipUnless(sys.platform == "linux", "needs Linux: packet filter, /proc, listen queue")
    def test_small_soak(self):
        result = subprocess.run([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "soak.py"), "200", "5"],
                                capture_output=True, text=True, timeout=90, env={**os.environ, "SLUICE_BINARY": BINARY})
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("failures: 0", result.stdout)


if __name__ == "__main__":
    unittest.main()
