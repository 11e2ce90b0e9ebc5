"""images-look.py ROOT [SINCE]: one line for each entry of a tree with all that a layer says of it; times of implied directories are left
out (those after SINCE, in seconds; what archives say is before), and the root, of which podman takes no attributes."""
import hashlib
import os
import stat
import sys

root = sys.argv[1]
since = int(sys.argv[2]) if len(sys.argv) > 2 else 1700000000
for directory, names, files in os.walk(root):
    for name in [*names, *files]:
        path = os.path.join(directory, name)
        info = os.lstat(path)
        kind = stat.S_IFMT(info.st_mode)
        content = os.readlink(path) if kind == stat.S_IFLNK else hashlib.sha256(open(path, 'rb').read()).hexdigest() if kind == stat.S_IFREG else ''
        xattrs = sorted((key, os.getxattr(path, key, follow_symlinks=False)) for key in os.listxattr(path, follow_symlinks=False) if 'containers.override' not in key)
        # Each program marks opaque directories for the overlay it mounts.
        marks = {'overlay.opaque' if key.endswith('overlay.opaque') else key: value for key, value in xattrs if not key.endswith(('overlay.origin', 'overlay.impure'))}
        links = info.st_nlink if kind == stat.S_IFREG else 1
        # A directory that the archive does not name has the time of its making.
        time = 'now' if info.st_mtime > since else info.st_mtime_ns
        print(os.path.relpath(path, root).encode('unicode_escape').decode(), oct(info.st_mode), info.st_uid, info.st_gid, info.st_rdev, links, time, content, marks)
