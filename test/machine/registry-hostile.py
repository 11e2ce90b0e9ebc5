"""registry-hostile.py PORT: a registry of images that nobody should have: t/NAME:1 for each of `images`."""
import gzip
import hashlib
import http.server
import json
import sys
import tarfile

GIB = 1 << 30
BLOCK = bytes(32 << 20)
PACKED = gzip.compress(BLOCK)
DEEP = '[' * 100_000 + ']' * 100_000
MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
blobs, manifests = {}, {}


def put(data):
    digest = 'sha256:' + hashlib.sha256(data).hexdigest()
    blobs[digest] = data
    return digest


def zeros(name, size):
    """A layer with one file of zeros, a thousandth of its size; its diff id."""
    head = tarfile.TarInfo(name)
    head.size = size
    plain = hashlib.sha256()
    packed = []
    for part in [head.tobuf(), *[BLOCK] * (size // len(BLOCK)), bytes(1024)]:
        plain.update(part)
        packed.append(PACKED if part is BLOCK else gzip.compress(part))
    return b''.join(packed), 'sha256:' + plain.hexdigest()


def image(name, layers, config='{}', more=''):
    ids = json.dumps([diff for _, diff in layers])
    document = ('{"architecture":"amd64","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":%s}}' % (config, ids)).encode()
    descriptors = ['{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"%s","size":%d}' % (put(data), len(data)) for data, _ in layers]
    manifests[name] = (
        '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":[%s]%s}'
        % (MANIFEST, put(document), len(document), ','.join(descriptors), more)).encode()


small = zeros('small', 32 << 20)
image('one-bomb', [zeros('zeros', 11 * GIB // 8)])
image('many-bombs', [zeros(f'zeros{number}', 3 * GIB // 4) for number in range(2)])
image('deep-config', [small], '{"Labels":{"a":%s}}' % DEEP)
image('deep-manifest', [small], more=',"annotations":{"a":%s}' % DEEP)
image('endless-text', [small], more=',"annotations":{"a":"' + '\\"' * (1 << 20))


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def handle_any(self):
        words = self.path.split('/')
        found = b'{}' if self.path == '/v2/' else blobs.get(words[-1]) if 'blobs' in words else manifests.get(words[3]) if len(words) > 3 else None
        self.send_response(404 if found is None else 200)
        self.send_header('content-type', MANIFEST if 'manifests' in words else 'application/octet-stream')
        self.send_header('content-length', str(len(found or b'')))
        self.end_headers()
        if self.command == 'GET':
            self.wfile.write(found or b'')

    do_GET = do_HEAD = handle_any

    def log_message(self, *_words):
        pass


http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Registry).serve_forever()
