"""How long the first call after an idle time takes when something on the way forgets silent flows: with heartbeats, without
them, and for a client that keeps its connection and knows nothing. `dev/idle-test --help`."""
import argparse, concurrent.futures, http.client, json, os, re, sys, tempfile, threading, time
import nat
from harness import Program

BODY = {"messages": [{"role": "user", "content": "Hello"}]}
PORT = 9000


class Group:
    """Some pools with the same settings, each with an address of its own; `heartbeat` None: plain clients instead."""

    def __init__(self, name, heartbeat, number, size, data_only=False, keepalive="0s"):
        self.name, self.heartbeat, self.size, self.keepalive = name, heartbeat, size, keepalive
        self.hosts = [f"10.99.{2 * number + 10 + (1 if data_only else 0)}.{index + 1}" for index in range(size)]
        self.pools = [f"{name}-{index}" for index in range(size)]
        self.first, self.busy, self.failed, self.opened, self.heartbeats = [], [], 0, 0, 0

    def yaml(self):
        return "".join(
            f'  {pool}: {{provider: openai, base_url: "http://{host}:{PORT}/v1", keys: [sk-test-1], health: {{interval: 12h}}, '
            f"connections: {{keepalive: {self.keepalive}}}, heartbeat: {{interval: {self.heartbeat}}}}}\n"
            for pool, host in zip(self.pools, self.hosts))


