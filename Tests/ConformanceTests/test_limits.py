"""Limits of the providers' accounts: keys that are at their limit, or will be with the next call, seen by the official clients."""
import datetime
import anthropic, openai
from harness import GatewayCase, call
from wire import CHAT_ANSWER, Upstream, plain

MESSAGE_ANSWER = (b'{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":"Hello"}],'
                  b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}')


class LimitCase(GatewayCase):
    """Both official clients, which do not retry by themselves, and no time to wait for a key to return."""
    pools = """
  openai: {provider: openai, base_url: "SIMULATOR/v1", keys: [{name: first, key: sk-test-1}, {name: second, key: sk-test-2}], balance: {strategy: round_robin}, timeouts: {total: 15s}}
  anthropic: {provider: anthropic, base_url: "SIMULATOR", keys: [{name: first, key: sk-ant-test-1}, {name: second, key: sk-ant-test-2}], balance: {strategy: round_robin}, timeouts: {total: 15s}}
"""

    def setUp(self):
        self.openai = openai.OpenAI(base_url=self.url + "/v1", api_key="client-key", max_retries=0, timeout=20)
        self.anthropic = anthropic.Anthropic(base_url=self.url, api_key="client-key", max_retries=0, timeout=20)
        for pool in ("openai", "anthropic"):
            for endpoint in ("first", "second"):
                call(f"{self.url}/api/pools/{pool}/endpoints/{endpoint}/reset", {})

    def chat(self):
        return self.openai.chat.completions.with_raw_response.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}])

    def message(self):
        return self.anthropic.messages.with_raw_response.create(
            model="claude-sonnet-4-5", max_tokens=20, messages=[{"role": "user", "content": "Hello"}])

    def surfaces(self):
        return (("openai", self.chat, openai), ("anthropic", self.message, anthropic))


class EveryKeyLimitedTests(LimitCase):
    """All keys cool: what the gateway says by itself, without asking anybody."""

    def test_clients_raise_their_own_rate_limit_error(self):
        for pool, ask, sdk in self.surfaces():
            with self.subTest(pool=pool):
                self.faults({"kind": "status", "status": 429, "retry_after": 300})
                with self.assertRaises(sdk.RateLimitError) as first:
                    ask()
                self.assertEqual(first.exception.response.headers["x-sluice-attempts"], "2", "the provider's own")
                asked = self.stats()["requests"]["total"]
                with self.assertRaises(sdk.RateLimitError) as caught:
                    ask()
                answer = caught.exception.response
                self.assertEqual(answer.headers["x-sluice-attempts"], "0")
                self.assertEqual(self.stats()["requests"]["total"], asked, "nobody was asked")
                self.assertIn("rate_limit_exceeded", answer.text)
                self.assertEqual(caught.exception.body["error"]["type"] if pool == "anthropic" else caught.exception.type,
                                 "rate_limit_error")
                self.assertTrue(240 <= int(answer.headers["retry-after"]) <= 300, answer.headers["retry-after"])
                rejected = call(f"{self.url}/api/pools/{pool}")[2]["rejected"]
                self.assertGreaterEqual(rejected["limited"], 1, rejected)

    def test_the_first_key_to_return_counts(self):
        self.faults({"kind": "status", "status": 429, "retry_after": 300, "match": {"key": "sk-test-1"}},
                    {"kind": "status", "status": 429, "retry_after": 150, "match": {"key": "sk-test-2"}})
        for attempts in ("2", "0"):
            with self.assertRaises(openai.RateLimitError) as caught:
                self.chat()
            self.assertEqual(caught.exception.response.headers["x-sluice-attempts"], attempts)
            self.assertTrue(100 <= int(caught.exception.response.headers["retry-after"]) <= 150)

    def test_other_trouble_is_no_limit(self):
        for pool, ask, sdk in self.surfaces():
            with self.subTest(pool=pool):
                first, second = {"openai": ("sk-test-1", "sk-test-2"), "anthropic": ("sk-ant-test-1", "sk-ant-test-2")}[pool]
                self.faults({"kind": "status", "status": 429, "retry_after": 300, "match": {"key": first}},
                            {"kind": "status", "status": 503, "retry_after": 200, "match": {"key": second}})
                with self.assertRaises(sdk.APIStatusError):
                    ask()
                with self.assertRaises(sdk.InternalServerError) as caught:
                    ask()
                answer = caught.exception.response
                self.assertEqual((answer.status_code, answer.headers["x-sluice-attempts"]), (503, "0"))
                self.assertIn("no_endpoint_available", answer.text)
                self.assertTrue(100 <= int(answer.headers["retry-after"]) <= 200)

    def test_without_credit_clients_are_told_not_to_try_again(self):
        self.faults({"kind": "status", "status": 429, "code": "insufficient_quota"})
        for attempts in ("2", "0"):
            with self.assertRaises(openai.RateLimitError) as caught:
                self.chat()
            answer = caught.exception.response
            self.assertEqual(answer.headers["x-sluice-attempts"], attempts)
            self.assertEqual(answer.headers["x-should-retry"], "false")
            self.assertNotIn("retry-after", answer.headers)


