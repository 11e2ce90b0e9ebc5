"""Two network namespaces: ours, which is the host's, and a container's, of an account; what serves in the latter."""
import ctypes
import fcntl
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

ACCOUNT = 12345
LONELY = 12346  # nobody else has anything of this one's
HOST4, CLIENT4, INSIDE4 = "192.0.2.1", "192.0.2.50", "10.91.0.2"
HOST6, CLIENT6 = "2001:db8::1", "2001:db8::50"
WHO, ECHO, SOURCE, RESET, DEAF = 5300, 5301, 5302, 5303, 5304
JUDGE, ONLY4, NOBODY = 5305, 5398, 5399
SOURCE_SIZE = 8 << 20
LAST_WORDS = 100000


def command(*words, **more):
    return subprocess.run(words, check=True, text=True, **more)


def as_account(account):
    os.setgroups([])
    os.setgid(account)
    os.setuid(account)


def pattern(size):
    """Bytes that show each loss and exchange."""
    return b"".join(struct.pack("<I", i) for i in range(size // 4))


class Container:
    """A process in a user and a network namespace of the account, and servers beside it."""

    def __init__(self, account=ACCOUNT):
        self.account = account
        inside = ["unshare", "--user", "--map-root-user", "--net", "sleep", "inf"]
        self.process = subprocess.Popen(inside, preexec_fn=lambda: as_account(account), stdout=subprocess.DEVNULL)
        self.pid = self.process.pid
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.pid}/ns/net") == own or "sleep" not in open(f"/proc/{self.pid}/comm").read():
            time.sleep(0.01)
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "far0")
        self.run("ip", "addr", "add", f"{INSIDE4}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")
        self.serve()

    def run(self, *words):
        at = ["nsenter", "-t", str(self.pid), "-U", "-n", "--preserve-credentials"]
        return command(*at, *words, preexec_fn=lambda: as_account(self.account), stdout=subprocess.PIPE).stdout

    def listener(self, to, port, queue):
        """A server of the container's, in our hands."""
        ours, its = socket.socketpair()
        child = os.fork()
        if child == 0:
            try:
                self.enter()
                s = socket.create_server((to, port), family=socket.AF_INET6 if ":" in to else socket.AF_INET, backlog=queue)
                socket.send_fds(its, [b"x"], [s.fileno()])
            finally:
                os._exit(0)
        its.close()
        with ours:
            (fd,) = socket.recv_fds(ours, 1, 1)[1]
        os.waitpid(child, 0)
        s = socket.socket(fileno=fd)
        s.settimeout(30)
        return s

    def enter(self):
        for kind, flag in (("user", 0x10000000), ("net", 0x40000000)):
            os.setns(os.open(f"/proc/{self.pid}/ns/{kind}", os.O_RDONLY), flag)

    def serve(self):
        ready, told = os.pipe()
        self.server = os.fork()
        if self.server == 0:
            try:
                self.enter()
                Server(told).loop()
            finally:
                os._exit(1)
        os.close(told)
        os.read(ready, 1)
        os.close(ready)

    def end(self):
        for pid in (self.server, self.pid):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(self.server, 0)
        self.process.wait()


