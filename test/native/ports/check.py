"""check.py PROGRAM DIRECTORY: the program that carries ports, seen from its clients and from the container. Prints TAP without a plan."""
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
from place import *

program, work = sys.argv[1:3]
name = os.path.basename(program)
WORDS = ["9300-9304:5300", "9398-9399:5398"]


def addresses(box):
    """the address and port of a client are seen, of both families; one of the host's loopback is none of the container's"""
    for to, source, own in ((HOST4, CLIENT4, INSIDE4), (HOST6, CLIENT6, HOST6)):
        s = connect(9300, to, source)
        assert read_all(s).decode() == f"{source} {s.getsockname()[1]} {own}"
    for to in ("127.0.0.1", "::1"):
        peer, _, own = read_all(connect(9300, to, None)).decode().split()
        assert (peer, own) == (INSIDE4, INSIDE4), peer


def one_family(box):
    """a server of IPv4 alone has the clients of IPv6, from the container's address; with an address of IPv6 there, too"""
    for _ in range(2):
        # At once, so that both threads have some.
        for s in [connect(9398, *where) for where in 8 * [(HOST6, CLIENT6), ("::1", None)]]:
            assert read_all(s).decode().split()[::2] == [INSIDE4, INSIDE4]
        assert read_all(connect(9398)).decode().split()[::2] == [CLIENT4, INSIDE4]
        box.run("ip", "addr", "replace", "fd00::2/64", "dev", "eth0", "nodad")
        wait_until(lambda: reached(HOST6, CLIENT6) == b"fd00::2")
    box.run("ip", "addr", "del", "fd00::2/64", "dev", "eth0")
    wait_until(lambda: reached(HOST6, CLIENT6) == HOST6.encode())


def turned_away(box):
    """a server that accepts a client of IPv6 and resets it at once: the client is not tried again from the container's address"""
    other = Container()
    other.run("ip", "addr", "add", "fd00::2/64", "dev", "eth0", "nodad")
    judge, all_others = other.listener("::", JUDGE, 0), other.listener("0.0.0.0", JUDGE, 1)
    one = Carrier(program, other, [f"9440-9440:{JUDGE}"])
    first = connect(9440, HOST6, CLIENT6)
    assert select.select([judge], [], [], 30)[0]
    # There is no room for the second: its connection comes about and ends while nobody looks.
    s = connect(9440, HOST6, CLIENT6)
    wait_until(lambda: any(line.split()[3] == "02" for line in open(f"/proc/{other.pid}/net/tcp6")))
    os.kill(one.pid, signal.SIGSTOP)
    judge.accept()[0].close()
    client, (peer, *_) = judge.accept()
    assert peer == CLIENT6, peer
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    os.kill(one.pid, signal.SIGCONT)
    first.close()
    s.settimeout(10)
    assert raises(lambda: read_all(s)), "no reset"
    assert not select.select([all_others], [], [], 0)[0]
    # Nobody listens: it is.
    judge.close()
    s = connect(9440, HOST6, CLIENT6)
    assert all_others.accept()[1][0] == INSIDE4
    one.end()
    other.end()


def new_addresses(box):
    """the container's addresses change, and come in another family"""
    box.run("ip", "addr", "del", f"{INSIDE4}/24", "dev", "eth0")
    box.run("ip", "addr", "add", "10.91.0.3/24", "dev", "eth0")
    box.run("ip", "addr", "add", "fd00::2/64", "dev", "eth0", "nodad")
    wait_until(lambda: reached(HOST4, CLIENT4) == b"10.91.0.3")
    wait_until(lambda: reached(HOST6, CLIENT6) == b"fd00::2")
    box.run("ip", "addr", "flush", "dev", "eth0")
    box.run("ip", "addr", "add", f"{INSIDE4}/24", "dev", "eth0")
    wait_until(lambda: reached(HOST4, CLIENT4) == INSIDE4.encode())


def reached(to, source):
    try:
        return read_all(connect(9300, to, source)).split()[2]
    except ConnectionResetError:  # there was none for a moment
        return b""


def taken_port(box):
    """a client's port that something in the container has: another port, the same address"""
    for port in (ECHO, 20000):
        s = connect(9300, source_port=port)
        peer, seen, _ = read_all(s).decode().split()
        assert peer == CLIENT4 and (int(seen) == port) == (port != ECHO), seen


def exchange(s, data):
    """Sends it with an end, and gives back what comes meanwhile."""
    got = []
    reader = threading.Thread(target=lambda: got.append(read_all(s)))
    reader.start()
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    reader.join(60)
    return got[0]


EXPECTED = pattern(SOURCE_SIZE)


def both_ways(box):
    """16 MB there and back at once; the end of one direction leaves the other open"""
    data = pattern(16 << 20)
    assert exchange(connect(9301), data) == data + b"end"
    assert exchange(connect(9301, HOST6, CLIENT6), data[:70001]) == data[:70001] + b"end"
    assert exchange(connect(9301), b"") == b"end"


def one_way(box):
    """the server sends and ends; a client that reads slowly gets all of it"""
    s = connect(9302)
    first = s.recv(1000)
    time.sleep(0.3)
    assert first + read_all(s) == EXPECTED


