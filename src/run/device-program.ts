import type { Bytes } from '../host/host.ts';
import type { SpecResources } from '../plan/spec.ts';

export type DeviceRule = NonNullable<SpecResources['devices']>[number];

/** Of struct bpf_cgroup_dev_ctx in linux/bpf.h. */
const TYPES: Readonly<Record<string, number>> = { b: 1, c: 2 };
const ACCESS: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
const ALL = 7;

const node = (major: number, minor?: number): DeviceRule =>
  minor === undefined
    ? { allow: true, type: 'c', major, access: 'rwm' }
    : { allow: true, type: 'c', major, minor, access: 'rwm' };

/**
 * What every container may use, as in Podman with crun: the nodes of /dev (OCI config-linux.md, "Default Devices"), terminals and tun. Any
 * node may be made, but not opened.
 */
const DEFAULTS: readonly DeviceRule[] = [
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[3, 5, 7, 8, 9].map(minor => node(1, minor)),
  ...[0, 1, 2].map(minor => node(5, minor)),
  node(136),
  node(10, 200),
];

/**
 * The program (struct bpf_insn records) that keeps the processes of a control group to these rules of config.json, the last that fits first;
 * undefined when they allow everything.
 */
export function deviceProgram(rules: readonly DeviceRule[]): Bytes | undefined {
  const everything = rules.findLastIndex(isEverything);
  if (everything >= 0 && everything === rules.length - 1 && rules[everything]?.allow === true) return undefined;
  const last = rules[everything]?.allow ?? false;
  const listed = [...(last ? [] : DEFAULTS), ...rules.slice(everything + 1)];
  if (last && listed.every(rule => rule.allow)) return undefined;
  return HEAD + listed.reverse().map(blockOf).join('') + answer(last);
}

function isEverything(rule: DeviceRule): boolean {
  return isAnyType(rule) && isAny(rule.major) && isAny(rule.minor) && maskOf(rule) === ALL;
}

function isAnyType({ type }: DeviceRule): boolean {
  return type === undefined || type === 'a';
}

function isAny(number: number | undefined): boolean {
  return number === undefined || number < 0;
}

function maskOf({ access }: DeviceRule): number {
  if (access === undefined || access === '') return ALL;
  return [...access].reduce((mask, letter) => mask | (ACCESS[letter] ?? 0), 0);
}

/** Registers: r2 the type, r3 what is wanted, r4 major, r5 minor, r6 scratch; r1 is the context. */
const HEAD =
  code(0x61, 2, 1, 0) + // r2 = ctx->access_type
  code(0xbf, 3, 2) + // r3 = r2
  code(0x54, 2, 0, 0, 0xffff) + // r2 &= 0xffff
  code(0x74, 3, 0, 0, 16) + // r3 >>= 16
  code(0x61, 4, 1, 4) + // r4 = ctx->major
  code(0x61, 5, 1, 8); // r5 = ctx->minor

/** Steps that leave for the next block where the rule does not fit, then the answer. */
function blockOf(rule: DeviceRule): Bytes {
  const mask = maskOf(rule);
  const steps: { text: Bytes; jump: number; value: number; register: number }[] = [];
  const differs = (register: number, value: number): void => void steps.push({ text: '', jump: 0x55, register, value });
  if (!isAnyType(rule)) differs(2, TYPES[rule.type ?? ''] ?? 0);
  // An allowing rule must cover all that is wanted, a forbidding one fits when it names any of it.
  if (mask !== ALL) {
    const text = code(0xbf, 6, 3) + code(0x54, 6, 0, 0, rule.allow ? ALL & ~mask : mask);
    steps.push({ text, jump: rule.allow ? 0x55 : 0x15, register: 6, value: 0 });
  }
  if (!isAny(rule.major)) differs(4, rule.major ?? 0);
  if (!isAny(rule.minor)) differs(5, rule.minor ?? 0);
  let block = answer(rule.allow);
  for (const { text, jump, register, value } of steps.reverse()) {
    block = text + code(jump, register, 0, block.length / 8, value) + block;
  }
  return block;
}

function answer(allow: boolean): Bytes {
  return code(0xb7, 0, 0, 0, allow ? 1 : 0) + code(0x95);
}

/** One instruction: opcode, registers, offset (16 bits), value (32 bits). */
function code(operation: number, to = 0, from = 0, offset = 0, value = 0): Bytes {
  return String.fromCharCode(
    operation,
    to | (from << 4),
    offset & 255,
    (offset >> 8) & 255,
    value & 255,
    (value >> 8) & 255,
    (value >> 16) & 255,
    (value >> 24) & 255,
  );
}
