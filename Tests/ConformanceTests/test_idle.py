"""Heartbeats; and the first call after an idle time, with something on the way that forgets silent flows (compressed: 4 s
instead of 350 s)."""
import re, subprocess, threading, time, unittest
import idle, nat
from harness import BINARY, GatewayCase, call

PROBLEM = nat.missing() or (None if nat.os.geteuid() == 0 else "needs root; dev/idle-test does without")


class HeartbeatTests(GatewayCase):
    pools = """
  kept: {provider: openai, base_url: "SIMULATOR/v1", keys: [{name: only, key: sk-test-1}], health: {interval: 12h}, heartbeat: {interval: 1s}}
  silent: {provider: openai, base_url: "SIMULATOR/v1", keys: [{name: only, key: sk-test-1}], health: {interval: 12h}, heartbeat: {interval: off}}
"""

    def until(self, what, reached, seconds=20):
        end = time.monotonic() + seconds
        while not reached():
            self.assertLess(time.monotonic(), end, f"{what}: not within {seconds} s")
            threading.Event().wait(0.1)

    def beats(self, pool, result="success"):
        text = call(self.url + "/metrics")[2]
        return int(re.search(rf'sluice_heartbeats_total\{{pool="{pool}",endpoint="only",result="{result}"\}} (\d+)', text)[1])

    def alerts(self):
        return call(self.url + "/api/alerts")[2]["alerts"]

    def endpoint(self):
        return call(self.url + "/api/pools/kept")[2]["endpoints"][0]

    def use(self, pool):
        status, _, answer = call(self.url + "/v1/chat/completions", {**idle.BODY, "model": f"{pool}/gpt-4o-mini"})
        self.assertEqual(status, 200, answer)

    def test_a_failing_heartbeat_is_told_once_and_goes_when_it_is_over(self):
        self.assertEqual(self.beats("kept"), 0, "before the first use")
        self.use("kept"), self.use("silent")
        self.until("heartbeats", lambda: self.beats("kept") >= 2)
        self.assertEqual((self.beats("silent"), self.alerts()), (0, []))
        pool = call(self.url + "/api/pools/kept")[2]
        self.assertEqual(pool["origins"][0]["heartbeat_interval_seconds"], 1)
        self.assertEqual(pool["connections"]["opened"], 1, "they travel on the connection that is there")
        self.faults({"kind": "status", "status": 500, "match": {"path": "/v1/models"}})
        self.until("two failures", lambda: self.beats("kept", "failure") >= 2)
        alert, = self.alerts()
        self.assertEqual((alert["name"], alert["severity"], alert["pool"], alert["endpoint"]),
                         ("heartbeat_failing", "low", "kept", "only"))
        self.assertEqual(self.endpoint()["heartbeat_problem"], "server")
        status = subprocess.run([BINARY, "status", "--url", self.url], capture_output=True, text=True, timeout=20).stdout
        self.assertIn("heartbeat_failing", status)
        self.assertEqual(sum("heartbeatFailing" in line for line in self.gateway.lines), 1, "said more than once")
        self.faults()
        self.until("recovery", lambda: not self.alerts())
        self.assertNotIn("heartbeat_problem", self.endpoint())

    def test_a_revoked_key_is_found_out_before_the_next_call(self):
        call(self.url + "/api/pools/kept/endpoints/only/reset", {}, method="POST")
        self.use("kept")
        self.faults({"kind": "status", "status": 401, "match": {"path": "/v1/models"}})
        self.until("rejection", lambda: self.endpoint()["state"] == "rejected")
        alert, = self.alerts()
        self.assertEqual((alert["name"], alert["severity"], alert["pool"], alert["endpoint"]), ("key_rejected", "high", "kept", "only"))
        self.assertGreaterEqual(alert["since_seconds"], 0)
        self.faults()
        call(self.url + "/api/pools/kept/endpoints/only/reset", {}, method="POST")
        self.until("a heartbeat after the reset", lambda: self.endpoint()["state"] == "healthy" and not self.alerts())


@unittest.skipIf(PROBLEM, PROBLEM)
class IdleTests(unittest.TestCase):
    def test_heartbeats_keep_what_silence_would_lose(self):
        kept, lost, plain = idle.Group("kept", "2s", 0, 6), idle.Group("lost", "off", 1, 6), idle.Group("plain", None, 2, 3)
        run = idle.IdleRun(4, [kept, lost, plain], patience=5)
        try:
            run.busy()
            threading.Event().wait(12)
            run.first_calls()
            self.assertEqual([kept.failed, lost.failed], [0, 0], "a call was lost")
            self.assertLess(max(kept.first), idle.quantile(kept.busy, 0.99) + 2)
            self.assertGreaterEqual(run.beats(kept), 6 * 4)
            self.assertEqual(run.beats(kept, "failure"), 0)
            self.assertEqual(run.beats(lost), 0)
            # The box does what it is here for: nothing is left of what nobody kept.
            self.assertGreaterEqual(lost.opened, 6)
            self.assertEqual(plain.failed, 3, "the box forgets nothing")
            # Finding that out takes a tenth of a second at least, whatever else the machine is doing.
            self.assertLess(idle.quantile(kept.first, 0.5), idle.quantile(lost.first, 0.5))
        finally:
            run.close()


if __name__ == "__main__":
    unittest.main()
