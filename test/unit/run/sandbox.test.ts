import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeOptions } from '../../../src/host/fake.ts';
import { HostError } from '../../../src/host/host.ts';
import { Failure } from '../../../src/run/failure.ts';
import { namingSandbox } from '../../../src/run/sandbox.ts';

const FILES = {
  '/proc/self/cgroup': '0::/system.slice/web.service/supervisor\n',
  '/proc/self/status': 'Name:\tx\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t0\n',
};
const UNIT = { PODMAN_SYSTEMD_UNIT: 'web.service' };

/** What is said when a start fails with `error` in a unit that has `settings`, which `systemctl show` prints. */
function said(error: Error, settings: string, more: FakeOptions = {}): string {
  const host = fakeHost({
    environment: UNIT,
    files: FILES,
    run: () => ({ status: 0, stdout: settings, stderr: '' }),
    ...more,
  });
  try {
    namingSandbox(host, () => {
      throw error;
    });
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
  return '';
}

const failure = (text: string): Failure => new Failure(125, text);

test('an error that an option of the unit causes gets its name', () => {
  const readOnly = new HostError('open', 'EROFS', 30, 'read-only file system', '/var/lib/berth/locks/x');
  const strict = said(readOnly, 'ProtectSystem=strict\nProtectHome=no\nReadOnlyPaths=\nDynamicUser=no\n');
  assert.equal(
    strict,
    '/var/lib/berth/locks/x: read-only file system; web.service: ProtectSystem= in [Service] is in the way; ' +
      'add ReadWritePaths= with the directory, or remove it',
  );
  const stage = failure("the stage ended before 'ready'");
  assert.match(said(stage, 'SystemCallFilter=~mount\n'), /; web\.service: SystemCallFilter= in \[Service\]/);
  assert.match(
    said(failure('clone3: function not implemented'), 'RestrictNamespaces=user\n'),
    /RestrictNamespaces= in/,
  );
});

test('what is not set is not named, and neither is anything outside a unit or of another kind', () => {
  const stage = failure("the stage ended before 'ready'");
  assert.equal(said(stage, 'SystemCallFilter=~\n'), stage.message);
  assert.equal(said(stage, 'SystemCallFilter=~mount\n', { environment: {} }), stage.message);
  assert.equal(said(failure('x: no such image'), 'SystemCallFilter=~mount\n'), 'x: no such image');
  assert.equal(said(new TypeError('not permitted'), 'SystemCallFilter=~mount\n'), 'not permitted');
});

test('a manager that does not answer leaves the kind of option that it must be', () => {
  const powerless = failure('no-new-privileges is on');
  const silent = { run: undefined } as unknown as FakeOptions;
  assert.match(said(powerless, '', silent), /: NoNewPrivileges= in \[Service\] is in the way/);
});

test('a capability that root lacks is named, and the option that takes it', () => {
  const files = { ...FILES, '/proc/self/status': 'Name:\tx\nCapBnd:\t000001ffffdfffff\n' };
  const text = said(failure('namespaces: the kernel refuses new namespaces'), '', { files });
  assert.match(text, /CapabilityBoundingSet= in \[Service\] takes CAP_SYS_ADMIN away/);
});

test('a user manager is told where the option would work', () => {
  const environment = { PODMAN_SYSTEMD_UNIT: 'web.service', XDG_RUNTIME_DIR: '/run/user/1000', HOME: '/h' };
  const files = {
    ...FILES,
    '/proc/self/cgroup': '0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service\n',
  };
  let asked = '';
  const run: FakeOptions['run'] = request => {
    asked = [...(request.environment ?? []), ...request.argv.slice(0, 2)].join(' ');
    return { status: 0, stdout: 'PrivateTmp=yes\nProtectSystem=no\n', stderr: '' };
  };
  const text = said(failure('the user namespace that this runs in'), '', { environment, files, run, uid: 1000 });
  assert.match(text, /PrivateTmp= in \[Service\] is in the way; remove it; a system unit with User= can have it$/);
  assert.equal(asked, 'XDG_RUNTIME_DIR=/run/user/1000 systemctl --user');
});
