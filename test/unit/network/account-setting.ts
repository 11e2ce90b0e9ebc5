import { setting } from './setting.ts';

export const DIRECTORY = '/run/berth/users/1000';
export const FULL = [
  { containerID: 0, hostID: 1000, size: 1 },
  { containerID: 1, hostID: 100000, size: 65536 },
];
export const RECORD = { version: 1, pid: 500, startTime: '12345', uidMap: FULL, gidMap: FULL };

/** An account whose namespace is held by process 500. */
export function account(more: Parameters<typeof setting>[0] = {}) {
  const one = setting({
    ...more,
    files: {
      [`${DIRECTORY}/networks/netns.json`]: JSON.stringify(RECORD),
      '/store/networks/blue.json': JSON.stringify({
        name: 'blue',
        id: 'ab'.repeat(32),
        driver: 'bridge',
        network_interface: 'berth1',
        created: '',
        subnets: [{ subnet: '10.91.0.0/24', gateway: '10.91.0.1' }],
        ipv6_enabled: false,
        internal: false,
        dns_enabled: true,
        ipam_options: { driver: 'host-local' },
      }),
      '/proc/self/cgroup': '0::/user.slice/session-1.scope\n',
      ...more.files,
    },
  });
  one.host.mkdirs(DIRECTORY, 0o700);
  one.host.chown(DIRECTORY, 1000, 1000);
  return Object.assign(one, { open: Object.assign(one.host, { open: () => 44 }) });
}
