import assert from 'node:assert/strict';
import type { ImageConfig, ImageRecord } from '../../../src/image/types.ts';
import { makePlan } from '../../../src/plan/plan.ts';
import type { Plan, PlanFacts } from '../../../src/plan/types.ts';
import { parse } from './helpers.ts';

export const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/var/www:/bin/sh\nbad:x:4294967295:0::/:\n';
export const GROUP = 'root:x:0:\nadm:x:4:root\nwww:x:33:\naudio:x:29:www,other\nvideo:x:44:otherwww\n';

export function image(config: Partial<ImageConfig> = {}): ImageRecord {
  return {
    version: 1,
    id: 'a'.repeat(64),
    architecture: 'amd64',
    os: 'linux',
    created: '',
    layers: [],
    size: 0,
    config: {
      entrypoint: [],
      command: ['sh'],
      environment: [],
      user: '',
      workingDirectory: '',
      exposedPorts: [],
      volumes: [],
      stopSignal: '',
      labels: {},
      ...config,
    },
  };
}

const LIMITS = {
  nofile: { soft: 1024, hard: 524288 },
  nproc: { soft: 7000, hard: 7000 },
  core: { soft: 0, hard: 'unlimited' },
} as const;

export function rootFacts(more: Partial<PlanFacts> = {}): PlanFacts {
  return {
    uid: 0,
    gid: 0,
    userName: 'root',
    subUids: [],
    subGids: [],
    idMapHelpers: true,
    ourUidMap: [{ containerID: 0, hostID: 0, size: 4294967295 }],
    ourGidMap: [{ containerID: 0, hostID: 0, size: 4294967295 }],
    controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
    passwd: PASSWD,
    group: GROUP,
    layers: ['/store/l2/fs', '/store/l1/fs'],
    layer: '/store/containers/c1',
    bundle: '/run/berth/containers/c1',
    volumes: {},
    secrets: {},
    sources: {},
    devices: {},
    etcFiles: true,
    notifySocket: false,
    listen: { count: 0, names: '' },
    kernel: { major: 6, minor: 12 },
    architecture: 'amd64',
    selinux: false,
    apparmor: false,
    hostName: 'host',
    proxyEnvironment: [],
    limits: LIMITS,
    joins: {},
    ...more,
  };
}

export function accountFacts(more: Partial<PlanFacts> = {}): PlanFacts {
  return rootFacts({
    uid: 1000,
    gid: 1000,
    userName: 'alice',
    subUids: [{ start: 100000, count: 65536 }],
    subGids: [{ start: 100000, count: 65536 }],
    ourUidMap: [],
    ourGidMap: [],
    controllers: ['memory', 'pids'],
    ...more,
  });
}

type Options = readonly (readonly [string, string])[];

export function plan(
  options: Options,
  facts: PlanFacts = rootFacts(),
  config: Partial<ImageConfig> = {},
  operands?: string[],
): Plan {
  const request = parse(options, operands);
  const input = request.image === undefined ? { request, facts } : { request, facts, image: image(config) };
  const result = makePlan(input);
  if (result.isErr()) throw new Error(result.error.map(p => p.message).join('\n'));
  return result.value;
}

/** The messages of a plan that must fail. */
export function refusals(
  options: Options,
  facts: PlanFacts = rootFacts(),
  config: Partial<ImageConfig> = {},
  operands?: string[],
): string[] {
  const request = parse(options, operands);
  const input = request.image === undefined ? { request, facts } : { request, facts, image: image(config) };
  const result = makePlan(input);
  const found = result.isErr() ? result.error : [];
  // Messages leave us as byte strings.
  for (const p of found) assert.match(`${p.message}${p.hint ?? ''}`, /^[\x20-\x7e]*$/);
  return found.map(p => p.message);
}
