"""registry-slow.py PORT TARGET-PORT BYTES-PER-SECOND [whole]: passes connections on; what the target answers comes at that speed. `whole`: it
hears of no ranges."""
import socket
import sys
import threading
import time

port, target, rate = map(int, sys.argv[1:4])
whole = sys.argv[4:] == ['whole']


def forward(source, sink):
    while data := source.recv(65536):
        sink.sendall(data.replace(b'\r\nrange: ', b'\r\nx-range: ') if whole else data)
    sink.shutdown(socket.SHUT_WR)


def trickle(source, sink):
    step = max(1, min(rate // 20, 1 << 20))
    while data := source.recv(step):
        sink.sendall(data)
        time.sleep(len(data) / rate)
    sink.shutdown(socket.SHUT_WR)


def serve(client):
    with client, socket.create_connection(('127.0.0.1', target)) as server:
        # Small buffers make a slow line even, and a fast one slow.
        if rate < 1_000_000:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        up = threading.Thread(target=quiet, args=(forward, client, server), daemon=True)
        up.start()
        quiet(trickle, server, client)


def quiet(work, source, sink):
    try:
        work(source, sink)
    except OSError:
        pass


with socket.create_server(('127.0.0.1', port)) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
