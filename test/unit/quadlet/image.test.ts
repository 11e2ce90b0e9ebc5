import assert from 'node:assert/strict';
import test from 'node:test';
import { translate, valuesOf } from './translate-helpers.ts';

function heard(name: string, text: string): string[] {
  return valuesOf(translate({ [name]: text }).get(name)?.text ?? '', 'Service', 'NotifyAccess');
}

test('systemd listens to the pull of an .image unit, unless its file says otherwise', () => {
  const image = '[Image]\nImage=localhost/app:1\n';
  assert.deepEqual(heard('app.image', image), ['main']);
  assert.deepEqual(heard('app.image', `${image}[Service]\nNotifyAccess=none\n`), ['none']);
  assert.deepEqual(heard('app.artifact', '[Artifact]\nArtifact=localhost/app:1\n'), []);
});
