"""Compares the gateway with nginx as a bare proxy and with no proxy at all, in one run under the same load.

What is compared: CPU microseconds per request of the proxying processes (user + system, from /proc), requests per second,
latency percentiles as the load generator sees them, and resident memory. Rounds are interleaved (direct, nginx, sluice,
direct, …) and medians are printed, because machines drift. Plain: a 1 KB chat request and a fixed 700-byte answer from an
nginx upstream. Stream: a chat stream of about 200 server-sent events, one chunk each, from the built-in simulator.
Protocols: the gateway with HTTP/1.1 and with HTTP/2 towards the simulator. Translation: the gateway passing an OpenAI call
on to an OpenAI pool, translating an Anthropic call for it, and translating an OpenAI call for an Anthropic pool. Both are one
gateway process with a pool for each, so that nothing but the pool differs; the ratio is to the first line.
"""
import argparse, json, os, re, shutil, signal, socket, statistics, subprocess, sys, tempfile, time, urllib.request

TICK = os.sysconf("SC_CLK_TCK")
PROMPT = "Explain connection pooling to a new colleague. " * 18
ANSWER = {"id": "chatcmpl-bench", "object": "chat.completion", "created": 1700000000, "model": "gpt-4o-mini",
          "choices": [{"index": 0, "message": {"role": "assistant", "content": "A pool keeps connections open. " * 13, "refusal": None},
                       "logprobs": None, "finish_reason": "stop"}],
          "usage": {"prompt_tokens": 180, "completion_tokens": 90, "total_tokens": 270}}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"error: nothing listens on 127.0.0.1:{port} after {seconds} s")


def tree(pid):
    """The process and its children: nginx works in workers."""
    pids = [pid]
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as children:
            pids += [int(child) for child in children.read().split()]
    return pids


def cpu_seconds(pid):
    total = 0
    for each in tree(pid):
        fields = open(f"/proc/{each}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def resident(pid):
    return sum(int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{each}/status").read())[1]) for each in tree(pid)) / 1024


class Bench:
    def __init__(self, options):
        self.options, self.folder, self.processes = options, tempfile.mkdtemp(prefix="sluice-compare-"), []
        self.threads = options.threads

    def start(self, *command, **environment):
        log = open(os.path.join(self.folder, f"log{len(self.processes)}"), "w")
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environment}, start_new_session=True)
        self.processes.append(process)
        return process

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def nginx(self, name, http):
        path = self.write(name + ".conf", f"""
            daemon off; worker_processes {self.threads}; pid {self.folder}/{name}.pid; error_log stderr warn; worker_rlimit_nofile 65536;
            events {{ worker_connections 16384; }}
            http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 300s; client_body_buffer_size 64k;
                client_body_temp_path {self.folder}/b; proxy_temp_path {self.folder}/p; fastcgi_temp_path {self.folder}/f;
                uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s; {http} }}""")
        return self.start(shutil.which("nginx") or "/usr/sbin/nginx", "-c", path, "-p", self.folder)

    def proxies(self, upstream, name):
        """nginx and the gateway in front of `upstream`; returns {name: (port, process)}."""
        nginx_port, sluice_port = free_port(), free_port()
        nginx = self.nginx("proxy-" + name, f"""
            upstream up {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 100000000; }}
            server {{ listen 127.0.0.1:{nginx_port} backlog=4096; location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";
              proxy_set_header Authorization "Bearer sk-bench"; proxy_buffering off; }} }}""")
        config = self.write(f"{name}.yaml", f"""
version: 1
server: {{listen: "127.0.0.1:{sluice_port}", threads: {self.threads}}}
pools:
  bench: {{provider: openai, base_url: "http://127.0.0.1:{upstream}/v1", keys: [sk-bench], connections: {{max: 256}}}}
""")
        sluice = self.start(self.options.sluice, "serve", "--config", config, "--log-level", "error")
        wait_for(nginx_port)
        wait_for(sluice_port)
        return {"direct": (upstream, None), "nginx": (nginx_port, nginx), "sluice": (sluice_port, sluice)}

    def gateway(self, upstream, name, pools):
        """A gateway with these pools in front of the simulator; (port, process)."""
        port = free_port()
        config = self.write(f"{name}.yaml", f"""
version: 1
server: {{listen: "127.0.0.1:{port}", threads: {self.threads}}}
pools:
""" + "".join(f'  {pool}: {{base_url: "http://127.0.0.1:{upstream}{path}", keys: [sk-bench-{pool}], {more}}}\n' for pool, (path, more) in pools.items()))
        process = self.start(self.options.sluice, "serve", "--config", config, "--log-level", "error")
        wait_for(port)
        return port, process

    def script(self, name, body, headers=()):
        head = "".join(f'wrk.headers["{key}"]="{value}"; ' for key, value in [("content-type", "application/json"), ("authorization", "Bearer sk-client"), *headers])
        return self.write(name + ".lua", f'wrk.method="POST"; {head}wrk.body={json.dumps(json.dumps(body))}')

    def load(self, port, process, connections, script, path="/v1/chat/completions"):
        before = cpu_seconds(process.pid) if process else 0
        out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{self.options.seconds}s", "--latency", "-s", script,
                              f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True).stdout
        after = cpu_seconds(process.pid) if process else 0
        requests = int(re.search(r"(\d+) requests in", out)[1])
        bad = sum(map(int, re.findall(r"(?:Non-2xx or 3xx responses|timeout|read|write|connect):? (\d+)", out)))
        return {"rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), "p50": milliseconds(out, "50%"), "p99": milliseconds(out, "99%"),
                "cpu": 1e6 * (after - before) / max(1, requests) if process else 0.0, "rss": resident(process.pid) if process else 0.0, "bad": bad}

    def stop(self):
        for process in reversed(self.processes):
            try:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def milliseconds(out, label):
    value, unit = re.search(rf"{label}\s+([\d.]+)(us|ms|s)", out).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def measure(bench, title, proxies, connections, script):
    entries = {name: (port, process, script) for name, (port, process) in proxies.items()}
    return compare(bench, title, entries, connections, "nginx", "sluice")


