#!/usr/bin/python3
"""Writes numbers to the stack without end (argument: its URL; second: file for what was acknowledged, one number per line)."""
import http.client
import sys
import time
import urllib.error
import urllib.request

url, path = sys.argv[1:]
number = 0
with open(path, "a", buffering=1, encoding="ascii") as acknowledged:
    while True:
        number += 1
        try:
            request = urllib.request.Request(f"{url}/{number}", method="POST")
            with urllib.request.urlopen(request, timeout=5) as answer:
                if int(answer.read()) == number:
                    acknowledged.write(f"{number}\n")
        except (OSError, ValueError, http.client.HTTPException, urllib.error.URLError):
            time.sleep(0.02)
        time.sleep(0.02)
