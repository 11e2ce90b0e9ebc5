#!/usr/bin/env python3
"""stuck.py GROUP: joins a control group and waits in a system call that SIGKILL alone ends, so that the group is never `frozen 1`.

For a mount namespace of its own: it asks a FUSE file system that nobody serves.
"""
import ctypes, os, sys

libc = ctypes.CDLL(None, use_errno=True)
options = f'fd={os.open("/dev/fuse", os.O_RDWR)},rootmode=40000,user_id=0,group_id=0'
if libc.mount(b'nobody', b'/mnt', b'fuse', 0, options.encode()) < 0:
    raise OSError(ctypes.get_errno(), 'mount')
with open(f'{sys.argv[1]}/cgroup.procs', 'w') as group:
    group.write('0')
os.stat('/mnt')
