"""Stand-ins for what surrounds a process on AWS: the metadata endpoints, a Bedrock that looks at signatures' dates and keys,
a CONNECT proxy that leads to another place, and moto as the judge of signatures."""
import datetime, http.client, http.server, json, os, pathlib, re, select, socket, ssl, subprocess, threading
from email.utils import format_datetime

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOTO = os.environ.get("MOTO_SERVER", str(ROOT / ".cache/moto/bin/moto_server"))


class Server:
    """A threaded HTTP server on a port of its own; `handle(request)` returns (status, headers, body). `tls`: the file with its
    certificate and the one with the key."""

    def __init__(self, tls=None):
        part = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                self.body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, headers, body = part.handle(self)
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self):
        return self.server.server_address

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Metadata(Server):
    """An instance's metadata service (version 2) at /latest and a container's endpoint at /container. Each look brings a new
    key; `lifetime` is in seconds."""

    def __init__(self, lifetime=3600):
        self.lifetime, self.issued, self.down, self.requests = lifetime, 0, False, []
        super().__init__()

    def handle(self, request):
        self.requests.append((request.command, request.path))
        if self.down:
            return 503, {}, b""
        if request.path == "/latest/api/token":
            is_asked_well = request.command == "PUT" and request.headers.get("x-aws-ec2-metadata-token-ttl-seconds")
            return (200, {}, b"session") if is_asked_well else (400, {}, b"")
        if request.path == "/container":
            return (200, {}, self.document()) if request.headers.get("authorization") == "container-token" else (401, {}, b"")
        if request.headers.get("x-aws-ec2-metadata-token") != "session":
            return 401, {}, b""
        if request.path == "/latest/meta-data/iam/security-credentials/":
            return 200, {}, b"the-role"
        return (200, {}, self.document()) if request.path.endswith("/the-role") else (404, {}, b"")

    def document(self):
        self.issued += 1
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.lifetime)
        return json.dumps({"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": f"ASIAISSUED{self.issued}", "SecretAccessKey": "secret",
                           "Token": f"token{self.issued}", "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
                           "LastUpdated": "2026-01-01T00:00:00Z"}).encode()


class Runtime(Server):
    """A Bedrock runtime that notes which key signed, refuses keys in `expired` and dates more than five minutes from its clock."""

    def __init__(self, ahead=0, tls=None):
        self.ahead, self.expired, self.keys = ahead, set(), []
        super().__init__(tls)

    def handle(self, request):
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.ahead)
        found = re.search(r"Credential=([^/]+)/", request.headers.get("authorization", ""))
        key = found[1] if found else None
        self.keys.append(key)
        headers = {"date": format_datetime(now, usegmt=True), "content-type": "application/json"}
        date = request.headers.get("x-amz-date")
        if key is None or date is None:
            return self.refusal(headers, "MissingAuthenticationTokenException", "Missing Authentication Token")
        signed = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if abs((now - signed).total_seconds()) > 300:
            word = "expired" if signed < now else "not yet current"
            return self.refusal(headers, "InvalidSignatureException", f"Signature {word}: {date} is too far away")
        if key in self.expired:
            return self.refusal(headers, "ExpiredTokenException", "The security token included in the request is expired")
        return 200, headers, b'{"ok":true}'

    @staticmethod
    def refusal(headers, kind, message):
        return 403, {**headers, "x-amzn-errortype": kind}, json.dumps({"message": message}).encode()


class Front(Server):
    """TLS in front of another server, which gets everything as it came; notes requests and the status of their answers."""

    def __init__(self, target, tls):
        self.target, self.seen = target, []
        super().__init__(tls)

    def handle(self, request):
        connection = http.client.HTTPConnection(*self.target, timeout=20)
        connection.request(request.command, request.path, request.body, dict(request.headers))
        answer = connection.getresponse()
        body = answer.read()
        self.seen.append((request.headers, request.body, answer.status))
        return answer.status, {"content-type": answer.headers.get("content-type", "text/xml")}, body


class Plain(Server):
    """Answers everything with an empty document."""

    def handle(self, request):
        return 200, {"content-type": "application/json"}, b"{}"


class Tunnel:
    """A proxy for CONNECT that leads to `target` whatever it is asked for; or, where `routes` name the host, to another place,
    after so many seconds. A route of None refuses."""

    def __init__(self, target=None, routes=None):
        self.target, self.routes, self.asked, self.open = target, routes or {}, [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(4096)
            if not piece:
                return client.close()
            head += piece
        asked = head.split(b" ")[1].decode()
        self.asked.append(asked)
        route = self.routes.get(asked.split(":")[0], (self.target, 0))
        if route is None:
            return client.close()
        target, delay = route
        threading.Event().wait(delay)
        self.open.append((asked.split(":")[0], client))
        with client, socket.create_connection(target) as server:
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    piece = ready.recv(65536)
                    if not piece:
                        return
                    (server if ready is client else client).sendall(piece)

    def cut(self, host):
        """Ends what leads to a host, and lets nobody through any more."""
        self.routes[host] = None
        for name, client in self.open:
            if name == host:
                try:
                    client.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def stop(self):
        self.listener.close()


class Moto:
    """moto's server with authentication on: after `free` calls it verifies every signature."""

    def __init__(self, free):
        self.process = subprocess.Popen(
            [MOTO, "-H", "127.0.0.1", "-p", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(free), "PYTHONUNBUFFERED": "1"})
        self.url = None
        for line in self.process.stdout:
            found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", line)
            if found:
                self.url = found[1]
                break
        if self.url is None:
            raise AssertionError("moto_server did not start")
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    @property
    def address(self):
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
