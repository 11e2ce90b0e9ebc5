"""images-make.py DIRECTORY: docker archives, OCI layouts and root file systems, good and hostile, each under its own name."""
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

OUT = sys.argv[1]


def sha(data):
    return hashlib.sha256(data).hexdigest()


def layer(*members):
    """(name, kind, data, attributes) in a pax archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w', format=tarfile.PAX_FORMAT) as tar:
        for name, kind, data, more in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.mode, info.uid, info.gid = more.get('mode', 0o755 if kind == tarfile.DIRTYPE else 0o644), more.get('uid', 0), more.get('gid', 0)
            info.mtime, info.size, info.linkname = more.get('mtime', 1500000000.5), len(data), more.get('link', '')
            info.devmajor, info.devminor = more.get('device', (0, 0))
            info.pax_headers.update({'SCHILY.xattr.' + key: value for key, value in more.get('xattrs', {}).items()})
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def directory(name, **more):
    return (name, tarfile.DIRTYPE, b'', more)


def file(name, data=b'x', **more):
    return (name, tarfile.REGTYPE, data, more)


def link(name, target, **more):
    return (name, tarfile.SYMTYPE, b'', {'link': target, 'mode': 0o777, **more})


def hardlink(name, target):
    return (name, tarfile.LNKTYPE, b'', {'link': target, 'mode': 0o755})


BASE = layer(
    directory('./', mtime=1400000000), directory('bin'), file('bin/busybox', open('/bin/busybox', 'rb').read(), mode=0o755),
    link('bin/sh', 'busybox'), hardlink('bin/true', 'bin/busybox'), directory('etc'), file('etc/passwd', b'root:x:0:0::/:/bin/sh\n'),
    directory('lib'), file('lib/gone'), directory('opaque'), file('opaque/below'), directory('tmp', mode=0o1777),
    file('owned', uid=33, gid=44, mode=0o4750), file('caf\u0301e', b'name'), directory('proc'), directory('sys'), directory('dev'))
# Sixty layers: the base, those that replace a file and add one, the last takes one away.
SIXTY = [BASE, *(layer(directory('app'), file('app/version', b'%d\n' % number), file(f'app/{number}')) for number in range(2, 60)), layer(file('app/.wh.30', b''))]
TOP = layer(file('lib/.wh.gone', b''), directory('opaque'), file('opaque/.wh..wh..opq', b''), file('opaque/above'), file('etc/motd', b'hi\n', xattrs={'user.note': 'text'}))


def configuration(layers, **config):
    return json.dumps({'architecture': 'amd64', 'os': 'linux', 'created': '2020-01-01T00:00:00Z', 'config': {'Cmd': ['/bin/true'], **config},
                       'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + sha(one) for one in layers]}}).encode()


def write_tar(path, members):
    with tarfile.open(path, 'w') as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            if isinstance(data, str):
                info.type, info.linkname = tarfile.SYMTYPE, data
                tar.addfile(info)
                continue
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def docker(name, layers=(BASE, TOP), tags=None, config=None, manifest=None, extra=(), pack=lambda data: data):
    config = config if config is not None else configuration(layers)
    names = [f'{index}/layer.tar' for index in range(len(layers))]
    manifest = manifest if manifest is not None else [{'Config': 'config.json', 'RepoTags': [f'localhost/{name}:latest'] if tags is None else tags, 'Layers': names}]
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    write_tar(f'{OUT}/{name}.tar', [('manifest.json', text), ('config.json', config), *((path, pack(one)) for path, one in zip(names, layers)), *extra])


def layout(name, layers=(BASE, TOP), pack=gzip.compress, media='+gzip', spoil=None, tag='latest'):
    """An OCI layout directory; `spoil(blobs, manifest, index)` makes it hostile before it is written."""
    packed = [pack(one) for one in layers]
    config = configuration(layers)
    blobs = {sha(data): data for data in [*packed, config]}
    kind = 'application/vnd.oci.image.'
    manifest = {'schemaVersion': 2, 'mediaType': kind + 'manifest.v1+json',
                'config': {'mediaType': kind + 'config.v1+json', 'digest': 'sha256:' + sha(config), 'size': len(config)},
                'layers': [{'mediaType': kind + 'layer.v1.tar' + media, 'digest': 'sha256:' + sha(data), 'size': len(data)} for data in packed]}
    index = {'schemaVersion': 2, 'manifests': []}
    if spoil is not None:
        spoil(blobs, manifest, index)
    text = json.dumps(manifest).encode()
    blobs[sha(text)] = text
    if not index['manifests']:
        index['manifests'] = [{'mediaType': kind + 'manifest.v1+json', 'digest': 'sha256:' + sha(text), 'size': len(text),
                               'annotations': {'org.opencontainers.image.ref.name': f'localhost/{name}:{tag}'}}]
    os.makedirs(f'{OUT}/{name}/blobs/sha256')
    for digest, data in blobs.items():
        if data is not None:
            with open(f'{OUT}/{name}/blobs/sha256/{digest}', 'wb') as out:
                out.write(data)
    for path, data in (('index.json', index), ('oci-layout', {'imageLayoutVersion': '1.0.0'})):
        with open(f'{OUT}/{name}/{path}', 'w') as out:
            json.dump(data, out)
    return packed


def zstd(data):
    return subprocess.run(['zstd', '-q', '-c'], input=data, capture_output=True, check=True).stdout


def main():
    os.makedirs(OUT)
    docker('plain')
    docker('shared-layer', extra=[('2/layer.tar', '../0/layer.tar')],
           manifest=[{'Config': 'config.json', 'RepoTags': ['localhost/shared-layer:latest'], 'Layers': ['2/layer.tar', '1/layer.tar']}])
    docker('gzipped', pack=gzip.compress)
    docker('two-names', tags=['busybox:1', 'quay.io/me/app:2'])
    docker('no-name', layers=[BASE], tags=[])
    layout('oci')
    layout('oci-zstd', pack=zstd, media='+zstd')
    layout('sixty', layers=SIXTY)
    layout('oci-plain', pack=lambda data: data, media='')
    subprocess.run(['tar', '-C', f'{OUT}/oci', '-cf', f'{OUT}/oci.tar', 'index.json', 'oci-layout', 'blobs'], check=True)
    subprocess.run(['tar', '-C', f'{OUT}/oci', '--transform=s,^,./,', '-czf', f'{OUT}/oci.tar.gz', 'index.json', 'oci-layout', 'blobs'], check=True)
    subprocess.run(['zstd', '-q', f'{OUT}/plain.tar'], check=True)
    with open(f'{OUT}/rootfs.tar', 'wb') as out:
        out.write(layer(directory('bin'), file('bin/tool', mode=0o755), file('data', b'd' * 1000000)))
    bad()


def bad():
    evil = layer(file('../../escaped'))
    docker('bad-escape', layers=[BASE, evil])
    docker('bad-link', layers=[layer(link('up', '/var/tmp'), file('up/escaped'))])
    docker('bad-hardlink', layers=[layer(hardlink('h', '/etc/shadow'))])
    docker('bad-diff', config=configuration([BASE, evil]))
    docker('bad-config', config=b'{"rootfs": 7}')
    docker('bad-manifest', manifest=b'[{"Config":')
    docker('bad-count', config=configuration([BASE]))
    docker('bad-name', tags=['localhost/../../x:latest'])
    docker('bad-config-name', manifest=[{'Config': '../../../../etc/passwd', 'RepoTags': [], 'Layers': []}])
    docker('bad-config-link', manifest=[{'Config': 'link', 'RepoTags': [], 'Layers': []}], extra=[('link', '/etc/passwd')])
    docker('bad-big', manifest=b'[' + b' ' * (9 << 20) + b']')
    with open(f'{OUT}/plain.tar', 'rb') as whole, open(f'{OUT}/bad-truncated.tar', 'wb') as out:
        data = whole.read()
        out.write(data[:len(data) // 2])
    with open(f'{OUT}/bad-noise.tar', 'wb') as out:
        out.write(b'this is not an archive\n' * 1000)

    def flip(blobs, manifest, _index):
        digest = manifest['layers'][0]['digest'][7:]
        data = bytearray(blobs[digest])
        data[len(data) // 2] ^= 1
        blobs[digest] = bytes(data)

    def traverse(_blobs, manifest, _index):
        manifest['layers'][0]['digest'] = 'sha256:../../../../../../etc/passwd'

    def size(_blobs, manifest, _index):
        manifest['layers'][0]['size'] += 1

    def missing(blobs, manifest, _index):
        blobs[manifest['layers'][1]['digest'][7:]] = None

    def artifact(_blobs, manifest, _index):
        manifest['config']['mediaType'] = 'application/vnd.oci.empty.v1+json'

    def foreign(_blobs, _manifest, index):
        index['manifests'] = [{'mediaType': 'application/vnd.oci.image.manifest.v1+json', 'digest': 'sha512:' + '0' * 128, 'size': 5}]

    for name, spoil in {'flip': flip, 'traverse': traverse, 'size': size, 'missing': missing, 'artifact': artifact, 'foreign': foreign}.items():
        layout(f'bad-oci-{name}', spoil=spoil)
    layout('bad-oci-symlink')
    blob = sorted(os.listdir(f'{OUT}/bad-oci-symlink/blobs/sha256'))[0]
    os.rename(f'{OUT}/bad-oci-symlink/blobs/sha256/{blob}', f'{OUT}/stolen')
    os.symlink('../../../stolen', f'{OUT}/bad-oci-symlink/blobs/sha256/{blob}')
    layout('bad-oci-symlinked-directory')
    os.rename(f'{OUT}/bad-oci-symlinked-directory/blobs', f'{OUT}/stolen-blobs')
    os.symlink('../stolen-blobs', f'{OUT}/bad-oci-symlinked-directory/blobs')
    layout('bad-oci-fifo')
    os.remove(f'{OUT}/bad-oci-fifo/index.json')
    os.mkfifo(f'{OUT}/bad-oci-fifo/index.json')


main()
