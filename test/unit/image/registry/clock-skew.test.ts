import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRegistry } from '../../../../src/image/registry/open.ts';
import { answer, hostFor, manifest, MANIFEST, openings, serveTls, type Pair } from './server.ts';

const { servers, opened } = openings();
const TEXT = manifest(Buffer.from('a layer'));

test('a certificate that has run out, or a clock that lags, is told with what the clock says', async () => {
  for (const [from, to, words] of [
    [
      '20200101000000Z',
      '20210101000000Z',
      /its certificate has expired; the clock here says \d{4}-\d\d-\d\dT\d\d:\d\dZ$/,
    ],
    ['20800101000000Z', '20810101000000Z', /its certificate is not valid yet; the clock here says/],
  ] as const) {
    const pair = certificateOf(from, to);
    const server = await serveTls(
      (_request, response) => answer(response, 200, TEXT, { 'content-type': MANIFEST }),
      pair,
    );
    servers.push(server);
    const files = { [`/etc/containers/certs.d/${server.host}/ca.crt`]: pair.cert };
    const registry = openRegistry(hostFor([], { files }), `${server.host}/team/app:1`, { retry: 0 });
    opened.push(registry);
    await assert.rejects(registry.manifest(), words);
    assert.deepEqual(server.log, []);
  }
});

/** A self-signed certificate for 127.0.0.1 of another time: `openssl req` gives none of these, openssl-ca(1) does. */
function certificateOf(from: string, to: string): Pair {
  const directory = mkdtempSync(join(tmpdir(), 'berth-tls-'));
  const path = (name: string): string => join(directory, name);
  try {
    const lines = ['[ca]', 'default_ca = own', '[own]', `database = ${path('index')}`, `new_certs_dir = ${directory}`];
    lines.push(
      'default_md = sha256',
      'rand_serial = yes',
      'policy = names',
      'x509_extensions = more',
      '[names]',
      'commonName = supplied',
    );
    lines.push('[more]', 'subjectAltName = IP:127.0.0.1', 'basicConstraints = CA:TRUE');
    writeFileSync(path('configuration'), `${lines.join('\n')}\n`);
    writeFileSync(path('index'), '');
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl('req', '-new', ...curve, '-keyout', path('key'), '-out', path('request'), '-subj', '/CN=test');
    const dates = ['-startdate', from, '-enddate', to];
    const files = ['-config', path('configuration'), '-keyfile', path('key'), '-in', path('request')];
    openssl('ca', '-batch', '-selfsign', '-notext', ...files, ...dates, '-out', path('cert'));
    return { key: readFileSync(path('key'), 'utf8'), cert: readFileSync(path('cert'), 'utf8') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function openssl(...words: string[]): void {
  execFileSync('openssl', words, { stdio: 'ignore' });
}
