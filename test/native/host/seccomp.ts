import { CLONE, type Host } from '../../../src/host/host.ts';
import { encodeOps, op } from '../../../src/ops/encode.ts';
import { escapeProgram } from '../../../src/ops/process.ts';
import { writeIds } from './kernel.ts';
import { check, equal, fails, type Tests } from './harness.ts';

const ERRNO = {
  defaultAction: 'SCMP_ACT_ALLOW',
  architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
};

/** Output of a script under the filter; a text is a program as the operation takes it. */
function under(host: Host, profile: unknown, script: string): string {
  const program = typeof profile === 'string' ? profile : escapeProgram(host.compileSeccomp(JSON.stringify(profile)));
  const [read, write] = host.pipe();
  const stage = host.launch({
    namespaces: CLONE.NEWUSER | CLONE.NEWPID,
    sibling: false,
    ops: encodeOps([
      op('session'),
      op('sync', 'ready'),
      op('no-new-privileges'),
      op('seccomp', program, ''),
      op('exec', '/usr/bin:/bin', 'sh', '-c', script),
    ]),
    stdio: ['null', write, write],
    descriptors: [],
  });
  host.close(write);
  writeIds(host, stage);
  equal(host.receiveMessage(stage), { message: 'at ready', fds: [] });
  host.proceed(stage, 'ready');
  equal(host.outcome(stage), '');
  host.wait(stage);
  const out = host.readFile(`/proc/self/fd/${read}`);
  for (const fd of [read, stage.pidfd, stage.control, stage.status]) host.close(fd);
  return out;
}

function refused(host: Host, profile: unknown, key: string): void {
  const error = fails('EINVAL', () =>
    host.compileSeccomp(typeof profile === 'string' ? profile : JSON.stringify(profile)),
  );
  equal(error.path, key, error.message);
}

