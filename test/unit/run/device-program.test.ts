import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceProgram, type DeviceRule } from '../../../src/run/device-program.ts';

const MAKE = 1;
const READ = 2;
const WRITE = 4;

/** Runs the program as the kernel does for a device that is made or opened; the instructions that are used, and no others. */
function allows(rules: readonly DeviceRule[], type: 'b' | 'c', access: number, major: number, minor: number): boolean {
  const text = deviceProgram(rules) ?? assert.fail('no program');
  const program = Uint8Array.from(text, character => character.charCodeAt(0));
  const view = new DataView(program.buffer);
  const context = [(access << 16) | (type === 'b' ? 1 : 2), major, minor];
  const r: number[] = Array<number>(11).fill(0);
  for (let at = 0; at < program.length; at += 8) {
    const to = (program[at + 1] ?? 0) & 15;
    const from = (program[at + 1] ?? 0) >> 4;
    const offset = view.getInt16(at + 2, true);
    const value = view.getInt32(at + 4, true);
    const target = r[to] ?? 0;
    switch (program[at]) {
      case 0x61:
        r[to] = context[offset / 4] ?? assert.fail(`context at ${offset}`);
        break;
      case 0xbf:
        r[to] = r[from] ?? 0;
        break;
      case 0xb7:
        r[to] = value;
        break;
      case 0x54:
        r[to] = target & value;
        break;
      case 0x74:
        r[to] = target >>> value;
        break;
      case 0x55:
        at += target === value ? 0 : 8 * offset;
        break;
      case 0x15:
        at += target === value ? 8 * offset : 0;
        break;
      case 0x95:
        return r[0] === 1;
      default:
        assert.fail(`instruction ${program[at]}`);
    }
  }
  return assert.fail('the program runs over its end');
}

const NONE: DeviceRule = { allow: false, access: 'rwm' };

test('without a rule of its own a container has the usual devices, and may make what it cannot open', () => {
  for (const minor of [3, 5, 7, 8, 9]) assert.equal(allows([NONE], 'c', READ | WRITE, 1, minor), true, `1:${minor}`);
  assert.equal(allows([NONE], 'c', READ, 136, 12), true);
  assert.equal(allows([NONE], 'c', READ, 1, 1), false);
  assert.equal(allows([NONE], 'b', READ, 8, 0), false);
  assert.equal(allows([NONE], 'b', MAKE, 8, 0), true);
  assert.equal(allows([NONE], 'b', MAKE | READ, 8, 0), false);
  assert.equal(allows([], 'c', READ, 10, 229), false);
});

test('an allowing rule covers what it names and no more', () => {
  const rules: DeviceRule[] = [NONE, { allow: true, type: 'b', major: 8, minor: 1, access: 'r' }];
  assert.equal(allows(rules, 'b', READ, 8, 1), true);
  assert.equal(allows(rules, 'b', WRITE, 8, 1), false);
  assert.equal(allows(rules, 'b', READ | WRITE, 8, 1), false);
  assert.equal(allows(rules, 'b', READ, 8, 2), false);
  assert.equal(allows(rules, 'b', READ, 9, 1), false);
  assert.equal(allows(rules, 'c', READ, 8, 1), false);
  assert.equal(allows([NONE, { allow: true, type: 'a', major: 300, access: 'rw' }], 'b', READ, 300, 70000), true);
});

test('the last rule that fits counts', () => {
  const rules: DeviceRule[] = [
    { allow: true, type: 'a', major: -1, minor: -1, access: 'rwm' },
    { allow: false, type: 'b', major: 8, access: 'w' },
    { allow: true, type: 'b', major: 8, minor: 3, access: 'rwm' },
  ];
  assert.equal(allows(rules, 'b', READ, 8, 1), true);
  assert.equal(allows(rules, 'b', READ | WRITE, 8, 1), false);
  assert.equal(allows(rules, 'b', READ | WRITE, 8, 3), true);
  assert.equal(allows(rules, 'c', READ | WRITE, 8, 1), true);
});

test('rules that allow everything need no program', () => {
  assert.equal(deviceProgram([{ allow: true, access: 'rwm' }]), undefined);
  assert.equal(deviceProgram([NONE, { allow: true }]), undefined);
  assert.equal(
    deviceProgram([{ allow: true }, { allow: true, type: 'c', major: 1, minor: 3, access: 'rw' }]),
    undefined,
  );
  assert.notEqual(deviceProgram([{ allow: true }, NONE]), undefined);
});
