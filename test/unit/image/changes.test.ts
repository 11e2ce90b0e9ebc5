import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOfChanges } from '../../../src/image/changes.ts';

test('instructions become a configuration', () => {
  assert.deepEqual(
    configOfChanges([
      'CMD ["httpd", "-f"]',
      'ENTRYPOINT /bin/run me',
      'ENV A=1 B="two words"',
      'env C three words',
      'EXPOSE 80 53/udp',
      'LABEL x=y',
      "LABEL z='a b'",
      'STOPSIGNAL SIGINT',
      'USER 33',
      'VOLUME /a /b',
      'WORKDIR /srv',
      'WORKDIR www',
    ]),
    {
      Cmd: ['httpd', '-f'],
      Entrypoint: ['/bin/sh', '-c', '/bin/run me'],
      Env: ['A=1', 'B=two words', 'C=three words'],
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Labels: { x: 'y', z: 'a b' },
      StopSignal: 'SIGINT',
      User: '33',
      Volumes: { '/a': {}, '/b': {} },
      WorkingDir: '/srv/www',
    },
  );
});

test('podman also takes an equals sign, and a later variable replaces an earlier one', () => {
  assert.deepEqual(configOfChanges(['CMD=/bin/sh', 'ENV=A=1', 'ENV A=2']), {
    Cmd: ['/bin/sh', '-c', '/bin/sh'],
    Env: ['A=2'],
  });
});

test('what is no instruction is named', () => {
  for (const change of ['RUN ls', 'CMD', '', 'EXPOSE x', 'VOLUME data', 'WORKDIR srv', 'ENV A', 'ENV A=1 B']) {
    assert.throws(() => configOfChanges([change]), /^ImageError: --change/, change);
  }
});
