"""Mock providers that were not written here, each a process in the virtual environment that dev/conformance makes for them."""
import os, socket, subprocess, tempfile, time, unittest, urllib.error, urllib.request
from harness import ROOT, Program, call

SERVERS = ROOT / ".cache/servers/bin"
START_SECONDS = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A program that answers HTTP on a port it is given; its output is kept for the case that it does not start."""

    def __init__(self, arguments, health, **environment):
        for attempt in range(3):
            self.port = free_port()
            self.url = f"http://127.0.0.1:{self.port}"
            self.log = tempfile.TemporaryFile("w+")
            self.process = subprocess.Popen([str(a).replace("PORT", str(self.port)) for a in arguments], stdout=self.log,
                                            stderr=subprocess.STDOUT, env={**os.environ, **environment})
            if self._answers(health):
                return
        raise AssertionError(f"{arguments[0]} did not start:\n{self.output()}")

    def _answers(self, health):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(self.url + health, timeout=2).close()
                return True
            except urllib.error.HTTPError as answer:  # it listens, and says that it is still loading
                answer.close()
            except OSError:
                pass
            time.sleep(0.05)
        self.stop()
        return False

    def output(self):
        self.log.seek(0)
        return self.log.read()[-3000:]

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


def llmock(event_milliseconds=0):
    """OpenAI, Anthropic, Gemini, Cohere and Mistral on one port, with faults on demand and a verdict on the client."""
    return Server([SERVERS / "llmock", "serve", "--host", "127.0.0.1", "--port", "PORT", "--log-level", "warning"], "/health",
                  LLMOCK_STREAM_CHUNK_DELAY_MS=str(event_milliseconds))


def katan(providers, home):
    """`llm-katan` without a model: it answers with an echo."""
    return Server([SERVERS / "llm-katan", "--model", "m1", "--backend", "echo", "--providers", providers, "--host", "127.0.0.1",
                   "-p", "PORT", "--stats-file", os.path.join(home, "katan.json"), "--log-level", "warning"], "/health")


class MockedCase(unittest.TestCase):
    """A gateway whose pools lead to one mock server; a class says which, and with what pools."""
    pools = ""

    @classmethod
    def start(cls):
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="sluice-test-")
        cls.mock = cls.start()
        path = os.path.join(cls.folder.name, "sluice.yaml")
        with open(path, "w") as file:
            file.write('version: 1\nserver: {listen: "127.0.0.1:0"}\npools:' + cls.pools.replace("MOCK", cls.mock.url))
        try:
            cls.gateway = Program("serve", "--config", path)
        except BaseException:
            cls.mock.stop()
            raise
        cls.url = cls.gateway.url

    @classmethod
    def tearDownClass(cls):
        try:
            cls.gateway.stop()
        finally:
            cls.mock.stop()
            cls.folder.cleanup()


class LLMockCase(MockedCase):
    """Scripts faults and reads the verdict on what the gateway made of them."""
    event_milliseconds = 0

    @classmethod
    def start(cls):
        return llmock(cls.event_milliseconds)

    def setUp(self):
        call(self.mock.url + "/_llmock/reset", {}, method="POST")

    def script(self, *behaviors):
        status, _, answer = call(self.mock.url + "/_llmock/scenario", {"behaviors": list(behaviors)})
        self.assertEqual(status, 201, answer)

    def requests(self):
        """What reached the mock provider, lists of models left out."""
        return [r for r in call(self.mock.url + "/_llmock/requests")[2]["requests"] if r["method"] == "POST"]

    def assert_clean_verdict(self):
        verdict = call(self.mock.url + "/_llmock/verdict")[2]
        self.assertEqual(verdict["findings"], [], call(self.mock.url + "/_llmock/verdict?format=text")[2])
        return verdict