def small_pieces(box):
    """small pieces go at once: 300 questions and answers"""
    s = connect(9301)
    times = []
    for i in range(300):
        begin = time.monotonic()
        s.sendall(b"q%d" % i)
        assert s.recv(100) == b"q%d" % i
        times.append(time.monotonic() - begin)
    assert sorted(times)[150] < 0.03, sorted(times)[150]


def resets(box):
    """a reset of the server is one for the client, after what it had sent, and the other way round"""
    s = connect(9303)
    s.sendall(b"x")
    hear_last_words(s, 1 << 18)
    s = connect(9301)
    s.sendall(b"x")
    s.recv(1)
    assert established(box, s)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    source = s.getsockname()
    s.close()
    wait_until(lambda: not established(box, source))


def hear_last_words(s, size, pause=0):
    got = 0
    while got < LAST_WORDS:
        got += len(s.recv(size))
        time.sleep(pause)
    assert raises(lambda: read_all(s)), "no reset"


def last_words(box):
    """a client that reads slowly gets what the server had sent before its reset; one that was sending, too; one that does not read is reset"""
    for sent in (1, 4 << 20):
        s = connect(9303, receive=4096)
        raises(lambda: s.sendall(bytes(sent)))
        time.sleep(0.5)
        hear_last_words(s, 2000, 0.01)
    s = connect(9303, receive=4096)
    s.sendall(b"x")
    ending = select.poll()
    ending.register(s, 0)
    assert ending.poll(30000) and raises(lambda: s.send(b"x"))


def raises(act):
    try:
        act()
        return False
    except (ConnectionResetError, BrokenPipeError):
        return True


def established(box, s):
    """Whether the container has a connection from there."""
    source = s if isinstance(s, tuple) else s.getsockname()
    lines = [line.split() for line in open(f"/proc/{box.pid}/net/tcp").read().split("\n")[1:] if line]
    return any(words[2].endswith(f":{source[1]:04X}") and words[3] in ("01", "08") for words in lines)


def refused(box):
    """where nobody listens a client is reset at once"""
    for to, source in ((HOST4, CLIENT4), (HOST6, CLIENT6), ("127.0.0.1", None)):
        begin = time.monotonic()
        assert raises(lambda: read_all(connect(9399, to, source)))
        assert time.monotonic() - begin < 10


def slow_readers(box):
    """100 ends that do not read: pipes are bounded, the others have their turn, nothing is lost when the clients go on"""
    sources = [connect(9302) for _ in range(90)]
    deaf = [connect(9304) for _ in range(10)]
    for s in deaf:
        s.setblocking(False)
        try:
            while True:
                s.send(bytes(1 << 18))
        except BlockingIOError:
            pass
    data = pattern(1 << 20)
    assert exchange(connect(9301), data) == data + b"end"
    wait_until(idle)
    pipes = sum(1 for one in carrier.descriptors() if one.startswith("pipe:"))
    assert 2 <= pipes <= 2 * 16, pipes
    for s in sources:
        assert read_all(s) == EXPECTED
    for s in deaf:
        s.close()


def idle(one=None):
    one = one or carrier
    before = one.ticks()
    time.sleep(0.5)
    return one.ticks() - before <= 5


def many(box):
    """10000 connections at once (1000 with sanitizers), in bounded memory; then none is left"""
    begin = time.monotonic()
    count = 10000 if name == "ports" else 1000
    all_of_them = [connect(9301, source=None if i % 2 else CLIENT4, to="127.0.0.1" if i % 2 else HOST4) for i in range(count)]
    for s in all_of_them[::100]:
        s.sendall(b"hello")
    for s in all_of_them[::100]:
        assert s.recv(5) == b"hello"
    wait_until(idle)
    memory = int(carrier.fact("RssAnon"))
    assert memory < (8192 if name == "ports" else 1 << 20), memory
    for s in all_of_them:
        s.close()
    wait_until(lambda: len(carrier.descriptors()) < 60, 60)
    log(f"# {count} connections: {memory} kB, {time.monotonic() - begin:.1f} s")


def comes_and_goes(box):
    """1000 connections one after the other: no descriptor stays"""
    for i in range(1000):
        s = connect(9300)
        assert s.recv(100)
        s.close()
    wait_until(lambda: len(carrier.descriptors()) < 60)


