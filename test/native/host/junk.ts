import { HostError } from '../../../src/host/host.ts';
import { check, type Tests } from './harness.ts';

const JUNK: readonly unknown[] = [
  undefined,
  null,
  {},
  [],
  true,
  (): number => 0,
  'above \u1234',
  [{}],
  { pidfd: {} },
  1n,
  NaN,
];

/** Reproducible numbers from 0 to n-1. */
function generator(seed: number): (n: number) => number {
  let state = seed;
  return n => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const PROFILE = JSON.stringify({
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 38,
  architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  syscalls: [
    { names: ['read', 'write', 'nosuch'], action: 'SCMP_ACT_ALLOW' },
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: 2114060288, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    { names: ['socket'], action: 'SCMP_ACT_ERRNO', errnoRet: 22, args: [{ index: 0, value: 16, op: 'SCMP_CMP_EQ' }] },
  ],
});

export const JUNK_TESTS: Tests = {
  'junk as arguments is refused by every call': ({ host }) => {
    const raw = Object.getPrototypeOf(host) as Record<string, unknown>;
    const names = Object.getOwnPropertyNames(raw).filter(name => typeof raw[name] === 'function');
    check(names.length > 60, `${names.length} calls`);
    const random = generator(1);
    for (const name of names) {
      // Two end the process or change its errors; the third has no arguments and makes a second process.
      if (name === 'finish' || name === 'onError' || name === 'split') continue;
      for (let round = 0; round < 60; round++) {
        const args = Array.from({ length: random(5) }, () => JUNK[random(JUNK.length)]);
        try {
          (raw[name] as (...args: unknown[]) => unknown)(...args);
        } catch (error) {
          const known = error instanceof HostError || error instanceof TypeError || error instanceof RangeError;
          check(known, `${name}: ${String(error)}`);
        }
      }
    }
  },
  'T22 mutated seccomp profiles are compiled or refused': ({ host }) => {
    const random = generator(2);
    let compiled = 0;
    for (let round = 0; round < 1500; round++) {
      let text = PROFILE;
      for (let n = random(4); n >= 0; n--) {
        const at = random(text.length);
        const length = random(3) === 0 ? random(60) : random(3);
        const inserted =
          ['', '0', '"', '9999999999', '-1', ',', '[]', '{}', 'SCMP_', '\\u0000', '\xff'][random(11)] ?? '';
        text = text.slice(0, at) + inserted + text.slice(at + length);
      }
      try {
        check(host.compileSeccomp(text).length % 8 === 0, 'whole records');
        compiled++;
      } catch (error) {
        check(error instanceof HostError, String(error));
      }
    }
    check(compiled > 20 && compiled < 1400, `${compiled} were compiled`);
  },
};
