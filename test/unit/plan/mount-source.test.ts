import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountOps } from '../../../src/ops/mounts.ts';
import { makePlan } from '../../../src/plan/plan.ts';
import { parse } from './helpers.ts';
import { accountFacts, image, plan, refusals, rootFacts } from './plan-helpers.ts';

test('subpath: a part of a volume or of an image, and nothing that would do without a word', () => {
  const volumes = {
    'volume:v': { path: '/v', fresh: false },
    'volume:new': { path: '/n', fresh: true },
    'volume:own': { path: '/o', fresh: true, covered: true },
    'volume:i': { path: '', fresh: false, lower: ['/l'], writable: '/w' },
    'image:i': { path: '', fresh: false, lower: ['/l'] },
  } as const;
  const facts = rootFacts({ volumes });
  const part = (words: string): [string | undefined, string | undefined] => {
    const found = plan([['mount', `${words},target=/x,subpath=a/b`]], facts).spec.mounts?.find(
      one => one.destination === '/x',
    );
    return [found?.type, found?.subpath];
  };
  assert.deepEqual(part('type=volume,source=v'), ['bind', 'a/b']);
  assert.deepEqual(part('type=volume,source=own'), ['bind', 'a/b']);
  assert.deepEqual(part('type=volume,source=i'), ['overlay', 'a/b']);
  assert.deepEqual(part('type=image,source=i'), ['bind', 'a/b']);
  assert.deepEqual(part('type=image,source=i,rw=true'), ['overlay', 'a/b']);
  const refusal = (words: string): string => refusals([['mount', `${words},target=/x,subpath=a/b`]], facts)[0] ?? '';
  assert.match(refusal('type=volume,source=new'), /subpath a\/b is not in the new volume new/);
  assert.match(refusal('type=volume,source=v,U'), /subpath goes with neither U nor O/);
  assert.deepEqual(plan([['mount', 'type=volume,source=own,target=/x,subpath=a/b']], facts).copyUps, []);
});

test('a source in another that the container may write is found below that one', () => {
  const sources = { '/srv/app': 'directory', '/srv/app/var/log': 'directory', '/srv/apps': 'directory' } as const;
  const facts = rootFacts({ sources, volumes: { 'volume:v': { path: '/srv', fresh: false } } });
  const log = (outer: string, options = 'U'): ReturnType<typeof plan> =>
    plan(
      [
        ['volume', `/srv/app/var/log:/logs:${options}`],
        ['volume', outer],
      ],
      facts,
    );
  const within = (made: ReturnType<typeof plan>): unknown[] => [
    made.spec.mounts?.find(one => one.destination === '/logs')?.within,
    made.chowns.find(one => one.path === '/srv/app/var/log')?.within,
  ];
  assert.deepEqual(within(log('/srv/app:/app')), ['/srv/app', '/srv/app']);
  assert.deepEqual(within(log('v:/app')), ['/srv', '/srv']);
  for (const outer of ['/srv/app:/app:ro', '/srv/app:/app:O', '/srv/apps:/apps', 'v:/app:ro'])
    assert.deepEqual(within(log(outer)), [undefined, undefined], outer);
  // Another runtime would be told a path; a part that is looked for below such a volume keeps both.
  const nested = [
    ['volume', '/srv/app/var/log:/logs'],
    ['volume', '/srv/app:/app'],
  ] as const;
  const other = makePlan({ request: { ...parse(nested), runtime: 'crun' }, facts, image: image() });
  assert.match(
    other.isErr() ? other.error.map(one => one.message).join() : '',
    /\/logs: another runtime would follow links that the container can make in \/srv\/app/,
  );
  const data = rootFacts({ sources, volumes: { 'volume:data': { path: '/srv/app/data', fresh: false } } });
  const both = plan(
    [
      ['volume', '/srv/app:/app'],
      ['mount', 'type=volume,source=data,target=/x,subpath=a/b'],
    ],
    data,
  );
  assert.deepEqual(
    mountOps(both.spec, '/bundle')
      .filter(one => one.name === 'bind-below')
      .map(one => one.fields.slice(0, 4)),
    [['/srv/app', 'data', 'a/b', '/x']],
  );
  assert.match(
    refusals(
      [
        ['volume', '/srv/app/var/log:/logs:O'],
        ['volume', '/srv/app:/app'],
      ],
      facts,
    )[0] ?? '',
    /no O of a part of \/srv\/app, which the container may change/,
  );
});

test('what a container mounts for itself has the words of a mount, or refuses them by name', () => {
  const volumes = {
    'volume:t': { path: '/t', fresh: false, tmpfs: ['size=1m', 'nosuid'] },
    'volume:i': { path: '', fresh: false, lower: ['/l'], writable: '/w' },
    'image:i': { path: '', fresh: false, lower: ['/l'] },
  } as const;
  const facts = accountFacts({ volumes });
  const words = (option: 'volume' | 'mount', value: string): string =>
    (plan([[option, value]], facts).spec.mounts?.find(one => one.destination === '/x')?.options ?? []).join(',');
  assert.equal(words('volume', 't:/x:noexec,suid'), 'size=1m,nosuid,noexec,suid,rw,rprivate,nodev');
  assert.equal(words('volume', 't:/x:ro,rslave'), 'size=1m,nosuid,ro,rslave,nodev');
  assert.match(words('volume', 'i:/x:noexec,slave'), /,workdir=\/w\/work,slave,nosuid,nodev,noexec,rw,userxattr$/);
  assert.match(words('volume', 'i:/x:suid'), /,nosuid,nodev,suid,rw,userxattr$/);
  assert.equal(words('mount', 'type=image,source=i,target=/x,noexec'), 'rprivate,nosuid,nodev,noexec,ro,bind');
  const refusal = (...mounts: string[]): string =>
    refusals(
      mounts.map(value => ['volume', value] as const),
      facts,
    )[0] ?? '';
  for (const word of ['U', 'O']) {
    assert.match(refusal(`t:/x:${word}`), new RegExp(`/x: ${word} does not go with an account's volume of type tmpfs`));
    assert.match(refusal(`i:/x:${word}`), new RegExp(`/x: ${word} does not go with what is mounted of an image`));
  }
  assert.match(refusal('t:/x:idmap'), /idmap does not go with/);
  assert.match(refusal('t:/x', 't:/y'), /t: an account's volume of type tmpfs can be mounted in one place/);
  assert.match(refusal('i:/x', 'i:/y'), /i: what is mounted of an image can be mounted in one place/);
  assert.match(
    refusals([['mount', 'type=volume,source=t,target=/x,subpath=a']], facts)[0] ?? '',
    /subpath a is not in a new tmpfs/,
  );
});
