import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { HostError, type SpawnRequest, type SpawnResult } from '../../../src/host/host.ts';
import { removeUnits } from '../../../src/verbs/quadlet-rm.ts';

const AT = '/etc/containers/systemd';
const UNIT = '[Container]\nImage=localhost/a:1\n';

/** systemd knows these services, as active. `linked`: where /etc/containers/systemd leads to. */
function run(
  operands: readonly string[],
  files: Record<string, string>,
  active: readonly string[] = [],
  { linked = AT, status: answered = 0 } = {},
): FakeHost & { status: number } {
  const real = (path: string): string => path.replace(new RegExp(`^${AT}(?=/|$)`), linked);
  const answer = ({ argv }: SpawnRequest): SpawnResult => {
    const words = argv.slice(argv.indexOf('--') + 1);
    const state = (unit: string): string =>
      `Id=${unit}\nNames=${unit}\nLoadState=loaded\nActiveState=${active.includes(unit) ? 'active' : 'inactive'}\nSubState=x\n`;
    const listed = active.map(unit => `${unit} loaded active running x\n`).join('');
    const stdout = argv[1] === 'show' ? words.map(state).join('\n') : argv[1] === 'list-units' ? listed : '';
    return answered === 0
      ? { status: 0, stdout, stderr: '' }
      : { status: answered, stdout: '', stderr: 'Failed to connect to bus\n' };
  };
  const host = fakeHost({
    files,
    run: answer,
    calls: {
      realpath: path => real(path),
      stat: path => base.stat(real(path)),
      list: path => base.list(real(path)),
      unlink: path => {
        if (path.endsWith('/closed.pod')) throw new HostError('unlink', 'EPERM', 1, 'operation not permitted', path);
        return base.unlink(real(path));
      },
    },
  });
  const base = fakeHost({ files });
  const status = removeUnits(host, { globals: [], verb: 'quadlet rm', options: [], operands });
  return Object.assign(host, { status });
}

test('what cannot be removed is told, and keeps nothing else', () => {
  const files = { [`${AT}/a.container`]: UNIT, [`${AT}/closed.pod`]: '[Pod]\n', [`${AT}/d.volume/x`]: '' };
  const host = run(['closed.pod', 'd.volume', 'a.container'], files);
  assert.equal(host.status, 125);
  assert.equal(host.written.out, 'a.container\n');
  assert.match(host.written.err, /closed.pod: operation not permitted\n/);
  assert.match(host.written.err, /d.volume: is a directory, which nothing here has made; remove it yourself\n/);
});

test('an instance of a template that runs keeps the template', () => {
  const files = { [`${AT}/t@.container`]: UNIT };
  const host = run(['t@.container'], files, ['t@one.service']);
  assert.deepEqual([host.status, host.written.out], [125, '']);
  assert.match(host.written.err, /t@.container: t@one.service is active; stop it, or use --force\n/);
  assert.equal(run(['t@.container'], files).status, 0);
});

test('a unit that runs stays where the directory is, or is below, a link', () => {
  const files = { '/srv/quadlets/a.container': UNIT, '/srv/quadlets/.x.app': 'a.container\n' };
  for (const name of ['a.container', '.x.app']) {
    const host = run([name], files, ['a.service'], { linked: '/srv/quadlets' });
    assert.deepEqual([host.status, host.written.out], [125, '']);
    assert.match(host.written.err, /a.container: a.service is active; stop it, or use --force\n/);
  }
  const gone = run(['.x.app'], files, [], { linked: '/srv/quadlets' });
  assert.deepEqual([gone.status, gone.written.out], [0, 'a.container\n.x.app\n']);
});

test('nothing is removed when systemd does not say what is active', () => {
  for (const name of ['a.container', 't@.container']) {
    const host = run([name], { [`${AT}/${name}`]: UNIT }, [], { status: 1 });
    assert.deepEqual([host.status, host.written.out], [125, '']);
    assert.match(host.written.err, /^Failed to connect to bus\nberth: quadlet rm: nothing was removed/);
  }
});
