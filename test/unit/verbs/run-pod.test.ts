import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { Failure } from '../../../src/run/failure.ts';
import { podOf } from '../../../src/run/pod-join.ts';
import { podPath, writePod, type PodRecord } from '../../../src/run/pods.ts';
import { inPod, podWish } from '../../../src/verbs/run-pod.ts';
import { parsedOf } from '../../../src/verbs/run-request.ts';
import { command } from '../plan/helpers.ts';
import { aState } from '../run/state-fixture.ts';

const STORE = '/var/lib/berth';

const web: PodRecord = {
  version: 1,
  id: 'a'.repeat(64),
  name: 'web',
  infraName: 'web-infra',
  created: 0,
  labels: {},
  exitPolicy: 'continue',
  unit: '',
  manager: '',
  options: [],
};

/** Where `pod create` writes the record and `pod start` what a holder has that runs. */
function host(files: Readonly<Record<string, string>> = {}): FakeHost {
  const pods: FakeHost = fakeHost({
    files: { '/proc/self/exe': '', ...files },
    calls: {
      readlink: () => 'berth',
      openProcess: () => 3,
      startTime: () => '1',
      poll: () => [],
      close: () => undefined,
    },
    run({ argv }) {
      if (argv.includes('create')) writePod(pods, STORE, web);
      if (argv.includes('start')) {
        pods.mkdirs('/run/berth/containers/web-infra', 0o700);
        const state = JSON.stringify(aState({ name: 'web-infra', pid: 7, startTime: '1' }));
        pods.writeFileAtomic('/run/berth/containers/web-infra/state.json', state, 0o600);
      }
      return { status: 0, stdout: '', stderr: '' };
    },
  });
  return pods;
}

const acts = (one: FakeHost): string[] => one.log.filter(line => line.startsWith('run('));

function refused(one: FakeHost, options: [string, string][]): string {
  try {
    const wish = podWish(one, STORE, command(options));
    parsedOf(one, wish.alone, 'b'.repeat(64), STORE, false);
  } catch (error) {
    assert.ok(error instanceof Failure);
    assert.deepEqual(acts(one), []);
    return error.message;
  }
  return assert.fail('nothing was refused');
}

test('what cannot be is refused before a pod is made', () => {
  const made: [string, string] = ['pod', 'new:web'];
  assert.match(refused(host(), [made, ['memory', 'nonsense']]), /--memory nonsense/);
  assert.match(refused(host(), [made, ['publish', 'x:y:z:0']]), /--publish/);
  assert.match(refused(host(), [made, ['ipc', 'host']]), /--ipc: belongs to the pod web/);
  assert.match(refused(host(), [['pod', 'new:']]), /names no pod/);
  const known = host({ [podPath(STORE, 'web')]: JSON.stringify(web) });
  assert.match(refused(known, [made]), /there is a pod of this name/);
});

test('a pod is made and started for its first member, and goes when that fails', () => {
  const options: [string, string][] = [
    ['pod', 'new:web'],
    ['publish', '80:80'],
    ['env', 'A=1'],
  ];
  for (const fails of [false, true]) {
    const one = host();
    const wish = podWish(one, STORE, command(options));
    const parsed = parsedOf(one, wish.alone, 'b'.repeat(64), STORE, false);
    assert.deepEqual(acts(one), []);
    const run = (): number =>
      inPod(one, STORE, wish, parsed, (asked, member) => {
        assert.deepEqual([asked.pod, asked.networks, asked.ports], ['web', ['container:web-infra'], []]);
        const words = member.options.map(({ name, value }) => `${name}=${value}`);
        assert.deepEqual(words, ['pod=web', 'env=A=1']);
        if (fails) throw new Failure(127, 'no such command');
        return 3;
      });
    if (fails) assert.throws(run, { message: 'no such command', status: 127 });
    else assert.equal(run(), 3);
    const begun = ['run(berth pod create --name=web --publish=80:80)', 'run(berth pod start web)'];
    assert.deepEqual(acts(one), fails ? [...begun, 'run(berth pod rm --force --time=0 web)'] : begun);
  }
});

test('where no pod is made, as in a unit, new:NAME is NAME', () => {
  const one = host({ [podPath(STORE, 'web')]: JSON.stringify(web) });
  assert.equal(podOf(one, STORE, command([['pod', 'new:web']]))?.pod.name, 'web');
});
