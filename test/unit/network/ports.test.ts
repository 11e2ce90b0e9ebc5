import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takenPort } from '../../../src/network/ports.ts';
import { request, setting, TCP } from './setting.ts';

const LINE = (address: string): string =>
  `${TCP}   0: ${address}:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n`;
const ANY6 = '0'.repeat(32);
const LOOPBACK6 = `${'0'.repeat(24)}01000000`;
/** 2001:db8::12:34 */
const OTHER6 = 'B80D0120000000000000000034001200';

function taken(published: string, files: Record<string, string>, sockets?: string): boolean {
  const port = request('--publish', published).ports[0];
  assert.ok(port !== undefined);
  const missing = sockets === undefined;
  return takenPort(setting({ files, missing, run: () => ({ stdout: sockets ?? '' }) }).host, port) === port.hostPort;
}

void test('addresses of both families are compared as the kernel writes them', () => {
  const four = (address: string) => ({ '/proc/net/tcp': LINE(address) });
  const six = (address: string) => ({ '/proc/net/tcp6': LINE(address) });
  assert.ok(taken('127.0.0.1:8080:80', four('0100007F')));
  assert.ok(!taken('127.0.0.2:8080:80', four('0100007F')));
  assert.ok(taken('0.0.0.0:8080:80', four('0100007F')));
  assert.ok(taken('[::1]:8080:80', six(LOOPBACK6)));
  assert.ok(taken('[2001:db8::12:34]:8080:80', six(OTHER6)));
  assert.ok(!taken('[2001:db8::12:35]:8080:80', six(OTHER6)));
  assert.ok(taken('8080:80', six(OTHER6)));
});

void test('a listener on all addresses has those of its family, and one of IPv6 those of IPv4', () => {
  assert.ok(taken('[::1]:8080:80', { '/proc/net/tcp6': LINE(ANY6) }));
  assert.ok(taken('127.0.0.1:8080:80', { '/proc/net/tcp6': LINE(ANY6) }));
  assert.ok(!taken('[::1]:8080:80', { '/proc/net/tcp': LINE('00000000') }));
  assert.ok(!taken('0.0.0.0:8080:80', { '/proc/net/tcp6': LINE(LOOPBACK6) }));
});

void test('a listener on all addresses of IPv6 leaves those of IPv4 when its socket says so', () => {
  const line = (more: string): string => `LISTEN 0 5 *:8080 *:* uid:33 ino:4711 sk:1 cgroup:/a${more} <->\n`;
  const six = { '/proc/net/tcp6': LINE(ANY6) };
  for (const published of ['127.0.0.1:8080:80', '0.0.0.0:8080:80']) {
    assert.ok(!taken(published, six, line(' v6only:1')));
    assert.ok(taken(published, six, line(' v6only:0')));
    assert.ok(taken(published, six, line(' v6only:1').replace('4711', '47110')));
  }
  assert.ok(taken('8080:80', six, line(' v6only:1')));
  assert.ok(taken('[::1]:8080:80', six, line(' v6only:1')));
});

void test('an address of IPv4 on a socket of IPv6 is that address', () => {
  const mapped = (address: string) => ({ '/proc/net/tcp6': LINE(`${'0'.repeat(16)}FFFF0000${address}`) });
  assert.ok(taken('127.0.0.1:8080:80', mapped('0100007F')));
  assert.ok(!taken('127.0.0.2:8080:80', mapped('0100007F')));
  assert.ok(!taken('[::1]:8080:80', mapped('0100007F')));
  assert.ok(taken('127.0.0.1:8080:80', mapped('00000000')));
});

void test('endpoints of SCTP are in a file of their own, where the kernel has it', () => {
  const eps = ` ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS\n f1 f2 2 10 29 8080 0 4711 0.0.0.0 \n`;
  assert.ok(taken('8080:80/sctp', { '/proc/net/sctp/eps': eps }));
  assert.ok(!taken('8081:80/sctp', { '/proc/net/sctp/eps': eps }));
  assert.ok(!taken('8080:80/sctp', { '/proc/net/tcp': LINE('00000000') }));
});
