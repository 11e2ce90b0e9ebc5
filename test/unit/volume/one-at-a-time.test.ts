import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import type { Lock } from '../../../src/host/host.ts';
import { newDraft } from '../../../src/plan/draft.ts';
import type { RunRequest } from '../../../src/plan/request.ts';
import { STATE_VERSION } from '../../../src/run/state.ts';
import { makeUndo } from '../../../src/run/undo.ts';
import { chooseVolumes, createVolumes, makeVolume } from '../../../src/volume/volumes.ts';

const READER = { readFile: () => undefined, environment: () => undefined, environmentList: () => [], cwd: () => '/' };
const OPTIONS = { readOnly: false, chown: false, copy: true, overlay: false, recursive: true, flags: [] };

const request: RunRequest = {
  ...(newDraft(READER, 'web').request as RunRequest),
  mounts: [{ kind: 'volume', source: 'run', target: '/run/app', options: OPTIONS }],
};

test("an account's volume of type tmpfs has one container that runs at a time; of root it is shared", () => {
  const stat = (state: string): string => `7 (x) ${state} ${'0 '.repeat(18)}55 0`;
  const state = (pid: number): string =>
    JSON.stringify({
      version: STATE_VERSION,
      name: 'php',
      pid,
      startTime: '55',
      volumes: ['run'],
      anonymousVolumes: [],
    });
  const start = (uid: number, pid: number, process: string): Lock[] => {
    const bundle = uid === 0 ? '/run/berth/containers/php' : `/run/user/${uid}/berth/containers/php`;
    const host = fakeHost({
      uid,
      directories: ['/store'],
      environment: { XDG_RUNTIME_DIR: `/run/user/${uid}` },
      files: { [`${bundle}/state.json`]: state(pid), '/proc/7/stat': stat(process), '/proc/self/mountinfo': '' },
      run: () => ({ status: 0, stdout: '', stderr: '' }),
    });
    host.chown(bundle.replace(/\/containers.*/, ''), uid, uid);
    const options = { device: 'tmpfs', type: 'tmpfs' };
    const record = {
      version: 1,
      name: 'run',
      anonymous: false,
      created: 1,
      filled: false,
      labels: {},
      options,
    } as const;
    makeVolume(host, '/store', record);
    const choice = chooseVolumes(host, '/store', request);
    return createVolumes(host, '/store', choice, makeUndo());
  };
  assert.throws(
    () => start(1000, 7, 'S'),
    /volume run: the container php has it, and an account's volume of type tmpfs is for one container at a time/,
  );
  // One that has ended, or was made and not started.
  assert.equal(start(1000, 7, 'Z').length, 1);
  assert.equal(start(1000, 0, 'S').length, 1);
  assert.equal(start(0, 7, 'S').length, 1);
});
