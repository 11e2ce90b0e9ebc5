import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUN } from '../../../src/command/options-run.ts';
import { makePlan } from '../../../src/plan/plan.ts';
import { parseRunRequest } from '../../../src/plan/request-parse.ts';
import { specText } from '../../../src/plan/spec-text.ts';
import { command, reader } from './helpers.ts';
import { accountFacts, image, rootFacts } from './plan-helpers.ts';

/** A small generator with a seed, so that a failure can be seen again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
}

const PIECES = [
  '', ':', '::', ',', '=', '/', '/a', '/a/../..', '-', '-1', '0', '1', '65535', '65536', '4294967295', '99999999999999999999',
  '+', '@', '[', ']', '[::1]', '"', "'", '\\', '\0', '\n', '\x1b', '\xff', ' ', '\t', '.', '..', '*', '?', '#', ';', '%', '$',
  'a', 'ro', 'rw', 'U', 'Z', 'O', 'idmap', 'type', 'bind', 'tmpfs', 'volume', 'src', 'dst', 'size', 'mode', 'tcp', 'udp', 'host',
  'keep-id', 'auto', 'container', 'ns', 'uid', 'gid', 'u', 'g', 'k', 'm', 'TERM', 'RTMIN+', 'nofile', 'net.x', 'constructor',
  '__proto__', 'toString', 'mask', 'unmask', 'seccomp', 'label', 'true', 'false', '127.0.0.1', 'ff::', 'rbind', 'rshared',
]; // prettier-ignore

test('no value makes the parser or the plan throw, and every problem is one line of bytes', () => {
  const names = RUN.options.filter(row => row.refused === undefined).map(row => row.name);
  const next = random(20240601);
  const facts = [rootFacts({ seccompProfile: '{"defaultAction":"SCMP_ACT_ALLOW"}' }), accountFacts()];
  let planned = 0;
  for (let round = 0; round < 6000; round++) {
    const uses: [string, string][] = [];
    for (let i = next(3) + 1; i > 0; i--) {
      let value = '';
      for (let j = next(6); j >= 0; j--) value += PIECES[next(PIECES.length)] ?? '';
      uses.push([names[next(names.length)] ?? '', value]);
    }
    const request = parseRunRequest(command(uses), reader, 'c1');
    const result = request.andThen(value =>
      makePlan({ request: value, facts: facts[round % 2] ?? rootFacts(), image: image() }),
    );
    const seen = JSON.stringify(uses);
    if (result.isOk()) {
      planned++;
      JSON.parse(specText(result.value, '{}'));
    } else for (const { message } of result.error) assert.match(message, /^[\x20-\x7e\x80-\xff]+$/, seen);
  }
  assert.ok(planned > 200, `only ${planned} were good`);
});
