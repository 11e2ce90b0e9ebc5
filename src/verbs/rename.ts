import { closeSync, constants, openSync } from 'node:fs';
import { RENAME } from '../command/options-seeing.ts';
import type { Host } from '../host/host.ts';
import { isStill } from '../host/node-lock.ts';
import { runLayer } from '../image/archive/program.ts';
import { storeDirectory } from '../image/store.ts';
import { findContainer, isAlive, isName, requireContainer, writeState, type Container } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { layerPath } from '../run/layer.ts';
import { lockPath } from '../run/locks.ts';
import type { ContainerState } from '../run/state.ts';
import { commandLine } from './command-line.ts';
import { tellOf } from './tell.ts';

/**
 * `berth rename`: another name for a container that does not run. One that runs has its name in its unit, its directories and its network;
 * that of a unit file has it from there.
 */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, RENAME);
  if (typeof command === 'number') return command;
  const [word = '', name = ''] = command.operands;
  if (!isName(name))
    throw new Failure(125, `${name}: not a name; names match [a-zA-Z0-9][a-zA-Z0-9_.-]* and have at most 255 bytes`);
  const store = storeDirectory(host);
  const { name: old } = requireContainer(host, word);
  await withNames(host, store, [old, name], () => {
    const container = requireContainer(host, old);
    refuseWhere(host, container, name);
    if (host.lstat(layerPath(store, name)) !== undefined || findContainer(host, name) !== undefined)
      throw new Failure(125, `${name}: there is a container of this name`);
    move(host, store, container, name);
    tellOf(host, 'rename', { ...container.state, name }, `was ${old}`, { BERTH_OLD_NAME: old });
  });
  return 0;
}

type Known = Container & { readonly state: ContainerState };

function refuseWhere(host: Host, { state }: Known, name: string): void {
  const unit = state.unit;
  if (unit !== '' && !isTransient(host, state))
    throw new Failure(
      125,
      `${state.name}: has its name from ${unit}; write ContainerName=${name} into its file (systemctl cat ${unit}) and start it again`,
    );
  if (isAlive(host, state))
    throw new Failure(125, `${state.name}: runs, and its unit ${unit} has its name; stop it first`);
  if (state.pod !== undefined) throw new Failure(125, `${state.name}: belongs to the pod ${state.pod}; make it again`);
}

/** A person's container is a unit that systemd has only in memory, and forgets at its end. */
function isTransient(host: Host, { unit, manager }: ContainerState): boolean {
  const user = manager === 'user' ? ['--user'] : [];
  const argv = ['systemctl', ...user, 'show', '--property=Transient,LoadState', unit];
  const { stdout } = host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
  return stdout.includes('Transient=yes') || !stdout.includes('LoadState=loaded');
}

/** The state comes last: until then the old name is found, and what was moved is looked for in vain but not lost. */
function move(host: Host, store: string, { bundle, state }: Known, name: string): void {
  const to = `${bundle.slice(0, bundle.lastIndexOf('/'))}/${name}`;
  const layer = state.layer === '' ? '' : layerPath(store, name);
  if (host.lstat(layerPath(store, state.name)) !== undefined)
    host.rename(layerPath(store, state.name), layerPath(store, name));
  host.rename(bundle, to);
  const spec = host.readFileIfExists(`${to}/config.json`);
  if (spec !== undefined) {
    const moved = spec.replaceAll(`${bundle}/`, `${to}/`);
    const text = state.layer === '' ? moved : moved.replaceAll(`${state.layer}/`, `${layer}/`);
    host.writeFileAtomic(`${to}/config.json`, text, 0o600);
  }
  const old = layerPath(store, state.name);
  const logPath = state.logPath?.startsWith(`${old}/`)
    ? layerPath(store, name) + state.logPath.slice(old.length)
    : state.logPath;
  writeState(host, to, { ...state, name, layer, ...(logPath === undefined ? {} : { logPath }) });
}

/** Under both names' locks, always in the same order. Node has no flock(2): the native program locks files of ours. */
async function withNames(host: Host, store: string, names: readonly string[], body: () => void): Promise<void> {
  host.mkdirs(`${store}/locks`, 0o700);
  const paths = [...new Set(names)].sort().map(name => lockPath(store, name));
  const open = (path: string): number =>
    openSync(Buffer.from(path, 'latin1'), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  let files: number[] = [];
  try {
    do {
      for (const file of files.splice(0)) closeSync(file);
      files = paths.map(open);
      await runLayer(['lock', `count=${files.length}`, 'wait=1'], { pass: files });
    } while (!paths.every((path, index) => isStill(files[index] ?? -1, path)));
    try {
      body();
    } finally {
      for (const name of names)
        if (host.lstat(layerPath(store, name)) === undefined) host.unlink(lockPath(store, name));
    }
  } finally {
    for (const file of files) closeSync(file);
  }
}
