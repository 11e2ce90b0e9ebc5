"""crash.py FILE: writes a program (x86-64 ELF) that says `last words of WORD` on both streams, without a line's end, and is killed by SIGSEGV.
A shell that is pid 1 of its namespace cannot kill itself: it takes a fault of the machine. WORD is its argument, four characters."""
import os
import struct
import sys

BASE, WORDS = 0x400000, b'last words of '


def write(fd, address, length):
    code = b'\xb8' + struct.pack('<I', 1) + b'\xbf' + struct.pack('<I', fd)
    code += b'\x48\x89\xde' if address is None else b'\xbe' + struct.pack('<I', address)
    return code + b'\xba' + struct.pack('<I', length) + b'\x0f\x05'


header = 64 + 56
text = BASE + header
code = b'\x48\x8b\x5c\x24\x10'  # rbx: argv[1]
for fd in (1, 2):
    code += write(fd, text, len(WORDS)) + write(fd, None, 4)
code += b'\xf4'  # hlt: SIGSEGV in user mode
size = header + len(WORDS) + len(code)
elf = struct.pack('<4sBBBB8xHHIQQQIHHHHHH', b'\x7fELF', 2, 1, 1, 0, 2, 62, 1, text + len(WORDS), 64, 0, 0, 64, 56, 1, 0, 0, 0)
segment = struct.pack('<IIQQQQQQ', 1, 5, 0, BASE, BASE, size, size, 0x1000)
with open(sys.argv[1], 'wb') as file:
    file.write(elf + segment + WORDS + code)
os.chmod(sys.argv[1], 0o755)
