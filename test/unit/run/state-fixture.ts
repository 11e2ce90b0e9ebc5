import type { ContainerState } from '../../../src/run/state.ts';

/** A state as a start writes it; `changes` replaces fields. */
export function aState(changes: Partial<ContainerState> = {}): ContainerState {
  return {
    version: 1,
    name: 'web',
    id: 'ab'.repeat(32),
    pid: 77,
    startTime: '1000',
    unit: 'web.service',
    manager: 'system',
    cgroup: '',
    image: 'localhost/busybox',
    imageId: 'cd'.repeat(32),
    command: ['sleep', 'inf'],
    created: 1_699_999_000,
    stopSignal: 15,
    stopTimeout: 10,
    layer: '/store/containers/web',
    remove: true,
    uidMap: [],
    gidMap: [],
    anonymousVolumes: [],
    ports: [],
    labels: {},
    logDriver: 'journald',
    runtime: '',
    network: { kind: 'none' },
    ...changes,
  };
}
