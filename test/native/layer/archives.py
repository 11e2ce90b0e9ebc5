"""Archives made by the test, good and hostile, and what must become of each."""
import io
import os
import tarfile

PAX = tarfile.PAX_FORMAT
GNU = tarfile.GNU_FORMAT
USTAR = tarfile.USTAR_FORMAT


class Archive:
    """A tar archive in memory. Members are kept in order, repeated names too."""

    def __init__(self, form=PAX):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode='w', format=form)

    def add(self, name, kind=tarfile.REGTYPE, data=b'', mode=None, uid=0, gid=0, mtime=1500000000, link='', xattrs=None, device=(0, 0)):
        info = tarfile.TarInfo(name)
        info.type = kind
        info.mode = mode if mode is not None else (0o755 if kind == tarfile.DIRTYPE else 0o644)
        info.uid, info.gid, info.mtime, info.linkname = uid, gid, mtime, link
        info.devmajor, info.devminor = device
        info.size = len(data)
        for key, value in (xattrs or {}).items():
            text = value if isinstance(value, str) else value.decode('utf-8', 'surrogateescape')
            info.pax_headers['SCHILY.xattr.' + key] = text
        self.tar.addfile(info, io.BytesIO(data))
        return self

    def dir(self, name, **more):
        return self.add(name, tarfile.DIRTYPE, **more)

    def file(self, name, data=b'x', **more):
        return self.add(name, data=data, **more)

    def symlink(self, name, target, **more):
        return self.add(name, tarfile.SYMTYPE, link=target, mode=0o777, **more)

    def hardlink(self, name, target):
        return self.add(name, tarfile.LNKTYPE, link=target)

    def bytes(self):
        self.tar.close()
        return self.buffer.getvalue()


def raw_header(name=b'file', size=b'00000000000', kind=b'0', uid=b'0000000', mode=b'0000644', link=b'', magic=b'ustar\x0000', tail=b''):
    """One header block with a right checksum, whatever the fields hold."""
    block = bytearray(512)
    for start, value in ((0, name), (100, mode), (108, uid), (116, b'0000000'), (124, size), (136, b'00000000000'), (156, kind), (157, link), (257, magic), (345, tail)):
        block[start:start + len(value)] = value
    block[148:156] = b' ' * 8
    block[148:155] = b'%06o\0' % sum(block)
    return bytes(block)


def pax_block(records):
    """An extended header of type x with exactly these bytes."""
    padded = records + b'\0' * (-len(records) % 512)
    return raw_header(b'pax', b'%011o' % len(records), b'x') + padded


def pax_record(key, value):
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b'%d %s=%s\n' % (length, key, value)


END = b'\0' * 1024


def sparse_old():
    """GNU's old form: 1 MiB of hole, 4 bytes, a hole up to 3 MiB."""
    block = bytearray(raw_header(b'sparse', b'%011o' % 4, b'S', magic=b'ustar  \0'))
    block[386:386 + 24] = b'%011o\0%011o\0' % (1 << 20, 4)
    block[410:410 + 24] = b'%011o\0%011o\0' % (3 << 20, 0)
    block[483:495] = b'%011o\0' % (3 << 20)
    block[148:156] = b' ' * 8
    block[148:155] = b'%06o\0' % sum(block)
    return bytes(block) + b'data'.ljust(512, b'\0') + END


def sparse_pax(minor):
    """The forms 0.1 (map in the header) and 1.0 (map before the data)."""
    if minor == 1:
        records = pax_record(b'GNU.sparse.size', b'3145728') + pax_record(b'GNU.sparse.map', b'1048576,4,3145728,0') + pax_record(b'GNU.sparse.name', b'sparse')
        return pax_block(records) + raw_header(b'other', b'%011o' % 4) + b'data'.ljust(512, b'\0') + END
    records = pax_record(b'GNU.sparse.major', b'1') + pax_record(b'GNU.sparse.minor', b'0') + pax_record(b'GNU.sparse.name', b'sparse') + pax_record(b'GNU.sparse.realsize', b'3145728')
    data = b'2\n1048576\n4\n3145728\n0\n'.ljust(512, b'\0') + b'data'
    return pax_block(records) + raw_header(b'other', b'%011o' % len(data)) + data.ljust(1024, b'\0') + END


def everything():
    """What real layers hold, in one archive."""
    a = Archive()
    a.dir('./', mode=0o755, mtime=1400000000)
    a.dir('bin', mtime=1400000001).file('bin/tool', b'#!/bin/sh\n' * 1000, mode=0o4755, mtime=1400000002.25)
    a.hardlink('bin/same', 'bin/tool').symlink('bin/link', '/bin/tool').symlink('sh', 'bin/../bin/tool')
    a.dir('owned', uid=33, gid=44, mode=0o2770).file('owned/file', uid=1000, gid=65000, mode=0o600)
    a.file('caps', xattrs={'user.note': 'text', 'security.capability': b'\x01\x00\x00\x02\x00\x04\x00\x00' + b'\x00' * 12})
    a.add('fifo', tarfile.FIFOTYPE, mode=0o620).dir('sticky', mode=0o1777)
    a.file('cafe\u0301', b'decomposed').file('caf\u00e9', b'composed')
    a.file('deep/' + 'd' * 200 + '/' + 'n' * 255, b'long names').symlink('longlink', 't' * 4000)
    a.file('noparent/child').dir('noread', mode=0).file('noread/inner')
    a.file('empty', b'').file('big', os.urandom(1 << 20) * 3)
    a.file('old', mtime=-1.5).file('newline\nname')
    return a.bytes()


def replaced():
    """A file where a directory was, and the other way round, in one layer."""
    a = Archive()
    a.dir('a').file('a/x').file('a', b'now a file').file('b', b'file').dir('b').file('b/y')
    a.symlink('c', '/etc').dir('c', mode=0o700).file('d', b'first').file('d', b'second').symlink('e', 'one').symlink('e', 'two')
    return a.bytes()


def whiteouts():
    a = Archive()
    a.file('.wh.gone').dir('dir').file('dir/.wh..wh..opq').file('dir/kept').file('new/.wh.sub')
    a.file('both/file').file('.wh.both').file('.wh.later').dir('later').file('.wh.deep').file('deep/.wh.inner').file('.wh.again').file('again/file')
    a.file('.wh..wh.aufs')
    return a.bytes()


def many(count):
    """Entries, as cheaply as Python can make them."""
    parts = [raw_header(b'f%d' % i) for i in range(count)]
    return b''.join(parts) + END


def deep():
    """A directory 3000 levels deep, made in steps through a link; then it is replaced by a file."""
    a = Archive()
    for _ in range(3):
        a.dir('top')
    half = 'd/' * 1000
    a.dir('top/' + half).symlink('s', 'top/' + half).dir('s/' + half).file('top', b'gone')
    return a.bytes()
