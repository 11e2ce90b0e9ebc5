"""Numbered lines on both streams from several accounts at once: numbered.py LINES UID…."""

import os
import sys

lines, accounts = int(sys.argv[1]), [int(word) for word in sys.argv[2:]]
for account in accounts:
    if os.fork() == 0:
        os.setgid(account)
        os.setuid(account)
        # One write a line: what is shorter than PIPE_BUF is not mixed with others' lines.
        for number in range(lines):
            os.write(1 + number % 2, b"%d: %d\n" % (account, number))
        os._exit(0)
for _ in accounts:
    os.wait()
