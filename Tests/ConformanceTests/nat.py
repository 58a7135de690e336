"""Two network namespaces with a box between them that forgets silent TCP flows without a word, as NAT gateways do.

    gateway's side  --- path0 (TUN) --- this process --- path0 (TUN) ---  provider's side
    10.99.0.1                                                             10.99.0.0/16, every other address

Needs Linux with /dev/net/tun, iproute2 and util-linux, and either root or user namespaces: `reexecute()` gets the latter.
No connection tracking of the kernel is involved, so no module and no firewall tool is needed.
"""
import ctypes, fcntl, heapq, os, select, struct, subprocess, sys, threading, time

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
INSIDE = "SLUICE_INSIDE_USER_NAMESPACE"


def missing():
    """Why this machine cannot do it, or None."""
    for tool in ("ip", "unshare", "nsenter"):
        if not any(os.access(os.path.join(folder, tool), os.X_OK) for folder in [*os.get_exec_path(), "/usr/sbin", "/sbin"]):
            return f"{tool} is not installed"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun is not there"
    probe = subprocess.run([*_unshare(), "true"], capture_output=True, text=True)
    return None if probe.returncode == 0 else f"no network namespaces here: {probe.stderr.strip()}"


def _unshare():
    return ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]


def reexecute():
    """Root already, or root of a user namespace of our own; returns only as one of them."""
    if os.geteuid() != 0 and not os.environ.get(INSIDE):
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--user", "--map-root-user", sys.executable, *sys.argv])


class Namespace:
    """A network namespace, kept by a process that waits in it and goes with us."""

    def __init__(self):
        # It says when it is there, and ends with its input.
        self.keeper = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.keeper.stdout.readline()
        self.path = f"/proc/{self.keeper.pid}/ns/net"
        self.run("ip", "link", "set", "lo", "up")

    def command(self, *arguments):
        return ["nsenter", f"--net={self.path}", *arguments]

    def run(self, *arguments):
        subprocess.run(self.command(*arguments), check=True, capture_output=True)

    def enter(self):
        """This thread only."""
        with open(self.path) as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def close(self):
        self.keeper.communicate()


class Box:
    """Carries packets between the two sides with some delay; only a SYN makes a flow, and silence ends it.

    `limit`: seconds. A flow to an address whose third number is odd counts data only (keep-alive probes and
    acknowledgements do not keep it), as load balancers that look at content do; the others count every packet.
    """

    def __init__(self, limit, delay=0.010):
        self.limit, self.delay = limit, delay
        self.near, self.far = Namespace(), Namespace()
        self.flows, self.forgotten, self.dropped = {}, 0, 0
        self._near = self._open(self.near, "10.99.0.1/16")
        self._far = self._open(self.far, "10.99.0.2/32")
        # The far side is everybody but the near one.
        self.far.run("ip", "route", "add", "10.99.0.1/32", "dev", "path0")
        self.far.run("ip", "route", "add", "local", "10.99.0.0/16", "dev", "lo")
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _open(self, namespace, address):
        result = {}

        def work():
            try:
                namespace.enter()
                tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
                fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH14x", b"path0", IFF_TUN | IFF_NO_PI))
                result["tun"] = tun
            except OSError as error:
                result["error"] = error

        # A thread of its own, so that this one stays where it is.
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if "error" in result:
            raise result["error"]
        namespace.run("ip", "addr", "add", address, "dev", "path0")
        namespace.run("ip", "link", "set", "path0", "up")
        return result["tun"]

    def _run(self):
        line, order = [], 0
        while True:
            now = time.monotonic()
            while line and line[0][0] <= now:
                _, _, out, packet = heapq.heappop(line)
                try:
                    os.write(out, packet)
                except OSError:
                    self.dropped += 1
            wait = max(0.0, line[0][0] - now) if line else 1.0
            ready, _, _ = select.select([self._near, self._far, self._stop_read], [], [], wait)
            if self._stop_read in ready:
                return
            for source in ready:
                for _ in range(256):
                    try:
                        packet = os.read(source, 65536)
                    except BlockingIOError:
                        break
                    if self._passes(packet, source == self._near):
                        order += 1
                        out = self._far if source == self._near else self._near
                        heapq.heappush(line, (time.monotonic() + self.delay, order, out, packet))

    def _passes(self, packet, outbound):
        if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != 6:
            return True
        header = (packet[0] & 15) * 4
        source, target = packet[12:16] + packet[header:header + 2], packet[16:20] + packet[header + 2:header + 4]
        key = (source, target) if outbound else (target, source)
        flags = packet[header + 13]
        now = time.monotonic()
        if outbound and flags & 0x12 == 0x02:  # SYN without ACK
            self.flows[key] = now
            return True
        last = self.flows.get(key)
        if last is None:
            self.dropped += 1
            return False
        if now - last > self.limit:
            del self.flows[key]
            self.forgotten += 1
            self.dropped += 1
            return False
        data = len(packet) - header - (packet[header + 12] >> 4) * 4
        counts_data_only = (packet[18] if outbound else packet[14]) % 2 == 1
        # A keep-alive probe may carry one old byte; two and more are data. SYN and FIN are none, and count for nobody.
        if data > 1 or not counts_data_only:
            self.flows[key] = now
        return True

    def close(self):
        os.write(self._stop_write, b"x")
        self._thread.join()
        for descriptor in (self._near, self._far, self._stop_read, self._stop_write):
            os.close(descriptor)
        self.near.close()
        self.far.close()
