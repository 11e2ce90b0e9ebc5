"""A program in a real pseudo-terminal, driven by words: terminals.py WORD… -- PROGRAM [ARG…]; the program's exit status is ours.

size:ROWSxCOLUMNS  sets the terminal's size (the program gets SIGWINCH)
wait:TEXT          until TEXT has been read since the last word, `\\xNN` for any byte
hidden             until what is typed is not shown: who asks for a password drops what came before
send:TEXT          types TEXT
still:SECONDS      reads nothing meanwhile: the terminal fills
end                until the program ends; then its settings must be those from before
close              closes the terminal (SIGHUP), until the program ends

What was read goes to standard output.
"""

import codecs
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

PATIENCE = 120
split = sys.argv.index("--")
words, program = sys.argv[1:split], sys.argv[split + 1 :]
# The settings are those from before the program: it may be quicker than we are.
master, slave = pty.openpty()
settings = termios.tcgetattr(master)
pid = os.fork()
if pid == 0:
    os.login_tty(slave)
    os.execvp(program[0], program)
os.close(slave)
seen = b""
status = None


def bytes_of(text):
    return codecs.decode(text.encode("latin1"), "unicode_escape").encode("latin1")


def read():
    """More of what the program writes; False at its end."""
    global seen
    ready, _, _ = select.select([master], [], [], 0.1)
    if not ready:
        return True
    try:
        data = os.read(master, 65536)
    except OSError:
        return False
    seen += data
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return data != b""


def until(done, what):
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            os.kill(pid, 9)
            sys.exit(f"never: {what}")


def ended():
    global status
    read()
    if status is None:
        got, value = os.waitpid(pid, os.WNOHANG)
        status = os.waitstatus_to_exitcode(value) if got else None
    return status is not None


def waited(patience):
    """How the program ended."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        got, value = os.waitpid(pid, os.WNOHANG)
        if got:
            return value
        time.sleep(0.02)
    os.kill(pid, 9)
    sys.exit("never: the end of the program whose terminal was closed")


for word in words:
    kind, _, value = word.partition(":")
    if kind == "size":
        rows, columns = map(int, value.split("x"))
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    elif kind == "wait":
        wanted = bytes_of(value)
        until(lambda: wanted in seen or not read(), word)
        if wanted not in seen:
            sys.exit(f"ended before: {word}")
        seen = seen[seen.index(wanted) + len(wanted) :]
    elif kind == "hidden":
        until(lambda: not termios.tcgetattr(master)[3] & termios.ECHO, word)
    elif kind == "send":
        os.write(master, bytes_of(value))
    elif kind == "still":
        time.sleep(float(value))
    elif kind == "close":
        os.close(master)
        status = os.waitstatus_to_exitcode(waited(PATIENCE))
    elif kind == "end":
        until(ended, "the program's end")
        after = termios.tcgetattr(master)
        if after != settings:
            sys.exit(f"the terminal is not as it was: {settings} {after}")
if status is None:
    until(ended, "the program's end")
sys.stdout.flush()
sys.exit(status if status >= 0 else 128 - status)
