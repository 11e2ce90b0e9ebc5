#!/usr/bin/env python3
"""asked.py KIND COUNT [ADDRESS]: a server on port 9000 that is asked COUNT times by health checks, and what it saw as JSON.

KIND   ends     reads to the end of the client, says something and closes
       keeps    never closes by itself, and is silent
       speaks   says something at once, before it reads
       body     HTTP with a body of 4 MB, one client at a time
"""
import json, select, socket, sys, time

kind, count = sys.argv[1], int(sys.argv[2])
address = sys.argv[3] if len(sys.argv) > 3 else '127.0.0.1'
server = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((address, 9000))
server.listen()
server.settimeout(20)

def resets():
    names, values = [line.split() for line in open('/proc/self/net/snmp') if line.startswith('Tcp:')]
    return int(values[names.index('OutRsts')]) + int(values[names.index('EstabResets')])

before, seen, kept, slowest = resets(), [], [], 0.0
for _ in range(count):
    client, _ = server.accept()
    client.settimeout(20)
    begun = time.monotonic()
    try:
        if kind == 'speaks':
            client.sendall(b'220 here\r\n')
        if kind == 'body':
            client.recv(4096)
            client.sendall(b'HTTP/1.0 200 OK\r\n\r\n' + bytes(4 << 20))
            seen.append('sent')
        else:
            end = client.recv(4096)
            seen.append('end' if end == b'' else 'bytes')
        if kind == 'ends':
            client.sendall(b'good bye\r\n')
    except OSError as error:
        seen.append(type(error).__name__)
    slowest = max(slowest, time.monotonic() - begun)
    kept.append(client) if kind == 'keeps' else client.close()
time.sleep(0.05)
print(json.dumps({'seen': sorted(set(seen)), 'resets': resets() - before, 'slow': slowest > 1}))
