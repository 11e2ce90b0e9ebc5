"""A payload that speaks sd_notify(3): notify.py WORD…  Words are done in order; the last one is usually `wait`.

NAME=VALUE[,NAME=VALUE…]   sends one message, fields separated by commas
sleep:SECONDS   barrier   store:NAME   unstore:NAME   ping:SECONDS   environment:NAME   exit:STATUS   wait
"""

import array
import os
import signal
import socket
import sys
import time


def send(text, descriptors=()):
    path = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        s.sendmsg([text.encode()], rights, 0, path)


def barrier():
    read, write = os.pipe()
    send("BARRIER=1", [write])
    os.close(write)
    assert os.read(read, 1) == b""
    print("the barrier is down", flush=True)


def do(word):
    name, _, value = word.partition(":")
    if name == "sleep":
        time.sleep(float(value))
    elif name == "barrier":
        barrier()
    elif name == "store":
        read, _ = os.pipe()
        send(f"FDSTORE=1\nFDNAME={value}", [read])
    elif name == "unstore":
        send(f"FDSTOREREMOVE=1\nFDNAME={value}")
    elif name == "ping":
        end = time.monotonic() + float(value)
        while time.monotonic() < end:
            send("WATCHDOG=1")
            time.sleep(0.1)
    elif name == "environment":
        print(f"{value}={os.environ.get(value)}", flush=True)
    elif name == "exit":
        sys.exit(int(value))
    elif name == "wait":
        signal.pause()
    else:
        send(word.replace(",", "\n"))


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
for each in sys.argv[1:]:
    do(each)
