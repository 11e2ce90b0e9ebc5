import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

export const PEERS = ['berth', 'podman'] as const;
export type Peer = (typeof PEERS)[number];

const GENERATORS: Readonly<Record<Peer, string>> = {
  berth: '/usr/lib/systemd/user-generators/berth-user-generator',
  podman: '/usr/libexec/podman/quadlet',
};

/** Runs a command to its end; throws unless it succeeds. */
export function run(...argv: readonly string[]): string {
  const result = spawnSync(argv[0] ?? '', argv.slice(1), { encoding: 'utf8' });
  if (result.status !== 0)
    throw new Error(`${argv.join(' ')}: ended with ${String(result.status)}: ${result.stderr || result.stdout}`);
  return result.stdout;
}

/**
 * Translates unit files by both generators for the account's manager. `@` in names and texts becomes the peer's name, so that the units are
 * beside each other.
 */
export function install(files: (peer: Peer) => Readonly<Record<string, string>>): void {
  const home = process.env['HOME'] ?? '';
  const target = `${home}/.config/systemd/user`;
  mkdirSync(target, { recursive: true });
  for (const peer of PEERS) {
    const source = `${home}/bench-units-${peer}`;
    rmSync(source, { recursive: true, force: true });
    mkdirSync(`${source}/out`, { recursive: true });
    for (const [name, text] of Object.entries(files(peer)))
      writeFileSync(`${source}/${name.replaceAll('@', peer)}`, text.replaceAll('@', peer));
    const words = ['--user', '--no-kmsg-log', `${source}/out`, `${source}/out`, `${source}/out`];
    run('env', `QUADLET_UNIT_DIRS=${source}`, GENERATORS[peer], ...words);
    for (const name of readdirSync(`${source}/out`).filter(file => file.endsWith('.service')))
      writeFileSync(`${target}/${name}`, readFileSync(`${source}/out/${name}`));
  }
  run('systemctl', '--user', 'daemon-reload');
}