def power(box):
    """two capabilities in the container's user namespace and nothing else; no descriptor of its maker's"""
    facts = [carrier.fact(one) for one in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb", "NoNewPrivs")]
    assert facts == ["0000000000002400"] * 2 + ["0" * 16] * 3 + ["1"], facts
    assert carrier.fact("Seccomp") == ("2" if name == "ports" else "0")
    assert os.readlink(f"/proc/{carrier.pid}/ns/user") == os.readlink(f"/proc/{box.pid}/ns/user")
    for one in carrier.descriptors():
        assert one == "/dev/null" or one.startswith(("socket:", "pipe:", "anon_inode:[eventpoll]")), one
    assert carrier.descriptors().count("/dev/null") == 3


def bad_words(box):
    """words that are none, a port that is taken or for root alone: one line, status 1"""
    for words in (["x"], ["80"], ["0-1:1"], ["2-1:1"], ["65535-65536:1"], ["9500-9501:65535"], ["name/1-1:1"], ["9500-9500:80x"]):
        refusal(box, words, 1, words[0].split("/")[0])
    refusal(box, [], 1, "usage")
    refusal(box, ["9300-9300:1"], 1, "port 9300: Address already in use")
    refusal(box, ["9600-9600:1", "127.0.0.1/9301-9301:1"], 1, "port 9301: Address already in use")
    refusal(box, ["64-64:1"], 1, "port 64: Permission denied")
    refusal(box, ["192.0.2.77/9600-9600:1"], 1, "port 9600: Cannot assign requested address")


def refusal(box, words, status, line):
    one = Carrier(program, box, words)
    assert one.status == status and line in one.said and one.said.count("\n") == 1, (words, one.status, one.said)


def one_address(box):
    """one address of the host, of each family"""
    one = Carrier(program, box, [f"{HOST4}/9400-9400:5300", "::1/9401-9401:5300"])
    assert read_all(connect(9400)).split()[0] == CLIENT4.encode()
    assert read_all(connect(9401, "::1", None)).split()[0] == INSIDE4.encode()
    for port, to in ((9400, "127.0.0.1"), (9401, HOST6)):
        try:
            connect(port, to, None)
            raise AssertionError(to)
        except ConnectionRefusedError:
            pass
    one.end()


def want_of_descriptors(box, limit=40):
    """without a descriptor it waits, copies without pipes, and goes on when there are some again"""
    one = Carrier(program, box, ["9410-9410:5301", "9411-9411:5302"], descriptors=limit)
    slow = [connect(9410) for _ in range(30)]
    data = pattern(2 << 20)
    assert exchange(slow[0], data) == data + b"end"
    wait_until(lambda: len(one.descriptors()) >= limit - 1)
    wait_until(lambda: idle(one))
    for s in slow[1:]:
        s.close()
    s = connect(9411)
    assert read_all(s) == EXPECTED
    one.end()


def one_descriptor_fewer(box):
    """the same, where the last client would have one of the two that it needs"""
    want_of_descriptors(box, 41)


def without_pages(box):
    """an account without pages for more pipes (fs.pipe-user-pages-soft): the data are copied"""
    pages = int(open("/proc/sys/fs/pipe-user-pages-soft").read())
    told, ready = os.pipe()
    eater = os.fork()
    if eater == 0:
        as_account(LONELY)
        held = [os.pipe() for _ in range(pages // 16 + 100)]
        os.write(ready, b"x")
        signal.pause()
        os._exit(len(held))
    os.read(told, 1)
    other = Container(LONELY)
    one = Carrier(program, other, ["9430-9430:5301", "9431-9431:5302"])
    try:
        data = pattern(4 << 20)
        assert exchange(connect(9430), data) == data + b"end"
        assert read_all(connect(9431)) == EXPECTED
        assert not [each for each in one.descriptors() if each.startswith("pipe:")]
    finally:
        os.kill(eater, signal.SIGKILL)
        os.waitpid(eater, 0)
    one.end()
    other.end()


def read_only(box):
    """a unit that forbids sysctls: status 2"""
    hidden = f"{work}/hidden"
    with open(hidden, "w") as file:
        file.write(f'#!/bin/sh\nmount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys\nexec setpriv --reuid {ACCOUNT} --regid {ACCOUNT} --clear-groups {program} "$@"\n')
    at = f"/proc/{box.pid}/ns"
    words = ["unshare", "--mount", "sh", hidden, "-", f"{at}/user", f"{at}/net", "9600-9600:1"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2 and "tcp_fwmark_accept" in done.stderr, (done.returncode, done.stderr)


def ends_with(box):
    """it ends with the process that it was told, and not before"""
    other = Container()
    one = Carrier(program, other, ["9420-9420:5300"], life=str(other.pid))
    assert read_all(connect(9420)).split()[0] == CLIENT4.encode()
    other.end()
    wait_until(lambda: reap() or not one.alive())


CASES = (addresses, taken_port, both_ways, one_way, small_pieces, resets, last_words, refused, slow_readers, many, comes_and_goes)
CASES += (one_family, turned_away, new_addresses, power, bad_words, one_address, want_of_descriptors, one_descriptor_fewer, without_pages, read_only, ends_with)

host()
box = Container()
carrier = Carrier(program, box, WORDS)
if carrier.pid is None:
    print(f"not ok - {name}: it starts ({carrier.said.strip()})")
    sys.exit(1)
wanted = sys.argv[3:]
for case in CASES if not wanted else [one for one in CASES if one.__name__ in wanted]:
    begin = time.monotonic()
    try:
        case(box)
        assert carrier.alive(), "it has ended"
        print(f"ok - {name}: {case.__doc__} # {time.monotonic() - begin:.1f} s", flush=True)
    except Exception:
        traceback.print_exc()
        print(f"not ok - {name}: {case.__doc__}", flush=True)
os.kill(carrier.pid, signal.SIGTERM)
box.end()
