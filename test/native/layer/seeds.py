"""Writes the archives from which the fuzzer starts."""
import gzip
import os
import subprocess
import sys

from archives import Archive, GNU, END, pax_block, pax_record, raw_header, replaced, sparse_old, sparse_pax, whiteouts

small = Archive().dir('./').dir('d', uid=1).file('d/f', b'data' * 100, xattrs={'user.a': 'b'}).hardlink('h', 'd/f').symlink('s', 'd').file('s/x', mtime=1.5).bytes()
seeds = {
    'small': small,
    'gzip': gzip.compress(small),
    'zstd': subprocess.run(['zstd', '-q', '-c'], input=small, capture_output=True, check=True).stdout,
    'gnu': Archive(GNU).file('long/' * 30 + 'x' * 120).symlink('l', 'y' * 150).bytes(),
    'pax': pax_block(pax_record(b'path', b'p' * 200) + pax_record(b'mtime', b'1.25') + pax_record(b'SCHILY.xattr.user.k', b'v')) + raw_header(size=b'00000000004') + b'data'.ljust(512, b'\0') + END,
    'sparse-old': sparse_old(),
    'sparse-01': sparse_pax(1),
    'sparse-10': sparse_pax(0),
    'replaced': replaced(),
    'whiteouts': whiteouts(),
}
os.makedirs(sys.argv[1])
for name, data in seeds.items():
    with open(f'{sys.argv[1]}/{name}', 'wb') as out:
        out.write(data)
