import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import type * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRegistry } from '../../../../src/image/registry/open.ts';
import { hostFor, makeCertificate, openings, type Pair } from './server.ts';

const { opened } = openings();

/** Node's own server only hangs up; OpenSSL's says why, as those of registries do. The address, and what ends it. */
async function strictServer(pair: Pair, version: string): Promise<{ host: string; end: () => void }> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-strict-'));
  const [key, cert] = [join(directory, 'key'), join(directory, 'cert')];
  writeFileSync(key, pair.key);
  writeFileSync(cert, pair.cert);
  const words = ['s_server', '-accept', '127.0.0.1:0', '-Verify', '1', '-verify_return_error', `-${version}`, '-www'];
  const child = spawn('openssl', [...words, '-key', key, '-cert', cert, '-CAfile', cert], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const end = (): void => {
    child.kill();
    rmSync(directory, { recursive: true });
  };
  let said = '';
  for await (const chunk of child.stdout) {
    said += String(chunk);
    const host = /ACCEPT (127\.0\.0\.1:\d+)/.exec(said)?.[1];
    if (host !== undefined) return { host, end };
  }
  end();
  throw new Error(`openssl s_server ended: ${said}`);
}

test('a registry that wants a client certificate: what is missing is said, not that its own is bad', async () => {
  const [pair, other] = [makeCertificate(), makeCertificate()];
  for (const version of ['tls1_3', 'tls1_2']) {
    const server = await strictServer(pair, version);
    try {
      const directory = `/etc/containers/certs.d/${server.host}`;
      const ca = { [`${directory}/ca.crt`]: pair.cert };
      const wrong = { [`${directory}/client.cert`]: other.cert, [`${directory}/client.key`]: other.key };
      for (const files of [ca, { ...ca, ...wrong }]) {
        const registry = openRegistry(hostFor([], { files }), `${server.host}/team/app:1`, { retry: 0 });
        opened.push(registry);
        await assert.rejects(
          registry.manifest(),
          /our client certificate or wants one .*put client\.cert and client\.key into/,
        );
      }
    } finally {
      server.end();
    }
  }
});

test('a proxy that wants a password: said so, tried once, and never gone round over http', async () => {
  const asked: string[] = [];
  const proxy = http.createServer().on('connect', (request: http.IncomingMessage, socket: net.Socket) => {
    asked.push(request.url ?? '');
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n');
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = proxy.address() as net.AddressInfo;
    const environment = { HTTPS_PROXY: `http://me:hidden@127.0.0.1:${port}` };
    const through = openRegistry(hostFor([], { environment }), 'registry.test/team/app:1', {
      tlsVerify: false,
      retry: 2,
      retryDelay: 0.01,
    });
    opened.push(through);
    await assert.rejects(through.manifest(), (error: Error) => {
      assert.match(error.message, /registry\.test:443: the proxy 127\.0\.0\.1:\d+ wants a user name .*\(407\)/);
      return !error.message.includes('hidden');
    });
    assert.deepEqual(asked, ['registry.test:443']);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});