class LimitHeaderTests(LimitCase):
    """Answers that say "this was the last one": the key is left alone before it has to refuse."""

    @classmethod
    def setUpClass(cls):
        cls.seen = {}

        def head(key, provider):
            left = 0 if key.endswith("1") else 50
            if provider == "openai":
                return (f"x-ratelimit-limit-requests: 100\r\nx-ratelimit-remaining-requests: {left}\r\n"
                        f"x-ratelimit-reset-requests: {'50m0s' if left == 0 else '36s'}\r\n")
            reset = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=50)).strftime("%Y-%m-%dT%H:%M:%SZ")
            return (f"anthropic-ratelimit-requests-limit: 100\r\nanthropic-ratelimit-requests-remaining: {left}\r\n"
                    f"anthropic-ratelimit-requests-reset: {reset}\r\n")

        async def serve(upstream, reader, writer, number):
            while True:
                request, _ = await upstream.request(reader)
                lines = dict(line.split(": ", 1) for line in request.decode().lower().split("\r\n")[1:] if ": " in line)
                key = lines.get("x-api-key") or lines["authorization"].split(" ")[1]
                provider = "anthropic" if "x-api-key" in lines else "openai"
                if request.startswith(b"POST"):
                    cls.seen[key] = cls.seen.get(key, 0) + 1
                writer.write(plain(CHAT_ANSWER if provider == "openai" else MESSAGE_ANSWER, headers=head(key, provider)))
                await writer.drain()

        cls.upstream = Upstream(serve)
        cls.addClassCleanup(cls.upstream.stop)
        cls.pools = LimitCase.pools.replace("SIMULATOR", cls.upstream.url)
        super().setUpClass()

    def metric(self, pool, endpoint):
        labels = (f'pool="{pool}"', f'endpoint="{endpoint}"', 'kind="requests"')
        lines = [line for line in call(self.url + "/metrics")[2].splitlines()
                 if line.startswith("sluice_endpoint_quota_remaining{") and all(label in line for label in labels)]
        self.assertEqual(len(lines), 1, labels)
        return float(lines[0].rsplit(" ", 1)[1])

    def test_a_key_without_requests_left_is_left_alone(self):
        for pool, ask, _ in self.surfaces():
            with self.subTest(pool=pool):
                prefix = {"openai": "sk-test-", "anthropic": "sk-ant-test-"}[pool]
                answers = [ask() for _ in range(12)]
                self.assertEqual([answer.headers["x-sluice-attempts"] for answer in answers], ["1"] * 12, "nobody was refused")
                self.assertEqual(self.seen[prefix + "1"], 1, "the call that told of the limit was the last one")
                self.assertEqual(self.seen[prefix + "2"], 11)
                endpoints = {e["name"]: e for e in call(f"{self.url}/api/pools/{pool}")[2]["endpoints"]}
                self.assertEqual((endpoints["first"]["state"], endpoints["second"]["state"]), ("cooling", "healthy"))
                self.assertEqual(endpoints["first"]["quota"]["requests"]["remaining"], 0)
                self.assertEqual(endpoints["second"]["quota"]["requests"]["remaining"], 50)
                self.assertEqual((self.metric(pool, "first"), self.metric(pool, "second")), (0, 50))


class RefusedModelTests(LimitCase):
    """A key that may not use a model is not asked for it again soon; each event loop finds out for itself."""
    server = ", threads: 1"

    def refuse(self, status, *keys, model="gpt-4o-mini", code="permission_denied"):
        self.faults(*({"kind": "status", "status": status, "code": code, "match": {"key": key, "model": model}} for key in keys))

    def ask(self, model):
        return self.openai.chat.completions.with_raw_response.create(model=model, messages=[{"role": "user", "content": "Hello"}])

    def test_other_keys_are_asked_first(self):
        for model, status, code in (("gpt-4o-mini", 403, "permission_denied"), ("gpt-4o", 404, "model_not_found")):
            with self.subTest(status=status):
                self.refuse(status, "sk-test-1", model=model, code=code)
                attempts = [self.ask(model).headers["x-sluice-attempts"] for _ in range(8)]
                self.assertEqual(self.fault_hits(), 1, "one call found out")
                self.assertEqual(sorted(attempts), ["1"] * 7 + ["2"])
        endpoints = {self.ask("gpt-4.1-mini").headers["x-sluice-endpoint"] for _ in range(6)}
        self.assertEqual(endpoints, {"first", "second"}, "other models are not concerned")
        states = {e["name"]: e["state"] for e in call(f"{self.url}/api/pools/openai")[2]["endpoints"]}
        self.assertEqual(states, {"first": "healthy", "second": "healthy"})

    def test_when_all_refuse_one_is_asked_each_time(self):
        self.refuse(403, "sk-test-*", model="gpt-4.1")
        for attempts in ("2", "1", "1", "1"):
            with self.assertRaises(openai.PermissionDeniedError) as caught:
                self.ask("gpt-4.1")
            self.assertEqual(caught.exception.response.headers["x-sluice-attempts"], attempts)
        self.faults()
        self.assertEqual(self.ask("gpt-4.1").headers["x-sluice-attempts"], "1", "rights that came back are found")
