"""Attending a payload's terminal, with us as the person: terminal.py PROGRAM. Prints TAP."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time


class Session:
    """The program with its standard streams on a pty of ours, attending a shell on an inner pty."""

    def __init__(self, script, streams="terminal", role="terminal"):
        self.outer, outer_end = pty.openpty()
        inner, inner_end = pty.openpty()
        report, report_end = os.pipe()
        self.size(24, 80)
        before = termios.tcgetattr(outer_end)
        self.outer_end, self.before, self.report, self.seen = outer_end, before, report, b""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(outer_end, termios.TIOCSCTTY, 0)
            kept = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in (inner, inner_end, report_end)]
            for number in range(3):
                os.dup2(outer_end, number)
            if streams == "pipe":
                reader, writer = os.pipe()
                os.write(writer, b"echo typed\n")
                os.close(writer)
                os.dup2(reader, 0)
            for number, fd in zip((5, 6, 7), kept):
                os.dup2(fd, number)
            os.closerange(8, 200)
            environment = {"BERTH_TEST": role, "BERTH_SCRIPT": script, "ASAN_OPTIONS": "detect_leaks=0"}
            os.execve(sys.argv[1], [sys.argv[1]], environment)
        for fd in (inner, inner_end, report_end):
            os.close(fd)

    def size(self, rows, columns):
        fcntl.ioctl(self.outer, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.outer, keys)

    def until(self, text, seconds=10):
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.outer], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"{text!r} did not come; there was {self.seen[-200:]!r}")
            self.seen += os.read(self.outer, 65536)

    def raw(self):
        return not termios.tcgetattr(self.outer_end)[3] & (termios.ICANON | termios.ECHO)

    def restored(self):
        return termios.tcgetattr(self.outer_end) == self.before

    def end(self, seconds=10):
        """What attend() returned, and the wait status of the program."""
        ready, _, _ = select.select([self.report], [], [], seconds)
        if not ready:
            os.kill(self.pid, signal.SIGKILL)
            raise AssertionError(f"it did not end; there was {self.seen[-200:]!r}")
        told = os.read(self.report, 1000).decode()
        _, status = os.waitpid(self.pid, 0)
        return told, status


def keys_and_output():
    s = Session("echo ready; stty -echo; read line; echo \"got <$line>\"; exit 5")
    s.until(b"ready\r\n")
    assert s.raw(), "the person's terminal is raw"
    s.type(b"hello\r")
    s.until(b"got <hello>\r\n")
    assert s.end() == ('{"status":5}', 0)
    assert s.restored(), "the terminal is as it was"


def all_of_a_long_output():
    s = Session("seq 1 30000; echo last words")
    s.until(b"last words\r\n")
    assert s.seen.replace(b"\r\n", b"\n") == b"".join(b"%d\n" % n for n in range(1, 30001)) + b"last words\n"
    assert s.end()[0] == '{"status":0}'


def a_slow_reader_gets_all_of_it():
    s = Session("seq 1 3000; echo last words")
    time.sleep(0.5)  # the payload has ended, its last words wait behind a full terminal
    while b"last words" not in s.seen:
        ready, _, _ = select.select([s.outer], [], [], 5)
        assert ready, f"it ends with {s.seen[-200:]!r}"
        s.seen += os.read(s.outer, 100)
        time.sleep(0.001)
    assert s.seen.count(b"\r\n") == 3001, s.seen[-200:]
    assert s.end()[0] == '{"status":0}'


def window_size():
    # The size is set when attending begins, which the shell may be ahead of.
    s = Session("sleep 0.5; stty size; trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done")
    s.until(b"24 80\r\n")
    s.until(b"ready")
    s.size(50, 133)
    s.until(b"50 133\r\n")
    s.type(b"\x03")  # raw: ctrl-c is the payload's
    assert s.end()[0] == '{"signal":2}'
    assert s.restored()


def detach_keys():
    s = Session("stty -echo -icanon; echo ready; dd bs=1 count=3 2>/dev/null | od -An -tx1; echo done; sleep 100")
    s.until(b"ready")
    s.type(b"\x10a\x10")
    s.type(b"\x10")
    s.until(b"10 61 10")
    s.type(b"\x11")
    assert s.end()[0] == '{"status":0,"detached":true}'
    assert s.restored()


def signals_restore_the_terminal():
    s = Session("trap '' HUP; echo ready; sleep 100")
    s.until(b"ready")
    os.kill(s.pid, signal.SIGTERM)
    _, status = os.waitpid(s.pid, 0)
    assert os.WTERMSIG(status) == signal.SIGTERM, status
    assert s.restored(), "the terminal is as it was"


def signals_are_handed_on():
    s = Session("trap 'echo hung up; exit 9' HUP; echo ready; while :; do sleep 0.1; done")
    s.until(b"ready")
    os.kill(s.pid, signal.SIGHUP)
    s.until(b"hung up")
    assert s.end()[0] == '{"status":9}'


def a_background_process_keeps_the_pty():
    s = Session("trap '' HUP; sleep 5 & echo ready")
    s.until(b"ready")
    assert s.end(seconds=3)[0] == '{"status":0}'


def the_payload_closes_its_terminal_and_opens_it_again():
    s = Session("echo ready; tty=$(tty); exec <&- >&- 2>&-; sleep 0.3; exec <$tty >$tty 2>&1; echo again; read x; echo \"<$x>\"")
    s.until(b"again")
    s.type(b"y\r")
    s.until(b"<y>")
    assert s.end()[0] == '{"status":0}'


def a_payload_has_the_size_from_its_start():
    s = Session("stty size; read x; exit 3", role="console")
    s.until(b"24 80\r\n")
    s.type(b"\r")
    assert s.end()[0] == '{"status":3}'
    assert s.restored()


def input_from_a_pipe_ends():
    s = Session("stty -echo; while read line; do echo \"<$line>\"; done; exit 6", streams="pipe")
    s.until(b"<echo typed>")
    assert s.end()[0] == '{"status":6}'


TESTS = [
    keys_and_output, all_of_a_long_output, a_slow_reader_gets_all_of_it, window_size, detach_keys, signals_restore_the_terminal,
    signals_are_handed_on, a_background_process_keeps_the_pty, input_from_a_pipe_ends,
    the_payload_closes_its_terminal_and_opens_it_again, a_payload_has_the_size_from_its_start,
]
failures = 0
for number, test in enumerate(TESTS, 1):
    try:
        test()
        print(f"ok {number} - terminal: {test.__name__.replace('_', ' ')}", flush=True)
    except Exception as error:  # noqa: BLE001
        failures += 1
        print(f"not ok {number} - terminal: {test.__name__.replace('_', ' ')}\n# {error!r}", flush=True)
sys.exit(failures > 0)
