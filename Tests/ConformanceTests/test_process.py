"""The real binary as an operator meets it: start, reload, drain, kills, typos, signals."""
import http.client, json, os, pathlib, signal, socket, subprocess, tempfile, threading, time, unittest, urllib.parse
from harness import BINARY, GatewayCase, Program, call
from wire import until

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}


def run(*arguments, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "ANTHROPIC_", "SLUICE_"))}
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, env={**clean, **environment})


class Load(threading.Thread):
    """Sends chats over one kept connection until told to stop; remembers everything that was not a 200."""

    def __init__(self, url, stream=False):
        super().__init__(daemon=True)
        self.host, self.stream, self.going = urllib.parse.urlparse(url).netloc, stream, True
        self.done, self.failures = 0, []

    def run(self):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        body = json.dumps({**CHAT, "stream": self.stream})
        while self.going:
            try:
                connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 200 or (self.stream and b"[DONE]" not in text):
                    self.failures.append((answer.status, text[:200]))
                self.done += 1
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()

    def finish(self):
        self.going = False
        self.join(40)


def load_until(workers, count, seconds=30):
    """Waits until every worker has done `count` more requests (bounded)."""
    goals, end = [w.done + count for w in workers], time.monotonic() + seconds
    while any(w.done < goal for w, goal in zip(workers, goals)):
        if time.monotonic() > end:
            raise AssertionError(f"only {[w.done for w in workers]} requests in {seconds} s: {[w.failures[:2] for w in workers]}")
        threading.Event().wait(0.01)


class ReloadTests(GatewayCase):
    TWO = '\n  openai: {provider: openai, base_url: "SIMULATOR/v1", keys: [{name: first, key: sk-test-1}, {name: %s, key: %s}]}\n'

    def test_reload_under_load_adds_and_removes_an_endpoint(self):
        workers = [Load(self.url), Load(self.url), Load(self.url, stream=True)]
        [w.start() for w in workers]
        load_until(workers, 20)
        for generation in range(4):
            name, key = ("third", "sk-test-3") if generation % 2 == 0 else ("second", "sk-test-2")
            self.write_configuration(self.TWO % (name, key))
            status, _, report = call(self.url + "/api/config/reload", {}, method="POST")
            self.assertEqual(status, 200, report)
            names = [e["name"] for e in call(self.url + "/api/pools/openai")[2]["endpoints"]]
            self.assertIn(name, names)
            load_until(workers, 20)
        [w.finish() for w in workers]
        self.assertEqual([w.failures for w in workers], [[], [], []])

    def test_reload_under_load_adds_and_removes_a_pool(self):
        """Requests go to whichever of two pools is there; each reload takes one of them away."""
        pool = '\n  %s: {provider: openai, base_url: "SIMULATOR/v1", keys: [{name: only, key: %s}], connections: {max: 64}}\n'
        self.write_configuration(pool % ("left", "sk-test-1"))
        self.assertEqual(call(self.url + "/api/config/reload", {}, method="POST")[0], 200)
        workers = [Load(self.url) for _ in range(4)] + [Load(self.url, stream=True)]
        [w.start() for w in workers]
        for generation in range(12):
            load_until(workers, 5)
            name, key = ("right", "sk-test-2") if generation % 2 == 0 else ("left", "sk-test-1")
            self.write_configuration(pool % (name, key))
            status, _, report = call(self.url + "/api/config/reload", {}, method="POST")
            self.assertEqual(status, 200, report)
            self.assertEqual([p["name"] for p in call(self.url + "/api/pools")[2]["pools"]], [name])
        [w.finish() for w in workers]
        self.assertEqual([w.failures for w in workers], [[]] * 5)

    def test_a_bad_file_changes_nothing(self):
        self.write_configuration('\n  openai: {provider: openai, base_ulr: "x"}\n')
        status, _, report = call(self.url + "/api/config/reload", {}, method="POST")
        self.assertEqual(status, 422, report)
        self.assertIn("base_url", json.dumps(report))
        self.assertEqual(call(self.url + "/v1/chat/completions", CHAT)[0], 200)
        self.write_configuration()

    def test_sighup_reloads(self):
        before = call(self.url + "/api/config")[2]["generation"]
        self.write_configuration(self.TWO % ("fourth", "sk-test-4"))
        self.gateway.signal(signal.SIGHUP)
        end = time.monotonic() + 10
        while call(self.url + "/api/config")[2]["generation"] == before and time.monotonic() < end:
            threading.Event().wait(0.02)
        names = [e["name"] for e in call(self.url + "/api/pools/openai")[2]["endpoints"]]
        self.assertIn("fourth", names)

    def test_the_file_itself_is_watched(self):
        self.write_configuration(self.TWO % ("fifth", "sk-test-5"))
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if "fifth" in [e["name"] for e in call(self.url + "/api/pools/openai")[2]["endpoints"]]:
                return
            threading.Event().wait(0.05)
        self.fail("a changed file was not noticed within 10 s")

    def test_a_secret_in_a_file_of_its_own_is_watched(self):
        path = os.path.join(os.path.dirname(self.file), "secret")
        pathlib.Path(path).write_text("sk-test-6\n")
        self.write_configuration(self.TWO % ("sixth", '"${file:secret}"'))
        until(lambda: "sixth" in [e["name"] for e in call(self.url + "/api/pools/openai")[2]["endpoints"]], "the file is read", 10)
        before = call(self.url + "/api/config")[2]["generation"]
        pathlib.Path(path).write_text("sk-test-7\n")
        until(lambda: call(self.url + "/api/config")[2]["generation"] > before, "the new secret is read", 10)