def compare(bench, title, entries, connections, base, subject=None, events=0):
    """Interleaved rounds of each entry (port, process, script and, if it is another than chat's, path); prints medians."""
    rounds = {name: [] for name in entries}
    for port, process, *what in entries.values():  # warm up
        bench.load(port, process, connections, *what)
    for _ in range(bench.options.rounds):
        for name, (port, process, *what) in entries.items():
            rounds[name].append(bench.load(port, process, connections, *what))
    median = {name: {key: statistics.median(r[key] for r in runs) for key in runs[0]} for name, runs in rounds.items()}
    width = max(8, *map(len, entries))
    print(f"\n{title}, {connections} connection{'s' if connections > 1 else ''}")
    print(f"  {'':{width}} {'CPU µs/req':>11} {'ratio':>7} {'req/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'RSS MiB':>8} {'failed':>7}"
          + (f" {'µs/event':>9}" if events else ""))
    floor = median[base]["cpu"] or 1
    for name, m in median.items():
        ratio = f"{m['cpu'] / floor:.2f}" if m["cpu"] else ""
        print(f"  {name:{width}} {m['cpu']:11.1f} {ratio:>7} {m['rps']:9.0f} {m['p50']:8.3f} {m['p99']:8.3f} {m['rss']:8.1f} {m['bad']:7.0f}"
              + (f" {m['cpu'] / events:9.2f}" if events else ""), flush=True)
    others = {name: round(m["cpu"] / floor, 3) for name, m in median.items() if m["cpu"]}
    return {"title": title, "connections": connections, **median, "ratio": others[subject] if subject else others}


MESSAGE = [{"role": "user", "content": PROMPT + "[[tokens=90]]"}]
STORY = [{"role": "user", "content": PROMPT + "[[tokens=200]]"}]


