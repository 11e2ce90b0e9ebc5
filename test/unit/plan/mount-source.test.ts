import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan, refusals, rootFacts } from './plan-helpers.ts';

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
