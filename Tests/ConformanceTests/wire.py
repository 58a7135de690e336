"""Raw sockets for tests: a client that sends any bytes, an upstream that answers any bytes, and bounded waiting."""
import asyncio, json, socket, threading, time, urllib.parse


def until(condition, what, seconds=10):
    """The first true value of `condition()`; an AssertionError that says `what` after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        threading.Event().wait(0.01)


class Answer:
    """One answer as it came over the wire."""

    def __init__(self, head, interim):
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.interim = interim
        self.body = b""
        self.complete = False
        """Whether the framing said that this was all: full length, or the last chunk."""

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def events(self):
        """(event name, parsed data or text) of an event stream; comments are left out."""
        found = []
        for block in self.body.decode().replace("\r\n", "\n").split("\n\n"):
            name, data = None, []
            for line in block.split("\n"):
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    data.append(line[5:].strip())
            if data:
                text = "\n".join(data)
                found.append((name, text if text == "[DONE]" else json.loads(text)))
        return found


class Client:
    """A connection that sends exactly the bytes it is told and reads answers one after the other."""

    def __init__(self, url, timeout=20):
        place = urllib.parse.urlparse(url)
        self.host = place.netloc
        self.socket = socket.create_connection((place.hostname, place.port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def head(self, path, length=None, headers=(), method="POST"):
        lines = [f"{method} {path} HTTP/1.1", f"host: {self.host}", "content-type: application/json", *headers]
        if length is not None:
            lines.append(f"content-length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def post(self, path, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send(self.head(path, len(data), headers) + data)

    def ask(self, path, body, headers=()):
        self.post(path, body, headers)
        return self.answer()

    def more(self):
        """Reads once; false at the end of the connection (a reset counts as one)."""
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            return False
        self.rest += data
        return bool(data)

    def _line(self, mark):
        while mark not in self.rest:
            if not self.more():
                return None
        part, self.rest = self.rest.split(mark, 1)
        return part

    def begin(self):
        """The head of the next answer; its body is still to come (None at the end of the connection)."""
        interim = []
        while True:
            head = self._line(b"\r\n\r\n")
            if head is None:
                return None
            answer = Answer(head, interim)
            if answer.status >= 200:
                return answer
            interim.append(answer.status)

    def chunk(self, answer):
        """One more chunk of a chunked body; false when the body is over, properly or not."""
        size = self._line(b"\r\n")
        if size is None:
            return False
        count = int(size.split(b";")[0], 16)
        while len(self.rest) < count + 2:
            if not self.more():
                answer.body += self.rest
                return False
        answer.body, self.rest = answer.body + self.rest[:count], self.rest[count + 2:]
        answer.complete = count == 0
        return count > 0

    def finish(self, answer):
        if answer.headers.get("transfer-encoding") == "chunked":
            while self.chunk(answer):
                pass
            return answer
        length = int(answer.headers.get("content-length", 0))
        while len(self.rest) < length and self.more():
            pass
        answer.body, self.rest = self.rest[:length], self.rest[length:]
        answer.complete = len(answer.body) == length
        return answer

    def answer(self):
        answer = self.begin()
        return answer and self.finish(answer)

    def is_closed(self, seconds=5):
        """Whether the other side ends the connection (and sends nothing before)."""
        self.socket.settimeout(seconds)
        try:
            return not self.more()
        except TimeoutError:
            return False


class Upstream:
    """An HTTP provider made of one coroutine: `serve(reader, writer, number)` is called for each connection."""

    def __init__(self, serve, tls=None):
        self.serve, self.connections, self.requests, self.problem = serve, 0, 0, None
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()

        async def run():
            self.stopped = asyncio.Event()
            self.server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls, limit=1 << 22)
            self.port = self.server.sockets[0].getsockname()[1]
            ready.set()
            await self.stopped.wait()
            self.server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        self.thread = threading.Thread(target=lambda: self.loop.run_until_complete(run()), daemon=True)
        self.loop.set_exception_handler(lambda *_: None)
        self.thread.start()
        assert ready.wait(10)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    async def _accept(self, reader, writer):
        self.connections += 1
        try:
            await self.serve(self, reader, writer, self.connections)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Exception as error:  # shown by stop(): a mistake of the test itself
            self.problem = error
        finally:
            writer.close()

    async def request(self, reader):
        """(head, body) of the next request."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = await reader.readexactly(length)
        self.requests += 1
        return head, body

    def stop(self):
        self.loop.call_soon_threadsafe(self.stopped.set)
        self.thread.join(10)
        if self.problem:
            raise self.problem


CHAT_ANSWER = json.dumps({
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}).encode()


def plain(body=CHAT_ANSWER, status="200 OK", headers=""):
    return f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body


def frozen_listener():
    """A socket that is listened on and never accepts, with its queue already full: a connect gets no answer at all."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    return listener, fillers


def closed_port():
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