class Server:
    """One thread: who (peer and own address; one of them of IPv4 alone), echo, source (sends, then ends), reset (after the first byte and some last words), deaf (never reads)."""

    def __init__(self, ready):
        self.poll = select.epoll()
        self.sockets, self.kinds, self.waiting = {}, {}, {}
        self.stuff = memoryview(pattern(SOURCE_SIZE))
        for port in (WHO, ECHO, SOURCE, RESET, DEAF, ONLY4):
            for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))[: 1 if port == ONLY4 else 2]:
                s = socket.socket(family)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.bind((address, port))
                s.listen(4096)
                self.add(s, ("listen", port))
        os.write(ready, b"r")

    def add(self, s, kind):
        s.setblocking(False)
        self.sockets[s.fileno()], self.kinds[s.fileno()], self.waiting[s.fileno()] = s, kind, b""
        self.poll.register(s.fileno(), select.EPOLLIN)

    def drop(self, s):
        fd = s.fileno()
        self.poll.unregister(fd)
        del self.sockets[fd], self.kinds[fd], self.waiting[fd]
        s.close()

    def loop(self):
        while True:
            for fd, _ in self.poll.poll():
                if fd in self.sockets:
                    self.event(self.sockets[fd], *self.kinds[fd])

    def event(self, s, kind, port):
        try:
            if kind == "listen":
                self.accept(s, port)
            elif port == ECHO:
                self.echo(s)
            elif port == SOURCE:
                self.pour(s)
            elif port == RESET:
                s.setblocking(True)
                s.sendall(bytes(LAST_WORDS))
                while unsent(s):  # it would go with the reset
                    time.sleep(0.001)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.drop(s)
        except OSError:
            self.drop(s)

    def accept(self, listener, port):
        s, peer = listener.accept()
        if port in (WHO, ONLY4):
            own = s.getsockname()
            s.sendall(f"{peer[0]} {peer[1]} {own[0]}".encode())
            s.close()
            return
        self.add(s, ("open", port))
        if port == DEAF:
            self.poll.modify(s.fileno(), 0)
        if port == SOURCE:
            self.waiting[s.fileno()] = self.stuff
            self.poll.modify(s.fileno(), select.EPOLLOUT)

    def echo(self, s):
        fd = s.fileno()
        if not self.waiting[fd]:
            self.waiting[fd] = memoryview(s.recv(1 << 18))
            if not self.waiting[fd]:
                s.sendall(b"end")
                self.drop(s)
                return
        self.push(s)
        self.poll.modify(fd, select.EPOLLOUT if self.waiting[fd] else select.EPOLLIN)

    def pour(self, s):
        self.push(s)
        if not self.waiting[s.fileno()]:
            self.drop(s)

    def push(self, s):
        try:
            self.waiting[s.fileno()] = self.waiting[s.fileno()][s.send(self.waiting[s.fileno()]) :]
        except BlockingIOError:
            pass


class Carrier:
    """The program under test, as the account, for ports 9000 + the last three digits of those above."""

    def __init__(self, program, container, words, life="-", descriptors=None):
        def prepare():
            if descriptors is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
            as_account(container.account)

        at = f"/proc/{container.pid}/ns"
        done = subprocess.run(
            [program, life, f"{at}/user", f"{at}/net", *words], capture_output=True, text=True, preexec_fn=prepare, pass_fds=[2, 200]
        )
        self.status, self.said = done.returncode, done.stderr
        self.pid = int(done.stdout) if done.returncode == 0 else None

    def ticks(self):
        words = open(f"/proc/{self.pid}/stat").read().split(") ")[1].split()
        return int(words[11]) + int(words[12])

    def fact(self, name):
        for line in open(f"/proc/{self.pid}/status"):
            if line.startswith(f"{name}:"):
                return line.split()[1]

    def descriptors(self):
        found = []
        for fd in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                found.append(os.readlink(f"/proc/{self.pid}/fd/{fd}"))
            except FileNotFoundError:  # closed meanwhile
                pass
        return found

    def alive(self):
        return os.path.exists(f"/proc/{self.pid}/ns/net") and self.fact("State") != "Z"

    def end(self):
        if self.alive():
            os.kill(self.pid, signal.SIGTERM)
        wait_until(lambda: not self.alive())


def wait_until(true, seconds=30):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


def host():
    command("ip", "link", "set", "lo", "up")
    for address in (f"{HOST4}/32", f"{CLIENT4}/32", f"{HOST6}/128", f"{CLIENT6}/128"):
        command("ip", "addr", "add", address, "dev", "lo")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # The first process of the tests takes orphans: what the program leaves behind is ours to see the end of.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 200)
    threading.stack_size(1 << 18)


def unsent(s):
    return struct.unpack("i", fcntl.ioctl(s.fileno(), termios.TIOCOUTQ, bytes(4)))[0]


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        pass


def connect(port, to=HOST4, source=CLIENT4, source_port=0, receive=None):
    s = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.settimeout(30)
    if receive is not None:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    if source is not None:
        s.bind((source, source_port))
    s.connect((to, port))
    return s


def read_all(s):
    parts = []
    while True:
        part = s.recv(1 << 18)
        if not part:
            return b"".join(parts)
        parts.append(part)


def log(text):
    print(text, file=sys.stderr, flush=True)