def simulator(bench):
    port = free_port()
    bench.start(bench.options.sluice, "simulate", "--listen", f"127.0.0.1:{port}", "--latency", "none", "--max-concurrent-streams", "1000")
    wait_for(port)
    return port


def protocols(bench, counts):
    """HTTP/2 towards the provider against HTTP/1.1: the same requests to two pools of one gateway."""
    kinds = {"http/1.1": "http1", "http/2": "http2"}
    port, process = bench.gateway(simulator(bench), "protocols", {
        kind: ("/v1", f"provider: openai, connections: {{max: 256, protocol: {kind}}}") for kind in kinds.values()})
    results = []
    for title, more, messages, events in (("plain 1 KB request", {"max_tokens": 400}, MESSAGE, 0), ("stream of 200 events", {"max_tokens": 400, "stream": True}, STORY, 200)):
        entries = {name: (port, process, bench.script(f"{kind}-{events}", {"model": f"{kind}/gpt-4o-mini", "messages": messages, **more}))
                   for name, kind in kinds.items()}
        results += [compare(bench, f"protocol to the provider: {title}", entries, c, "http/1.1", events=events) for c in counts]
    return results


def translation(bench, counts):
    port, process = bench.gateway(simulator(bench), "translation", {
        "openai": ("/v1", "provider: openai, connections: {max: 256}"), "anthropic": ("", "provider: anthropic, connections: {max: 256}")})
    version = [("anthropic-version", "2023-06-01")]
    results = []
    for title, more, messages, events in (("plain 1 KB request", {}, MESSAGE, 0), ("stream of 200 events", {"stream": True}, STORY, 200)):
        def script(name, model, headers=()):
            return bench.script(f"{name}-{events}", {"model": model, "max_tokens": 400, "messages": messages, **more}, headers)
        entries = {"pass-through": (port, process, script("pass", "openai/gpt-4o-mini")),
                   "messages to openai": (port, process, script("messages", "openai/gpt-4o-mini", version), "/v1/messages"),
                   "chat to anthropic": (port, process, script("chat", "anthropic/claude-sonnet-4-5"))}
        results += [compare(bench, f"translation: {title}", entries, c, "pass-through", events=events) for c in counts]
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sluice", default=".build-release/release/sluice", help="the gateway's binary")
    parser.add_argument("--seconds", type=int, default=4, help="length of one load (default 4)")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (default 3)")
    parser.add_argument("--threads", type=int, default=1, help="worker threads of each proxy (default 1)")
    parser.add_argument("--connections", default="1,16,64")
    parser.add_argument("--only", choices=["plain", "stream", "protocols", "translation"])
    parser.add_argument("--json", help="also write the results to this file")
    options = parser.parse_args()
    bench, results = Bench(options), []
    counts = [int(c) for c in options.connections.split(",")]
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": PROMPT}]}
    wanted = lambda what: options.only in (None, what)
    try:
        if wanted("plain"):
            port = free_port()
            bench.nginx("upstream", f"server {{ listen 127.0.0.1:{port} backlog=4096; location = /v1/chat/completions {{ default_type application/json; return 200 '{json.dumps(ANSWER)}'; }} location / {{ return 200 '{{\"object\":\"list\",\"data\":[]}}'; }} }}")
            wait_for(port)
            proxies = bench.proxies(port, "plain")
            results += [measure(bench, "plain 1 KB request, 700 B answer", proxies, c, bench.script("plain", body)) for c in counts]
        if wanted("stream"):
            port = simulator(bench)
            script = bench.script("stream", {**body, "stream": True, "max_tokens": 400, "messages": STORY})
            proxies = bench.proxies(port, "stream")
            results += [measure(bench, "stream of 200 events", proxies, c, script) for c in counts]
        if wanted("protocols"):
            results += protocols(bench, counts)
        if wanted("translation"):
            results += translation(bench, counts)
    finally:
        bench.stop()
    if options.json:
        json.dump(results, open(options.json, "w"), indent=1)


if __name__ == "__main__":
    main()
