"""Starts the real binary for tests: simulator and gateway on ports the system picks, stopped at the end of a test class."""
import json, os, pathlib, re, signal, subprocess, tempfile, threading, unittest, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("SLUICE_BINARY", str(ROOT / ".build/debug/sluice"))
START_SECONDS = 30


class Program:
    """One `sluice` process; waits until it says where it listens. `within`: a command that runs it, in a namespace say."""

    def __init__(self, *arguments, environment=None, within=()):
        clean = {key: value for key, value in os.environ.items()
                 if not re.match(r"(OPENAI|ANTHROPIC|SLUICE|AWS|GEMINI|COHERE|MISTRAL|HF)_", key)}
        self.process = subprocess.Popen([*within, BINARY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        env={**clean, **(environment or {})})
        self.lines, self.url, self._ready = [], None, threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._ready.wait(START_SECONDS) or self.url is None:
            self.process.kill()
            raise AssertionError(f"sluice {arguments[0]} did not start:\n" + "".join(self.lines))

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"listening on (https?://\S+)", line)
            if found and self.url is None:
                self.url = found[1].rstrip("/")
                self._ready.set()
        self._ready.set()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, seconds=20):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("sluice did not stop on SIGTERM:\n" + "".join(self.lines[-30:]))


def call(url, body=None, method=None, headers=None, timeout=20):
    """(status, headers, parsed JSON or text) of one request, errors included."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})}, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        answer = error
    text = answer.read().decode()
    try:
        return answer.status, answer.headers, json.loads(text)
    except json.JSONDecodeError:
        return answer.status, answer.headers, text


class GatewayCase(unittest.TestCase):
    """A gateway in front of a simulator; a class may change both files of settings."""
    simulator_arguments = ["--latency", "none", "--limits"]
    server = ""
    pools = """
  openai: {provider: openai, base_url: "SIMULATOR/v1", keys: [{name: first, key: sk-test-1}, {name: second, key: sk-test-2}], connections: {max: 64}}
  anthropic: {provider: anthropic, base_url: "SIMULATOR", keys: [{name: first, key: sk-ant-test-1}], connections: {max: 64}}
"""
    routes = ""

    @classmethod
    def setUpClass(cls):
        cls.simulator = Program("simulate", "--listen", "127.0.0.1:0", *cls.simulator_arguments)
        cls.folder = tempfile.TemporaryDirectory(prefix="sluice-test-")
        cls.file = os.path.join(cls.folder.name, "sluice.yaml")
        cls.write_configuration()
        cls.gateway = Program("serve", "--config", cls.file)
        cls.url = cls.gateway.url

    @classmethod
    def write_configuration(cls, pools=None):
        text = 'version: 1\nserver: {listen: "127.0.0.1:0"%s}\npools:%s%s' % (
            cls.server, (pools or cls.pools).replace("SIMULATOR", cls.simulator.url), cls.routes)
        temporary = cls.file + ".new"
        with open(temporary, "w") as file:
            file.write(text)
        os.replace(temporary, cls.file)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.gateway.stop()
        finally:
            cls.simulator.stop()
            cls.folder.cleanup()

    def tearDown(self):
        call(self.simulator.url + "/_simulator/faults", method="DELETE")

    def faults(self, *faults):
        status, _, answer = call(self.simulator.url + "/_simulator/faults", list(faults), method="PUT")
        self.assertEqual(status, 200, answer)

    def stats(self):
        return call(self.simulator.url + "/_simulator/stats")[2]

    def fault_hits(self):
        """How often the faults now set were applied."""
        return sum(fault["hits"] for fault in call(self.simulator.url + "/_simulator/faults")[2])
