"""Keeps many streams open through a gateway and watches it: soak.py [STREAMS] [SECONDS].

Starts the provider simulator with realistic latency and the gateway from $SLUICE_BINARY, each as its own process, and
keeps STREAMS concurrent streams going for SECONDS from a few client processes: as soon as one ends the next begins.
Prints the streams completed, the failures (a stream that did not come to its own proper end), and the gateway's
memory before, while and after. Exit 1 on any failure, or if memory grew while the load stayed the same."""
import asyncio, json, multiprocessing, os, resource, sys, tempfile, threading, time, urllib.parse

WORKERS = 4
# Memory of the second half of the load above that of the first: allowed growth in KiB, and as a part.
FLAT_KIB, FLAT_PART = 16_384, 0.10


def raise_descriptor_limit(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard) if hard != resource.RLIM_INFINITY else wanted, hard))
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < wanted:
        sys.exit(f"soak: {wanted} file descriptors are needed, the limit is {hard}; raise it with ulimit -n")


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


class Wire:
    """The counters all client processes share."""

    def __init__(self):
        self.open, self.done, self.failed = (multiprocessing.Value("q", 0) for _ in range(3))
        self.reasons = multiprocessing.Queue()

    def count(self, counter, by=1):
        with counter.get_lock():
            counter.value += by


