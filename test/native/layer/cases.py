"""Runs `berth layer apply` on the archives of archives.py and looks at what came of them. Prints TAP.

cases.py BERTH MODE: MODE is host (root), subordinate or single; the program runs with that account's ids already.
"""
import gzip
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile

from archives import Archive, END, GNU, USTAR, deep, everything, many, pax_block, pax_record, raw_header, replaced, sparse_old, sparse_pax, whiteouts

BERTH, MODE, DIRECTORY = sys.argv[1:4]
number = failures = 0


class Result:
    def __init__(self, data, words):
        self.target = f'{DIRECTORY}/layer'
        source = f'{DIRECTORY}/archive'
        with open(source, 'wb') as out:
            out.write(data)
        with open(source, 'rb') as blob:
            done = subprocess.run([BERTH, 'layer', 'apply', f'target={self.target}', *words], stdin=blob, capture_output=True, timeout=120)
        self.status, self.error = done.returncode, done.stderr.decode('utf-8', 'replace')
        self.answer = json.loads(done.stdout) if done.returncode == 0 else None

    def remove(self):
        subprocess.run([BERTH, 'layer', 'remove', f'path={self.target}'], check=True)
        assert not os.path.exists(self.target), 'the layer is still there'

    def look(self, script):
        """A script with the layer's root as r and `lstat`, run with the ids that the layer's files have."""
        code = LOOK + script
        command = [sys.executable, '-c', code, f'{self.target}/fs']
        done = subprocess.run([*INSIDE, *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr.strip().split('\n')[-1]
        return done.stdout


# The ids of the store's map, so that 0 inside is 0 for the script too.
INSIDE = {
    'host': [],
    'subordinate': ['unshare', '--user', '--map-users=0:%d:1' % os.getuid(), '--map-users=1:200000:65536', '--map-groups=0:%d:1' % os.getgid(), '--map-groups=1:200000:65536', '--setuid=0', '--setgid=0'],
    'single': ['unshare', '--user', '--map-root-user'],
}[MODE]
LOOK = '''
import os, stat, sys
r = sys.argv[1]
def lstat(name): return os.lstat(os.path.join(r, name))
def read(name): return open(os.path.join(r, name), 'rb').read()
def equal(got, wanted): assert got == wanted, f'got {got!r}, wanted {wanted!r}'
def is_whiteout(name): s = lstat(name); return stat.S_ISCHR(s.st_mode) and s.st_rdev == 0
def is_opaque(name): return os.getxattr(os.path.join(r, name), 'user.overlay.opaque') == b'y'
'''


def case(name, body):
    global number, failures
    number += 1
    # What a failed case left may belong to mapped ids.
    subprocess.run([BERTH, 'layer', 'remove', f'path={DIRECTORY}'], check=True)
    os.makedirs(DIRECTORY)
    try:
        body()
        print(f'ok {number} - {MODE}: {name}')
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        failures += 1
        print(f'not ok {number} - {MODE}: {name}\n# {type(error).__name__}: {error}')


def good(data, script, *words):
    def body():
        result = Result(data, words)
        assert result.status == 0, result.error
        result.look(script)
        result.remove()
        return result
    return body


def bad(data, part, *words):
    """Refused with one line that holds `part`; what is left can be removed."""
    def body():
        result = Result(data, words)
        assert result.status == 125, f'status {result.status}: {result.error}'
        assert result.error.count('\n') == 1, f'not one line: {result.error}'
        assert part in result.error, f'{part!r} is not in {result.error!r}'
        assert 'Sanitizer' not in result.error and 'signal' not in result.error, result.error
        if os.path.exists(result.target):
            result.remove()
    return body


def warns(data, script, part):
    def body():
        result = Result(data, ())
        assert result.status == 0, result.error
        text = '\n'.join(result.answer['warnings'])
        assert part in text, f'{part!r} is not among the warnings {text!r}'
        result.look(script)
        result.remove()
    return body


OWNER = (1000, 65000) if MODE != 'single' else (0, 0)
EVERYTHING = f'''
tool = lstat('bin/tool')
equal(stat.S_IMODE(tool.st_mode), 0o4755); equal(tool.st_size, 10000); equal(tool.st_mtime_ns, 1400000002250000000)
equal(lstat('bin/same').st_ino, tool.st_ino); equal(tool.st_nlink, 2)
equal(os.readlink(r + '/bin/link'), '/bin/tool'); equal(os.readlink(r + '/sh'), 'bin/../bin/tool')
equal((lstat('owned/file').st_uid, lstat('owned/file').st_gid), {OWNER!r})
equal(stat.S_IMODE(lstat('owned').st_mode), 0o2770); equal(stat.S_IMODE(lstat('owned/file').st_mode), 0o600)
equal(os.getxattr(r + '/caps', 'user.note'), b'text'); equal(os.getxattr(r + '/caps', 'security.capability')[4:8], b'\\0\\4\\0\\0')
assert stat.S_ISFIFO(lstat('fifo').st_mode); equal(stat.S_IMODE(lstat('fifo').st_mode), 0o620)
equal(stat.S_IMODE(lstat('sticky').st_mode), 0o1777); equal(lstat('bin').st_mtime, 1400000001); equal(lstat('').st_mtime, 1400000000)
equal(read('cafe\\u0301'), b'decomposed'); equal(read('caf\\u00e9'), b'composed')
equal(read('deep/' + 'd' * 200 + '/' + 'n' * 255), b'long names'); equal(len(os.readlink(r + '/longlink')), 4000)
equal(read('noparent/child'), b'x'); equal(stat.S_IMODE(lstat('noparent').st_mode), 0o755); equal(stat.S_IMODE(lstat('noread').st_mode), 0)
equal(lstat('empty').st_size, 0); equal(lstat('big').st_size, 3 << 20); equal(lstat('old').st_mtime_ns, -1500000000); equal(read('newline\\nname'), b'x')
'''


def attacks():
    """Each tries to leave the layer; the witness outside must stay as it is."""
    outside = f'{DIRECTORY}/witness'

    def witnessed(data, part=None, script=''):
        def body():
            with open(outside, 'w') as out:
                out.write('untouched')
            result = Result(data, ())
            with open(outside) as file:
                assert file.read() == 'untouched', 'the witness was changed'
            assert sorted(os.listdir(DIRECTORY)) == ['archive', 'layer', 'witness'], os.listdir(DIRECTORY)
            if part is not None:
                assert result.status == 125 and part in result.error, f'status {result.status}: {result.error}'
            else:
                assert result.status == 0, result.error
                result.look(script)
            result.remove()
        return body

    case("T17 a name with '..'", witnessed(Archive().file('../witness').bytes(), "leads upwards"))
    case("T17 '..' in the middle", witnessed(Archive().file('a/../../witness').bytes(), "leads upwards"))
    case('T17 an absolute name stays inside', witnessed(Archive().file(outside, b'evil').bytes(), script=f'equal(read({outside[1:]!r}), b"evil")'))
    case('T17 a link upwards, then a file through it', witnessed(Archive().symlink('up', '../' * 20 + DIRECTORY[1:]).file('up/witness', b'evil').bytes(), 'up'))
    case('T17 a link upwards to a directory that the layer has', witnessed(Archive().dir('in').symlink('up', '../../in').file('up/witness', b'evil').bytes(), script='equal(read("in/witness"), b"evil")'))
    case('T17 an absolute link, then a file through it', witnessed(Archive().symlink('abs', DIRECTORY).file('abs/witness', b'evil').bytes(), 'abs'))
    case('T17 a hard link to an absolute target', witnessed(Archive().hardlink('h', outside).bytes(), 'absolute target'))
    case("T17 a hard link upwards", witnessed(Archive().hardlink('h', '../../witness').bytes(), "'..'"))
    case('T17 a hard link through a link', witnessed(Archive().symlink('l', DIRECTORY).hardlink('h', 'l/witness').bytes(), "hard link's target"))
    case('T17 a hard link to a link that leads out, then written to', witnessed(Archive().symlink('l', outside).hardlink('h', 'l').file('h', b'evil').bytes(), script='equal(read("h"), b"evil")'))
    for name in ('.', '/', './', '//', './/.'):
        data = raw_header(name.encode(), kind=b'2', link=DIRECTORY.encode()) + raw_header(b'witness', b'00000000004') + b'evil'.ljust(512, b'\0') + END
        case(f"T17 a link named '{name}'", witnessed(data, 'root is not a directory'))
    case('T17 the root as a file', witnessed(raw_header(b'.', b'00000000004') + b'evil'.ljust(512, b'\0') + END, 'root is not a directory'))
    case('T17 the root as a hard link', witnessed(raw_header(b'.', kind=b'1', link=b'x') + END, 'root is not a directory'))
    case('T17 a whiteout of ..', witnessed(Archive().file('.wh...').bytes(), 'whiteout'))
    case('T17 a whiteout of nothing', witnessed(Archive().file('.wh.').bytes(), 'whiteout'))
    case('T17 names that differ in case alone are two', witnessed(Archive().symlink('Up', DIRECTORY).dir('up').file('up/witness', b'evil').file('.WH.up').bytes(),
                                                                  script='equal(read("up/witness"), b"evil"); equal(read(".WH.up"), b"x"); assert os.path.islink(r + "/Up")'))
    case('T17 an opaque mark through a link', witnessed(Archive().symlink('l', '..').file('l/.wh..wh..opq').bytes(), script='assert is_opaque("")'))


def broken():
    data = everything()
    case('a truncated archive', bad(data[:len(data) // 2], 'truncated'))
    case('truncated between two members, without a digest', bad(raw_header(b'a') + raw_header(b'b'), 'end mark'))
    case('truncated gzip', bad(gzip.compress(data)[:-100000], 'truncated'))
    case('truncated inside gzip\'s last bytes', bad(gzip.compress(data)[:-3], 'truncated'))
    flipped = bytearray(gzip.compress(data))
    flipped[len(flipped) // 2] ^= 0x55
    case('T19 corrupt gzip', bad(bytes(flipped), 'corrupt'))
    case('no archive at all', bad(b'this is not an archive' * 100, 'corrupt, or no tar'))
    case('xz is refused by name', bad(b'\xfd7zXZ\0' + b'x' * 600, 'xz'))
    case('something behind gzip', bad(gzip.compress(data) + b'tail', 'behind its compressed end'))
    case('T19 a wrong digest of the blob', bad(data, 'digest', 'blob=sha256:' + '0' * 64))
    case('T19 a wrong diff id', bad(data, 'digest', 'diff=sha256:' + '0' * 64))
    case('T19 a digest that is a path', bad(data, 'no digest', 'diff=sha256:../../' + '0' * 58))
    case('a wrong checksum', bad(raw_header(b'a')[:200].ljust(512, b'!') + END, 'checksum'))
    case('T22 a name of 5000 bytes', bad(pax_block(pax_record(b'path', b'a/' * 2500)) + raw_header() + END, 'limit is 4095'))
    case('T22 a component of 256 bytes', bad(Archive().file('n' * 256).bytes(), 'too long'))
    case('T22 a link target of 5000 bytes', bad(Archive().symlink('l', 't' * 5000).bytes(), 'limit is 4095'))
    case('T22 an extended header of 2 MiB', bad(raw_header(b'pax', b'%011o' % (2 << 20), b'x') + b'x' * (2 << 20) + END, 'limit is 1048576'))
    case('T22 an extended header that lies about its length', bad(pax_block(b'99 path=a\n') + raw_header() + END, 'wrong length'))
    case('T22 an extended header of length 0', bad(pax_block(b'0 path=a\n') + raw_header() + END, 'wrong length'))
    case('T22 an extended header without an end', bad(pax_block(b'7777777777777777777777777777 path=a\n') + raw_header() + END, 'corrupt'))
    case('T22 a NUL in a name', bad(pax_block(pax_record(b'path', b'a\0b')) + raw_header() + END, 'NUL'))
    case('T22 an attribute value of 70000 bytes', bad(pax_block(pax_record(b'SCHILY.xattr.user.x', b'v' * 70000)) + raw_header() + END, 'limit is 65536'))
    case('T22 an attribute name of 300 bytes', bad(pax_block(pax_record(b'SCHILY.xattr.user.' + b'n' * 300, b'v')) + raw_header() + END, 'limit is 255'))
    case('T22 100 attributes', bad(pax_block(b''.join(pax_record(b'SCHILY.xattr.user.%d' % i, b'v') for i in range(100))) + raw_header() + END, 'more than 64'))
    case('T22 a size that is negative', bad(raw_header(size=b'\xff' * 12) + END, 'negative'))
    case('T22 a size that is no number', bad(raw_header(size=b'12x45') + END, 'not a number'))
    case('T13 an owner above 32 bits', bad(raw_header(uid=b'\x80\0\0\1\0\0\0\0') + END, 'out of range'))
    case('T13 the owner 4294967295', bad(raw_header(uid=b'\x80\0\0\0\xff\xff\xff\xff') + END, 'out of range'))
    case('a sparse map out of order', bad(sparse_pax(1).replace(b'1048576,4,3145728,0', b'3145729,4,1048576,0'), 'sparse map'))
    case('a sparse map that is too long for its data', bad(sparse_pax(1).replace(b'1048576,4,3145728,0', b'1048576,9,3145728,0'), 'sparse map'))
    case('a hard link before its target', bad(Archive().hardlink('h', 'f').file('f').bytes(), "hard link's target"))
    case('a hard link to a directory', bad(Archive().dir('d').hardlink('h', 'd').bytes(), "hard link's target"))
    case('a file below a file', bad(Archive().file('f').file('f/x').bytes(), 'no directory'))


def bombs():
    case('T34 more entries than the limit', bad(many(2000), 'more than 1000 entries', 'entries=1000'))
    case('T34 more bytes than the limit', bad(Archive().file('f', b'0' * (2 << 20)).bytes(), 'larger than the limit', 'bytes=1048576'))
    case('T34 a sparse file larger than the limit', bad(sparse_old(), 'larger than the limit', 'bytes=1048576'))
    head = raw_header(b'bomb', b'%011o' % (4 << 30))

    def zstd_bomb():
        with open(f'{DIRECTORY}/head', 'wb') as out:
            out.write(head)
        subprocess.run(f'(cat {DIRECTORY}/head; head -c 400M /dev/zero) | zstd -q -1 -o {DIRECTORY}/bomb', shell=True, check=True)
        with open(f'{DIRECTORY}/bomb', 'rb') as file:
            data = file.read()
        assert len(data) < 200000, len(data)
        bad(data, 'bomb')()
    case('T34 a zstd bomb', zstd_bomb)
    count = 100000 if MODE == 'host' and 'asan' not in BERTH else 5000  # making files is slow on some disks
    case(f'T34 {count} entries', good(many(count), f'equal(len(os.listdir(r)), {count})'))
    case('T34 directories 2000 deep, replaced and removed', good(deep(), 'equal(read("top"), b"gone")'))


def main():
    data = everything()
    case('what real layers hold', good(data, EVERYTHING))
    case('gzip', good(gzip.compress(data, 1), EVERYTHING))
    case('gzip in two members with padding', good(gzip.compress(data[:70000]) + gzip.compress(data[70000:]) + b'\0' * 512, EVERYTHING))
    zstd = subprocess.run(['zstd', '-q', '-c'], input=data, capture_output=True, check=True).stdout
    case('zstd', good(zstd, EVERYTHING))
    case('zstd in two frames with a skippable one', good(b'\x50\x2a\x4d\x18\4\0\0\0skip' + zstd, EVERYTHING))
    case('digests are verified', good(gzip.compress(data), EVERYTHING, 'diff=sha256:' + hashlib.sha256(data).hexdigest()))
    case('sha512', good(data, EVERYTHING, 'diff=sha512:' + hashlib.sha512(data).hexdigest()))
    case('an empty archive', good(END, 'equal(os.listdir(r), [])'))
    gnu = Archive(GNU).file('long/' * 30 + 'x' * 120).symlink('l', 'y' * 150).file('big-id', uid=50000 if MODE != 'single' else 0).bytes()
    case('GNU long names', good(gnu, 'equal(read("long/" * 30 + "x" * 120), b"x"); equal(os.readlink(r + "/l"), "y" * 150)'))
    ustar = Archive(USTAR).file('p' * 90 + '/' + 'n' * 90).bytes()
    case('ustar prefixes', good(ustar, 'equal(read("p" * 90 + "/" + "n" * 90), b"x")'))
    v7 = raw_header(b'old', b'00000000003', b'\0', magic=b'') + b'old'.ljust(512, b'\0') + raw_header(b'olddir/', kind=b'\0', magic=b'') + END
    case('v7 headers', good(v7, 'equal(read("old"), b"old"); assert stat.S_ISDIR(lstat("olddir").st_mode)'))
    sparse = 'equal(read("sparse"), b"\\0" * (1 << 20) + b"data" + b"\\0" * ((2 << 20) - 4)); assert lstat("sparse").st_blocks < 64'
    case('GNU sparse, old form', good(sparse_old(), sparse))
    case('GNU sparse 0.1', good(sparse_pax(1), sparse))
    case('GNU sparse 1.0', good(sparse_pax(0), sparse))
    case('T17 kinds replace each other', good(replaced(), '''
equal(read('a'), b'now a file'); equal(read('b/y'), b'x'); assert stat.S_ISDIR(lstat('c').st_mode); equal(read('d'), b'second'); equal(os.readlink(r + '/e'), 'two')'''))
    case('whiteouts', good(whiteouts(), '''
assert is_whiteout('gone') and is_opaque('dir') and is_whiteout('new/sub') and is_whiteout('deep')
assert is_opaque('both') and is_opaque('later') and is_opaque('again')
equal(read('dir/kept'), b'x'); equal(read('again/file'), b'x'); equal(read('both/file'), b'x')
equal(sorted(os.listdir(r)), ['again', 'both', 'deep', 'dir', 'gone', 'later', 'new']); equal(os.listdir(r + '/dir'), ['kept'])'''))
    case('T22 attributes that steer overlayfs or belong to the host are left out', warns(
        Archive().file('f', xattrs={'user.overlay.redirect': '/x', 'trusted.overlay.redirect': '/x', 'security.selinux': 'x', 'user.ok': 'y'}).bytes(),
        "names = os.listxattr(r + '/f'); assert 'user.ok' in names and 'user.overlay.redirect' not in names and 'trusted.overlay.redirect' not in names, names", 'extended attributes'))
    device = Archive().add('null', tarfile.CHRTYPE, device=(1, 3), mode=0o666).file('after').bytes()
    if MODE == 'host':
        case('devices', good(device, "equal(lstat('null').st_rdev, os.makedev(1, 3)); equal(stat.S_IMODE(lstat('null').st_mode), 0o666)"))
    else:
        case('devices are left out with a word', warns(device, "assert not os.path.exists(r + '/null'); equal(read('after'), b'x')", 'devices are left out'))
    if MODE == 'single':
        case('owners are left out with a word', warns(data, EVERYTHING, 'single id'))
    if MODE == 'subordinate':
        case('an owner beyond the subordinate ids', bad(Archive().file('f', uid=70000).bytes(), 'subordinate ids'))
    case('T28 control characters of a name are shown as text', bad(Archive().file('\x1b[31m').hardlink('h', '\x1b]0;x\x07').bytes(), '\\x1b]0;x\\x07'))
    attacks()
    broken()
    bombs()
    export()
    recipe()
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    print(f'1..{number}')
    sys.exit(1 if failures else 0)


def export():
    """A layer, exported and unpacked again, is the same."""
    def body():
        first = Result(everything() if MODE != 'subordinate' else whiteouts(), ())
        if MODE != 'host':
            return first.remove()  # only root hands layers over
        os.rename(first.target, f'{DIRECTORY}/first')
        stream = subprocess.run([BERTH, 'layer', 'export', f'source={DIRECTORY}/first'], capture_output=True, check=True).stdout
        second = Result(stream, ())
        assert second.status == 0, second.error
        one, two = snapshot(f'{DIRECTORY}/first/fs'), snapshot(f'{second.target}/fs')
        assert one == two, [(key, one.get(key), two.get(key)) for key in sorted(set(one) | set(two)) if one.get(key) != two.get(key)][:3]
    case('a layer exported and unpacked again', body)


def assemble(directory):
    return subprocess.run([BERTH, 'layer', 'assemble', f'source={directory}'], capture_output=True, timeout=120)


def verify(directory):
    return subprocess.run([BERTH, 'layer', 'verify', f'source={directory}'], capture_output=True, text=True, timeout=120)


def recipe():
    """The stream of a layer put together again has the bytes it came with; what a file lost is seen."""
    archives = {'everything': everything(), 'whiteouts': whiteouts(), 'sparse': sparse_old(), 'sparse (pax 0.1)': sparse_pax(1), 'sparse (pax 1.0)': sparse_pax(0)}
    def same(data):
        def body():
            result = Result(data, ())
            assert result.status == 0, result.error
            plain = gzip.decompress(data) if data[:2] == b'\x1f\x8b' else data
            assert assemble(result.target).stdout == plain, 'other bytes'
            assert verify(result.target).stdout.strip() == f'sha256:{hashlib.sha256(plain).hexdigest()}'
            result.remove()
        return body
    for name, data in archives.items():
        if MODE == 'subordinate' and name == 'everything':
            continue # it has owners that these ids do not reach
        case(f'put together again: {name}', same(data))
        case(f'put together again: {name}, compressed', same(gzip.compress(data)))

    def damaged():
        result = Result(Archive().file('a', b'one').file('b', b'two' * 1000).bytes(), ())
        before = verify(result.target).stdout
        result.look("open(os.path.join(r, 'a'), 'wb').write(b'onf')")
        after = verify(result.target)
        assert after.returncode == 0 and after.stdout != before, after.stdout
        result.look("os.truncate(os.path.join(r, 'b'), 5)")
        assert 'shorter than it was' in verify(result.target).stderr
        result.look("os.unlink(os.path.join(r, 'b'))")
        assert 'b: no such file' in verify(result.target).stderr
        result.look("os.symlink('/etc/shadow', os.path.join(r, 'b'))")
        assert verify(result.target).returncode != 0
        with open(f'{result.target}/recipe', 'r+b') as file:
            file.truncate(20)
        assert 'truncated' in verify(result.target).stderr
        result.remove()
    case('put together again: a byte, a file and the recipe are missed', damaged)

    def twice():
        result = Result(Archive().file('a', b'one').file('a', b'two').bytes(), ())
        assert result.status == 0 and not os.path.exists(f'{result.target}/recipe'), 'a recipe that cannot hold'
        assert 'no recipe' in verify(result.target).stderr
        result.remove()
    case('put together again: not where a member took the place of another', twice)


def snapshot(root):
    found = {}
    for directory, names, files in os.walk(root):
        for name in ['.', *names, *files]:
            path = os.path.join(directory, name)
            info = os.lstat(path)
            kind = stat.S_IFMT(info.st_mode)
            content = os.readlink(path) if kind == stat.S_IFLNK else open(path, 'rb').read() if kind == stat.S_IFREG else b''
            xattrs = {key: os.getxattr(path, key, follow_symlinks=False) for key in os.listxattr(path, follow_symlinks=False)}
            implied = name == 'noparent' or path.endswith('deep/.') or 'deep' in path or name == '.' and directory != root
            found[os.path.relpath(path, root)] = (info.st_mode, info.st_uid, info.st_gid, info.st_rdev, 0 if implied else info.st_mtime_ns, content, xattrs)
    return found


main()