export const SECCOMP: Tests = {
  'a filter does what its text says': ({ host }) => {
    const rule = { names: ['uname', 'no_such_call'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 };
    const out = under(host, { ...ERRNO, syscalls: [rule] }, 'uname -r; echo after');
    check(out.includes('not implemented') && out.endsWith('after\n'), out);
  },
  'conditions on arguments': ({ host }) => {
    const args = [{ index: 1, value: 0o700, op: 'SCMP_CMP_EQ' }];
    const twice = [
      { index: 1, value: 0o710, op: 'SCMP_CMP_EQ' },
      { index: 1, value: 0o711, op: 'SCMP_CMP_EQ' },
    ];
    const action = 'SCMP_ACT_ERRNO';
    const syscalls = [
      { names: ['mkdir'], action, args },
      { names: ['mkdir'], action, args: twice },
    ];
    const script =
      'cd /tmp; for m in 700 710 711 750; do mkdir -m $m berth-$$-$m 2>/dev/null && echo $m; rmdir berth-$$-$m 2>/dev/null; done';
    // mkdir(1) makes the directory with the umask in force, so the argument is the mode itself.
    equal(under(host, { ...ERRNO, syscalls }, `umask 0; ${script}`), '750\n');
    const masked = [
      { names: ['mkdir'], action, args: [{ index: 1, value: 0o077, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }] },
    ];
    equal(under(host, { ...ERRNO, syscalls: masked }, `umask 0; ${script}`), '710\n711\n750\n');
  },
  'a rule that says what the default says is left out': ({ host }) => {
    const plain = host.compileSeccomp(JSON.stringify(ERRNO));
    equal(
      host.compileSeccomp(JSON.stringify({ ...ERRNO, syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }] })),
      plain,
    );
    check(plain.length > 0 && plain.length % 8 === 0, 'records of 8 bytes');
  },
  'numbers above 2^53': ({ host }) => {
    const text =
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["clone"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":18446744073709551615,"op":"SCMP_CMP_NE"}]}]}';
    check(host.compileSeccomp(text).length > 0, 'compiled');
  },
  'T9 what is not understood is an error': ({ host }) => {
    refused(host, 'no json', 'seccomp');
    refused(host, '[1', 'seccomp');
    refused(host, '3', 'seccomp');
    refused(host, {}, 'defaultAction');
    refused(host, { defaultAction: 'SCMP_ACT_WHATEVER' }, 'defaultAction');
    refused(host, { defaultAction: 'SCMP_ACT_NOTIFY' }, 'defaultAction');
    refused(host, { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 5000 }, 'defaultErrnoRet');
    refused(host, { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: -1 }, 'defaultErrnoRet');
    refused(host, { ...ERRNO, architectures: ['SCMP_ARCH_PDP11'] }, 'architectures');
    refused(host, { ...ERRNO, architectures: 'SCMP_ARCH_X86' }, 'architectures');
    const rule = (more: object): unknown => ({
      ...ERRNO,
      syscalls: [{ names: ['read'], action: 'SCMP_ACT_ERRNO', ...more }],
    });
    refused(host, rule({ action: 'x' }), 'action');
    refused(host, rule({ names: [] }), 'syscalls.names');
    refused(host, rule({ names: [3] }), 'syscalls.names');
    refused(host, rule({ names: 'read' }), 'syscalls.names');
    refused(host, rule({ args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }), 'args.index');
    refused(host, rule({ args: [{ index: 0, value: -1, op: 'SCMP_CMP_EQ' }] }), 'args.value');
    refused(host, rule({ args: [{ index: 0, value: 0, op: 'EQ' }] }), 'args.op');
    refused(host, rule({ args: Array(7).fill({ index: 0, value: 0, op: 'SCMP_CMP_EQ' }) }), 'args');
    refused(host, { ...ERRNO, syscalls: [3] }, 'syscalls');
  },
  'the default program is ready and confines': ({ host }) => {
    const program = host.defaultSeccomp(0);
    const length = program.replaceAll(/\x01[\x01\x02]/g, '.').length;
    check(length > 500 && length % 8 === 0 && !program.includes('\0'), `${length} bytes`);
    // personality(2) is allowed with a few values only; switching address randomisation off is none of them.
    equal(under(host, program, 'setarch -R echo loose 2>/dev/null || echo refused; echo after'), 'refused\nafter\n');
    equal(under(host, ERRNO, 'setarch -R echo loose'), 'loose\n');
  },
  'each set of capabilities has the program that is meant for it': ({ host }) => {
    const script = 'chroot / true 2>/dev/null && echo may || echo may not';
    if (host.euid === 0) equal(under(host, host.defaultSeccomp(0), script), 'may\n');
    equal(under(host, host.defaultSeccomp(1), script), 'may not\n');
    fails('ENOENT', () => host.defaultSeccomp(2));
  },
  'the built-in programs answer as those that the library makes of their profiles': ({ host }) => {
    for (const [number, name] of ['seccomp', 'seccomp-no-chroot'].entries()) {
      const text = host.readFile(`build/${name}.json`);
      const library = words(host.compileSeccomp(text));
      const ours = words(
        host.defaultSeccomp(number).replaceAll(/\x01([\x01\x02])/g, (_, c: string) => (c === '\x01' ? c : '\0')),
      );
      check(ours.length < library.length / 3, `${ours.length / 2} of ${library.length / 2} instructions`);
      const constants = library.filter((_, i) => i % 2 === 1);
      for (const architecture of [0xc000003e, 0x40000003, 0xc00000b7, 0]) {
        for (let call = 0; call < 600; call++) {
          for (const x32 of [0, 0x40000000]) {
            const value = (i: number): number => constants[(call * 31 + i * 7) % constants.length] ?? 0;
            const data = [call + x32, architecture, 0, 0, ...Array.from({ length: 6 }, (_, i) => [value(i), 0]).flat()];
            equal(answer(ours, data), answer(library, data), `call ${call + x32} of ${architecture.toString(16)}`);
          }
        }
      }
    }
  },
  'devices of a control group that is not there': ({ host, dir }) => {
    equal(fails('ENOENT', () => host.limitDevices(`${dir}/none`, '')).path, `${dir}/none`);
  },
};

/** Two numbers for an instruction (linux/filter.h): code, jt and jf in one, and k. */
function words(program: string): number[] {
  const byte = (i: number): number => program.charCodeAt(i);
  return Array.from(
    { length: program.length / 4 },
    (_, i) => (byte(4 * i) | (byte(4 * i + 1) << 8) | (byte(4 * i + 2) << 16) | (byte(4 * i + 3) << 24)) >>> 0,
  );
}

/** What the kernel answers to `struct seccomp_data`, as numbers of 32 bits. */
function answer(program: readonly number[], data: readonly number[]): number {
  let value = 0;
  for (let at = 0; at < program.length; at += 2) {
    const head = program[at] ?? 0;
    const k = program[at + 1] ?? 0;
    const jump = (taken: boolean): number => 2 * ((head >>> (taken ? 16 : 24)) & 0xff);
    switch (head & 0xffff) {
      case 0x20: value = data[k / 4] ?? 0; break; // prettier-ignore
      case 0x54: value = (value & k) >>> 0; break; // prettier-ignore
      case 0x05: at += 2 * k; break; // prettier-ignore
      case 0x15: at += jump(value === k); break; // prettier-ignore
      case 0x25: at += jump(value > k); break; // prettier-ignore
      case 0x35: at += jump(value >= k); break; // prettier-ignore
      case 0x45: at += jump((value & k) !== 0); break; // prettier-ignore
      case 0x06:
        return k;
      default:
        throw new RangeError(`instruction ${head.toString(16)}`);
    }
  }
  throw new RangeError('the program does not end');
}
