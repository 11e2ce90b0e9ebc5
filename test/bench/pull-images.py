"""pull-images.py DIR: OCI layouts small, big and mixed in DIR, of the files of this machine: 10 layers of 40 kB, one of 300 MB, 40 from 10 kB to 20 MB."""
import gzip
import hashlib
import json
import os
import sys
import tarfile


class Digested:
    """Counts and hashes what goes to a file."""

    def __init__(self, file):
        self.file, self.hash, self.size = file, hashlib.sha256(), 0

    def write(self, data):
        self.hash.update(data)
        self.size += len(data)
        return self.file.write(data)

    def flush(self):
        self.file.flush()


def files():
    for directory, _, names in sorted(os.walk('/usr')):
        for name in sorted(names):
            path = os.path.join(directory, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def put(blobs, data):
    digest = hashlib.sha256(data).hexdigest()
    with open(f'{blobs}/{digest}', 'wb') as file:
        file.write(data)
    return {'digest': f'sha256:{digest}', 'size': len(data)}


def layer(blobs, source, size, prefix):
    with open(f'{blobs}/part', 'wb') as file:
        packed = Digested(file)
        with gzip.GzipFile(fileobj=packed, mode='wb', compresslevel=1, mtime=0, filename='') as unpacked:
            plain = Digested(unpacked)
            with tarfile.open(fileobj=plain, mode='w|') as archive:
                number = 0
                while archive.offset < size:
                    archive.add(next(source), arcname=f'{prefix}/{number}')
                    number += 1
    os.rename(f'{blobs}/part', f'{blobs}/{packed.hash.hexdigest()}')
    return {'digest': f'sha256:{packed.hash.hexdigest()}', 'size': packed.size}, f'sha256:{plain.hash.hexdigest()}'


def image(directory, sizes):
    blobs = f'{directory}/blobs/sha256'
    os.makedirs(blobs)
    source = files()
    layers, diffs = [], []
    for index, size in enumerate(sizes):
        blob, diff = layer(blobs, source, size, f'layer{index}')
        layers.append({'mediaType': 'application/vnd.oci.image.layer.v1.tar+gzip', **blob})
        diffs.append(diff)
    config = {'architecture': 'amd64', 'os': 'linux', 'config': {}, 'rootfs': {'type': 'layers', 'diff_ids': diffs}}
    described = {'mediaType': 'application/vnd.oci.image.config.v1+json', **put(blobs, json.dumps(config).encode())}
    kind = 'application/vnd.oci.image.manifest.v1+json'
    manifest = {'schemaVersion': 2, 'mediaType': kind, 'config': described, 'layers': layers}
    index = {'schemaVersion': 2, 'manifests': [{'mediaType': kind, **put(blobs, json.dumps(manifest).encode())}]}
    for name, value in (('index.json', index), ('oci-layout', {'imageLayoutVersion': '1.0.0'})):
        with open(f'{directory}/{name}', 'w') as file:
            json.dump(value, file)


image(f'{sys.argv[1]}/small', [40_000] * 10)
image(f'{sys.argv[1]}/big', [300_000_000])
image(f'{sys.argv[1]}/mixed', [10_000 * (2 if i % 4 else 1) ** (i % 12) for i in range(40)])