KINDS = (("/v1/chat/completions", {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Tell me a story."}], "stream": True}, b"data: [DONE]"),
         ("/v1/responses", {"model": "gpt-4o-mini", "input": "Tell me a story.", "stream": True}, b"response.completed"),
         ("/v1/messages", {"model": "claude-sonnet-4-5", "max_tokens": 400, "messages": [{"role": "user", "content": "Tell me a story."}], "stream": True}, b"message_stop"))


async def one_stream(reader, writer, host, number, wire):
    """One request on a kept connection; raises with the reason unless the stream comes to its proper end."""
    path, body, mark = KINDS[number % len(KINDS)]
    data = json.dumps(body).encode()
    wire.count(wire.open)
    try:
        writer.write(f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\nanthropic-version: 2023-06-01\r\n"
                     f"content-length: {len(data)}\r\n\r\n".encode() + data)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ValueError(head.split(b"\r\n")[0].decode("latin-1") + " " + (await reader.read(300)).decode("latin-1"))
        if b"transfer-encoding: chunked" not in head.lower():
            raise ValueError("not a stream: " + head.decode("latin-1"))
        await to_the_end(reader, path, mark)
    finally:
        wire.count(wire.open, -1)


async def to_the_end(reader, path, mark):
    tail, ended = b"", False
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        data = await reader.readexactly(size + 2)
        if size == 0:
            break
        tail += data[:-2]
        ended = ended or mark in tail
        tail = tail[-300:]
    if not ended:
        raise ValueError(f"{path} did not end with {mark.decode()}: {tail[-200:]!r}")


async def client(host, index, end, wire):
    place, port = host.split(":")
    reader = writer = None
    number = index
    while time.monotonic() < end:
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection(place, int(port), limit=1 << 20)
            await asyncio.wait_for(one_stream(reader, writer, host, number, wire), 120)
            wire.count(wire.done)
        except (OSError, EOFError, ValueError, asyncio.TimeoutError) as error:
            wire.count(wire.failed)
            # A few reasons are enough, and fit the pipe without a reader: a failing run must not hang as well.
            if wire.failed.value <= 20:
                wire.reasons.put(f"{type(error).__name__}: {error}"[:400])
            if writer:
                writer.close()
            writer = None
            await asyncio.sleep(0.1)  # a broken gateway is not to be hammered
        number += 1
    if writer:
        writer.close()


async def worker_main(host, first, count, end, wire):
    async def late(index):
        # The first second spreads the beginning, so that the listen queue is not what is measured.
        await asyncio.sleep(index / max(1, count))
        await client(host, first + index, end, wire)
    await asyncio.gather(*(late(index) for index in range(count)))


def worker(host, first, count, end, wire):
    raise_descriptor_limit(count + 64)
    asyncio.run(worker_main(host, first, count, end, wire))


def start(streams):
    from harness import Program
    simulator = Program("simulate", "--listen", "127.0.0.1:0", "--latency", "realistic")
    folder = tempfile.TemporaryDirectory(prefix="sluice-soak-")
    path = os.path.join(folder.name, "sluice.yaml")
    limits = f"connections: {{max: {streams}, pool_max: {streams}}}"
    with open(path, "w") as file:
        file.write(f"""version: 1
server: {{listen: "127.0.0.1:0"}}
pools:
  openai: {{provider: openai, base_url: "{simulator.url}/v1", keys: [sk-test-1, sk-test-2], {limits}}}
  anthropic: {{provider: anthropic, base_url: "{simulator.url}", keys: [sk-ant-test-1], {limits}}}
""")
    return simulator, Program("serve", "--config", path), folder


class Memory:
    """Resident memory of a process and the streams open at that moment, sampled until the load ends."""

    def __init__(self, pid):
        self.pid, self.samples, self.begin = pid, [], time.monotonic()

    def sample(self, opened):
        self.samples.append((time.monotonic() - self.begin, resident_kib(self.pid), opened))

    def highest(self, start, stop):
        return max((kib for moment, kib, _ in self.samples if start <= moment <= stop), default=0)


def run(streams, seconds):
    raise_descriptor_limit(3 * streams + 512)  # inherited by gateway and simulator
    simulator, gateway, folder = start(streams)
    wire = Wire()
    try:
        host = urllib.parse.urlparse(gateway.url).netloc
        warm_up(host, wire)
        before = resident_kib(gateway.process.pid)
        end = time.monotonic() + seconds
        shares = [streams // WORKERS + (index < streams % WORKERS) for index in range(WORKERS)]
        workers = [multiprocessing.Process(target=worker, args=(host, sum(shares[:index]), share, end, wire))
                   for index, share in enumerate(shares) if share]
        memory = Memory(gateway.process.pid)
        [w.start() for w in workers]
        peak = 0
        while any(w.is_alive() for w in workers) and time.monotonic() < end + 150:
            opened = wire.open.value
            peak = max(peak, opened)
            memory.sample(opened)
            threading.Event().wait(0.1)
        [w.join(5) for w in workers]
        stuck = sum(w.is_alive() for w in workers) + sum(w.exitcode not in (0, None) for w in workers)
        [w.kill() for w in workers if w.is_alive()]
        return report(streams, seconds, wire, stuck, before, peak, memory, settled(gateway))
    finally:
        try:
            gateway.stop()
        finally:
            simulator.stop()
            folder.cleanup()


def warm_up(host, wire):
    """A few streams, so that what is loaded once does not count as memory of streams."""
    own = Wire()
    asyncio.run(worker_main(host, 0, 6, time.monotonic() + 0.5, own))
    if own.failed.value:
        raise AssertionError("soak: the first streams failed already: " + own.reasons.get(timeout=5))


def settled(gateway, seconds=5):
    """Resident memory once the gateway says that no stream is open any more, and whether it says so."""
    from harness import call
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = call(gateway.url + "/metrics")[2]
        left = [line for line in text.splitlines() if line.startswith("sluice_streams_open ")]
        if left and float(left[0].split()[1]) == 0:
            return resident_kib(gateway.process.pid), True
        threading.Event().wait(0.05)
    return resident_kib(gateway.process.pid), False


def report(streams, seconds, wire, stuck, before, peak, memory, after):
    first = memory.highest(0, seconds / 2)
    second = memory.highest(seconds / 2, seconds)
    top = max((kib for _, kib, _ in memory.samples), default=before)
    per_stream = (top - before) / max(1, peak)
    grew = second - first
    flat = grew <= max(FLAT_KIB, first * FLAT_PART)
    print(f"streams: {streams} wanted, {peak} open at the peak, {wire.done.value} completed in {seconds:g} s")
    print(f"failures: {wire.failed.value}" + (f", {stuck} client processes did not end" if stuck else ""))
    print(f"gateway memory: {before} KiB before, {top} KiB at the peak, {after[0]} KiB after")
    print(f"memory per open stream: {per_stream:.1f} KiB")
    print(f"second half of the load against the first: {grew:+d} KiB ({'flat' if flat else 'NOT flat'})")
    problems = []
    if wire.failed.value or stuck:
        problems.append("streams failed")
        while not wire.reasons.empty():
            print("  " + wire.reasons.get(timeout=2))
    if not wire.done.value:
        problems.append("no stream was completed")
    if peak < streams * 0.8:
        problems.append(f"only {peak} streams were open at once")
    if not flat:
        problems.append("memory grew under constant load")
    if not after[1]:
        problems.append("streams stayed open after their clients had gone")
    print("soak: " + ("passed" if not problems else "FAILED: " + "; ".join(problems)))
    return 1 if problems else 0


def main(arguments):
    streams = int(arguments[0]) if arguments else 2000
    seconds = float(arguments[1]) if len(arguments) > 1 else 60
    if streams < 1 or seconds <= 0:
        sys.exit("usage: soak.py [STREAMS] [SECONDS]")
    return run(streams, seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