class AdmissionTests(GatewayCase):
    simulator_arguments = ["--latency", "realistic", "--seed", "7"]
    pools = """
  openai: {provider: openai, base_url: "SIMULATOR/v1", keys: [{name: only, key: sk-test-1}], connections: {max: 1}}
admission: {capacity: 2, timeout: 100ms}
"""

    def test_the_queue_is_bounded_in_length_and_time(self):
        answers, lock = [], threading.Lock()

        def ask():
            status, _, answer = call(self.url + "/v1/chat/completions", {**CHAT, "max_tokens": 64})
            with lock:
                answers.append((status, "" if status == 200 else answer["error"]["code"]))

        threads = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
        [t.start() for t in threads]
        [t.join(40) for t in threads]
        self.assertIn((200, ""), answers)
        self.assertIn((503, "queue_full"), answers)
        self.assertIn((504, "queue_timeout"), answers)


class AffinityTests(GatewayCase):
    pools = """
  openai:
    provider: openai
    base_url: "SIMULATOR/v1"
    keys: [{name: a, key: sk-test-1}, {name: b, key: sk-test-2}, {name: c, key: sk-test-3}, {name: d, key: sk-test-4}]
    balance: {affinity: user}
"""

    def homes(self, number, **fields):
        """How many of 30 chats the endpoint served that served most of them, and its name."""
        served = [call(self.url + "/v1/chat/completions", {**CHAT, **fields})[1]["x-sluice-endpoint"] for _ in range(30)]
        home = max(set(served), key=served.count)
        return served.count(home), home

    def test_a_user_mostly_stays_on_one_endpoint_and_users_are_spread(self):
        """An advantage in the score, not a pin: chance alone would give each of four endpoints a quarter."""
        users = [self.homes(n, user="user-%d" % n) for n in range(8)]
        self.assertGreater(sum(count for count, _ in users) / len(users), 18, users)
        self.assertGreater(len({home for _, home in users}), 1, users)


class HostTests(GatewayCase):
    server = ", hosts: [gate.example]"

    def test_a_configured_name_is_ours(self):
        self.assertEqual(call(self.url + "/v1/models", headers={"host": "gate.example"})[0], 200)
        self.assertEqual(call(self.url + "/v1/models", headers={"host": "evil.example"})[0], 403)