class IdleRun:
    def __init__(self, limit, groups, patience=10):
        self.groups, self.patience = groups, patience
        self.box = nat.Box(limit)
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-idle-")
        file = os.path.join(self.folder.name, "sluice.yaml")
        with open(file, "w") as out:
            out.write('version: 1\nserver: {listen: "127.0.0.1:0"}\npools:\n'
                      + "".join(group.yaml() for group in groups if group.heartbeat))
        self.simulator = Program("simulate", "--listen", f"0.0.0.0:{PORT}", "--latency", "none", within=self.box.far.command())
        self.gateway = Program("serve", "--config", file, within=self.box.near.command())
        self.place = self.gateway.url.split("//")[1]
        self.plain = {}
        # Callers live on the near side; a namespace is entered by a thread for good.
        self.callers = concurrent.futures.ThreadPoolExecutor(8, initializer=self.box.near.enter)

    def close(self):
        self.callers.shutdown()
        try:
            self.gateway.stop()
        finally:
            self.simulator.stop()
            self.box.close()
            self.folder.cleanup()

    def _get(self, path):
        connection = http.client.HTTPConnection(self.place, timeout=self.patience)
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def metrics(self):
        """{(metric, pool, labels beyond it): value}"""
        text = self.callers.submit(self._get, "/metrics").result()
        found = {}
        for name, labels, value in re.findall(r"^(\w+)\{([^}]*)\} (\S+)$", text, re.M):
            pool = re.search(r'pool="([^"]*)"', labels)
            if pool:
                found[name, pool[1], labels] = float(value)
        return found

    def _sum(self, metric, group, having=""):
        return sum(value for (name, pool, labels), value in self.metrics().items()
                   if name == metric and pool in group.pools and having in labels)

    def opened(self, group):
        return self._sum("sluice_pool_connections_opened_total", group)

    def beats(self, group, result="success"):
        return self._sum("sluice_heartbeats_total", group, f'result="{result}"')

    def _call(self, group, index):
        """Seconds until the answer was complete; None: there was none."""
        start = time.monotonic()
        try:
            if group.heartbeat:
                connection = http.client.HTTPConnection(self.place, timeout=self.patience)
                model = f"{group.pools[index]}/gpt-4o-mini"
            else:
                connection = self.plain.get((group.name, index))
                if connection is None:
                    connection = http.client.HTTPConnection(group.hosts[index], PORT, timeout=self.patience)
                    self.plain[group.name, index] = connection
                model = "gpt-4o-mini"
            connection.request("POST", "/v1/chat/completions", json.dumps({**BODY, "model": model}),
                               {"content-type": "application/json", "authorization": "Bearer sk-test-1"})
            answer = connection.getresponse()
            answer.read()
            if group.heartbeat:
                connection.close()
            return time.monotonic() - start if answer.status == 200 else None
        except (OSError, http.client.HTTPException):
            connection.close()
            self.plain.pop((group.name, index), None)
            return None

    def _all(self):
        """One call to each pool; the groups take turns, so that none is served later than another."""
        jobs = [(group, index) for index in range(max(group.size for group in self.groups))
                for group in self.groups if index < group.size]
        return [(group, self.callers.submit(self._call, group, index)) for group, index in jobs]

    def busy(self, rounds=3):
        for turn in range(rounds):
            for group, call in self._all():
                if turn > 0 and (seconds := call.result()) is not None:
                    group.busy.append(seconds)
                call.result()

    def first_calls(self):
        before = {group.name: self.opened(group) for group in self.groups}
        for group, call in self._all():
            seconds = call.result()
            if seconds is None:
                group.failed += 1
            else:
                group.first.append(seconds)
        for group in self.groups:
            group.opened += self.opened(group) - before[group.name]


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def table(groups, run):
    def milliseconds(value):
        return "–" if value is None else f"{value * 1000:.0f} ms"

    rows = [("", "busy p50", "first call p50", "p99", "worst", "no answer", "opened by it", "heartbeats")]
    for group in groups:
        calls = len(group.first) + group.failed
        rows.append((group.name, milliseconds(quantile(group.busy, 0.5)), milliseconds(quantile(group.first, 0.5)),
                     milliseconds(quantile(group.first, 0.99)), milliseconds(max(group.first, default=None)),
                     f"{group.failed} of {calls}", f"{group.opened:.0f}" if group.heartbeat else "–",
                     f"{run.beats(group):.0f}, {run.beats(group, 'failure'):.0f} failed" if group.heartbeat else "–"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
                     for row in [rows[0], tuple("-" * width for width in widths), *rows[1:]])


def main():
    parser = argparse.ArgumentParser(prog="dev/idle-test", description=__doc__)
    parser.add_argument("--limit", type=float, help="seconds of silence after which a flow is forgotten (6)")
    parser.add_argument("--idle", type=float, help="seconds without a call (26)")
    parser.add_argument("--interval", default="4s", help="heartbeat.interval of the fixed group (4s)")
    parser.add_argument("--rounds", type=int, help="idle times one after the other (3)")
    parser.add_argument("--pools", type=int, default=20, help="pools in each group (20)")
    parser.add_argument("--full", action="store_true",
                        help="true times: flows are forgotten after 350 s, idle for 35 minutes, everything at its default; "
                        "against a box that counts packets and one that counts data only")
    options = parser.parse_args()
    if problem := nat.missing():
        print(f"idle-test: skipped: {problem}")
        return 0
    nat.reexecute()
    limit, idle, rounds = (350, 35 * 60, 1) if options.full else (6, 26, 3)
    limit, idle, rounds, size = options.limit or limit, options.idle or idle, options.rounds or rounds, options.pools
    if options.full:
        groups = [Group("auto", "auto", 0, size, keepalive="30s"), Group("off", "off", 1, size, keepalive="30s"),
                  Group("auto-data", "auto", 2, size, True, "30s"), Group("off-data", "off", 3, size, True, "30s"),
                  Group("plain", None, 4, size)]
    else:
        groups = [Group("fixed", options.interval, 0, size), Group("auto", "auto", 1, size), Group("off", "off", 2, size),
                  Group("plain", None, 3, size)]
    run = IdleRun(limit, groups)
    try:
        for turn in range(rounds):
            run.busy()
            print(f"idle for {idle:g} s ({turn + 1} of {rounds})", flush=True)
            threading.Event().wait(idle)
            run.first_calls()
        print(f"\nflows are forgotten after {limit:g} s; {run.box.forgotten} were\n")
        print(table(groups, run))
    finally:
        run.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