class DrainTests(GatewayCase):
    simulator_arguments = ["--latency", "realistic", "--seed", "7"]
    server = ", drain_timeout: 30s"

    def test_sigterm_under_load_loses_no_stream(self):
        workers = [Load(self.url, stream=True) for _ in range(12)]
        for w in workers:
            w.going = None  # one request each
        def once(worker):
            worker.going = True
            connection = http.client.HTTPConnection(worker.host, timeout=40)
            connection.request("POST", "/v1/chat/completions", json.dumps({**CHAT, "stream": True}), {"content-type": "application/json"})
            answer = connection.getresponse()
            first = answer.read1(10)
            opened.release()
            text = first + answer.read()
            worker.done = 1
            if answer.status != 200 or b"[DONE]" not in text:
                worker.failures.append((answer.status, text[-200:]))
        opened = threading.Semaphore(0)
        threads = [threading.Thread(target=once, args=(w,), daemon=True) for w in workers]
        [t.start() for t in threads]
        for _ in threads:
            self.assertTrue(opened.acquire(timeout=30), "a stream did not open")
        self.gateway.signal(signal.SIGTERM)
        [t.join(40) for t in threads]
        self.assertEqual([w.failures for w in workers if w.failures or not w.done], [])
        self.assertEqual(self.gateway.process.wait(35), 0)


class UpstreamTests(GatewayCase):
    server = ""

    def test_upstream_restarted_between_requests(self):
        workers = [Load(self.url)]
        workers[0].start()
        load_until(workers, 5)
        workers[0].finish()
        # Every idle connection of the gateway dies now; the same port comes back with a new process.
        port = urllib.parse.urlparse(self.simulator.url).port
        self.simulator.process.kill()
        self.simulator.process.wait()
        type(self).simulator = Program("simulate", "--listen", f"127.0.0.1:{port}", "--latency", "none")
        for _ in range(10):
            self.assertEqual(call(self.url + "/v1/chat/completions", CHAT)[0], 200)

    def test_silently_dropped_idle_connection(self):
        self.faults({"kind": "drop", "count": 1})
        self.assertEqual(call(self.url + "/v1/chat/completions", CHAT)[0], 200)
        call(self.simulator.url + "/_simulator/faults", method="DELETE")
        start = time.monotonic()
        self.assertEqual(call(self.url + "/v1/chat/completions", CHAT)[0], 200)
        self.assertLess(time.monotonic() - start, 2.0 + 0.5)


class CommandTests(unittest.TestCase):
    def test_check_points_at_the_mistake(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "sluice.yaml")
            with open(path, "w") as file:
                file.write("version: 1\npools:\n  a:\n    provider: openai\n    base_ulr: x\n    keys: [k]\n")
            result = run("check", path)
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"{path}:5:5: error:", result.stdout + result.stderr)
            self.assertIn("base_url", result.stdout + result.stderr)

    def test_init_then_check(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "sluice.yaml")
            keys = {"OPENAI_API_KEY": "sk-secret-value"}
            self.assertEqual(run("init", path, **keys).returncode, 0)
            self.assertNotIn("sk-secret-value", open(path).read())
            self.assertEqual(run("check", path, **keys).returncode, 0)
            again = run("init", path, **keys)
            self.assertEqual(again.returncode, 1)
            self.assertIn("--force", again.stderr + again.stdout)

    def test_whoever_says_nothing_stops_no_command(self):
        with socket.create_server(("127.0.0.1", 0)) as silent, tempfile.TemporaryDirectory() as folder:
            place = "127.0.0.1:%d" % silent.getsockname()[1]
            status = run("status", "--url", "http://" + place)
            self.assertEqual(status.returncode, 1)
            self.assertIn("did not answer", status.stderr + status.stdout)
            made = run("init", os.path.join(folder, "sluice.yaml"), OLLAMA_HOST=place, OPENAI_API_KEY="sk-x")
            self.assertEqual(made.returncode, 0)
            self.assertNotIn("ollama", open(os.path.join(folder, "sluice.yaml")).read())

    def test_usage_errors_exit_64(self):
        self.assertEqual(run("serve", "--no-such-option").returncode, 64)

    def test_the_log_is_set_in_the_environment_too(self):
        result = run("serve", SLUICE_LOG_LEVEL="loud")
        self.assertEqual(result.returncode, 64)
        self.assertIn("$SLUICE_LOG_LEVEL: 'loud' is none of trace, debug", result.stderr)
        arguments = ("serve", "--listen", "127.0.0.1:0")
        environment = {"OPENAI_API_KEY": "sk-x", "SLUICE_LOG_FORMAT": "json", "SLUICE_LOG_LEVEL": "debug"}
        logged = []
        for more in [(), ("--log-format", "text")]:
            gateway = Program(*arguments, *more, environment=environment)
            gateway.stop()
            logged.append([line for line in gateway.lines if line.startswith("{")])
        self.assertTrue(logged[0])
        self.assertEqual(logged[1], [])

    def test_every_command_has_help(self):
        for name in ["serve", "demo", "check", "init", "simulate", "status", "bench", "replay"]:
            result = run(name, "--help")
            self.assertEqual(result.returncode, 0, name)
            self.assertIn("USAGE: sluice " + name, result.stdout)

    def test_nothing_to_serve_says_what_to_do(self):
        with tempfile.TemporaryDirectory() as folder:
            result = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0"], cwd=folder, capture_output=True, text=True, timeout=30,
                                    env={"PATH": os.environ["PATH"], "HOME": folder})
            self.assertEqual(result.returncode, 1)
            self.assertIn("OPENAI_API_KEY", result.stderr + result.stdout)

    def test_wide_listening_is_refused(self):
        result = run("serve", "--listen", "0.0.0.0:0", OPENAI_API_KEY="sk-x")
        self.assertEqual(result.returncode, 1)
        self.assertIn("--insecure", result.stderr + result.stdout)

    def test_what_only_the_library_has_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "sluice.yaml")
            with open(path, "w") as file:
                file.write("version: 1\npools: {a: {provider: openai, keys: [sk-x], fallback: direct}}\n")
            result = run("serve", "--config", path, "--listen", "127.0.0.1:0")
            self.assertEqual(result.returncode, 1)
            self.assertIn("pools.a.fallback", result.stderr + result.stdout)

    def test_a_taken_port_is_said(self):
        simulator = Program("simulate", "--listen", "127.0.0.1:0")
        try:
            port = urllib.parse.urlparse(simulator.url).port
            result = run("serve", "--listen", f"127.0.0.1:{port}", OPENAI_API_KEY="sk-x")
            self.assertEqual(result.returncode, 1)
            self.assertIn(str(port), result.stderr + result.stdout)
        finally:
            simulator.stop()

    def test_control_c_ends_cleanly(self):
        gateway = Program("serve", "--listen", "127.0.0.1:0", environment={"OPENAI_API_KEY": "sk-x", "SLUICE_CONFIG": ""})
        gateway.signal(signal.SIGINT)
        self.assertEqual(gateway.process.wait(10), 0)

    def test_the_tour_comes_true(self):
        result = run("demo", "--tour", "--listen", "127.0.0.1:0")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"10 steps in \d+ s: (\d+) of \1 claims came true")
        self.assertGreaterEqual(result.stdout.count("✓"), 29)
        self.assertIn("key_rejected, severity high for team-a", result.stdout)
        self.assertRegex(result.stdout, r"\d+ calls ran meanwhile, 6 and more at once: 0 failed")
        self.assertNotIn("\033", result.stdout, "colours are for terminals")

    def test_the_tour_ends_with_control_c(self):
        tour = Program("demo", "--tour", "--listen", "127.0.0.1:0")
        until(lambda: any("1/10" in line for line in tour.lines), "the first step")
        tour.signal(signal.SIGINT)
        self.assertEqual(tour.process.wait(20), 0)
        self.assertIn("interrupted", "".join(tour.lines[-3:]))

    def test_a_reload_of_the_demo_reads_its_own_configuration_again(self):
        demo = Program("demo", "--no-traffic", "--listen", "127.0.0.1:0")
        try:
            status, _, report = call(demo.url + "/api/config/reload", {}, method="POST")
            self.assertEqual((status, report["applied"], report["changes"]), (200, True, []))
            self.assertEqual(len(call(demo.url + "/api/pools")[2]["pools"]), 9)
        finally:
            demo.stop()

    def test_replay_is_deterministic(self):
        first, second = run("replay", "--seed", "42"), run("replay", "--seed", "42")
        self.assertEqual(first.returncode, 0, first.stdout + first.stderr)
        self.assertEqual(first.stdout, second.stdout)

    def test_status_and_bench(self):
        simulator = Program("simulate", "--listen", "127.0.0.1:0", "--latency", "none")
        gateway = Program("serve", "--listen", "127.0.0.1:0", environment={"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": simulator.url + "/v1"})
        try:
            bench = run("bench", "--url", gateway.url, "--requests", "50", "--concurrency", "4")
            self.assertEqual(bench.returncode, 0, bench.stdout + bench.stderr)
            self.assertIn("p99", bench.stdout)
            status = run("status", "--url", gateway.url, "--json")
            self.assertEqual(json.loads(status.stdout)["pools"][0]["name"], "openai")
            self.assertIn("openai", run("status", "--url", gateway.url).stdout)
        finally:
            gateway.stop()
            simulator.stop()


class AdminTests(GatewayCase):
    def test_admin_surface(self):
        call(self.url + "/v1/chat/completions", CHAT)
        self.assertEqual(call(self.url + "/health")[0], 200)
        self.assertEqual(call(self.url + "/ready")[0], 200)
        metrics = call(self.url + "/metrics")[2]
        self.assertIn("sluice_requests_total{", metrics)
        pool = call(self.url + "/api/pools/openai")[2]
        self.assertEqual({e["name"] for e in pool["endpoints"]}, {"first", "second"})
        recent = call(self.url + "/api/requests")[2]["requests"][0]
        self.assertEqual(recent["model"], "gpt-4o-mini")
        config = json.dumps(call(self.url + "/api/config")[2])
        self.assertNotIn("sk-test", config)
        shown = json.loads(call(self.url + "/api/config")[2]["text"])
        self.assertEqual(shown["pools"]["openai"]["provider"], "openai", "a document, not the dump of one")
        status, headers, page = call(self.url + "/dashboard")
        self.assertIn("default-src 'none'", headers["content-security-policy"])
        self.assertIn("<title>Sluice</title>", page)

    def test_foreign_host_and_origin_are_refused(self):
        self.assertEqual(call(self.url + "/v1/chat/completions", CHAT, headers={"origin": "https://evil.example"})[0], 403)
        self.assertEqual(call(self.url + "/health", headers={"host": "evil.example"})[0], 403)


class TokenTests(GatewayCase):
    server = ", admin_token: secret-token"

    def test_admin_needs_the_token(self):
        self.assertEqual(call(self.url + "/api/pools")[0], 401)
        self.assertEqual(call(self.url + "/api/pools", headers={"authorization": "Bearer wrong"})[0], 401)
        self.assertEqual(call(self.url + "/api/pools", headers={"authorization": "Bearer secret-token"})[0], 200)
        self.assertEqual(call(self.url + "/v1/chat/completions", CHAT)[0], 200)

    def test_the_dashboard_opens_and_asks_for_it(self):
        status, _, page = call(self.url + "/dashboard")
        self.assertEqual(status, 200)
        self.assertIn("<title>Sluice</title>", page)
        self.assertEqual(call(self.url + "/api/overview")[0], 401)


if __name__ == "__main__":
    unittest.main()
