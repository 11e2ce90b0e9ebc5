import { HostError, type Host, type LaunchRequest, type Stdio } from '../host/host.ts';
import { capabilitiesOf } from '../ops/exec.ts';
import { encodeOps, op } from '../ops/encode.ts';
import { NAMESPACE_BITS } from '../ops/tables.ts';
import type { Op } from '../ops/ops.ts';
import type { SpecProcess } from '../plan/spec.ts';
import { consoleWords, runtimeOps } from './foreign.ts';
import { consolePath, listenForConsole, takeConsole } from './foreign-terminal.ts';
import { finishJoin, type Joined } from './join.ts';
import type { ContainerState } from './state.ts';

export interface ForeignExec {
  readonly state: ContainerState;
  readonly bundle: string;
  /** What is to run, with ids of the container. */
  readonly process: SpecProcess;
  /** pidfd of the unit's main process, which waits for the other runtime. */
  readonly payload: number;
  readonly group: string;
  readonly stdio: readonly [Stdio, Stdio, Stdio];
  readonly tty: boolean;
  readonly detach: boolean;
  readonly attach?: (pid: number) => void;
}

interface ForeignJoined extends Joined {
  readonly directory: string;
  /** It failed, and its error went to a terminal that nobody reads. */
  readonly unread: boolean;
}

/**
 * A further process in a container of another OCI runtime, by that runtime's own `exec`: it runs where its `run` does, in the user and
 * mount namespaces that our stage has made, and knows the container from the state that it keeps in the bundle. The process crosses as a
 * file in the bundle, so that no value becomes a word of a command line; the caller removes its directory, where the errors are, too, when
 * the stage has ended.
 */
export function joinForeign(host: Host, request: ForeignExec): ForeignJoined {
  const { state, bundle, process } = request;
  awaitState(host, bundle, state.name);
  const directory = `${bundle}/exec-${host.random(8)}`;
  const file = `${directory}/process.json`;
  const console = request.tty ? consolePath(state.runtime, directory) : '';
  const detach = request.detach ? ['--detach'] : [];
  const words = ['exec', ...detach, ...consoleWords(console), '--process', file, state.name];
  const capabilities = capabilitiesOf(process, process.user.uid);
  host.mkdir(directory, 0o700);
  host.writeFile(file, JSON.stringify({ ...process, capabilities }), 0o600);
  try {
    const listener = console === '' ? undefined : listenForConsole(host, directory);
    const launch: LaunchRequest = {
      namespaces: 0,
      sibling: false,
      ops: encodeOps(execOps(request, directory, words)),
      stdio: streamsOf(request, console),
      descriptors: [request.payload],
      ...(request.attach !== undefined || request.group === '' ? {} : { cgroup: request.group }),
    };
    const joined = finishJoin(host, host.launch(launch), request.attach);
    const failed = joined.outcome !== '';
    if (listener === undefined || failed) return { ...joined, directory, unread: listener !== undefined && failed };
    return { ...joined, directory, unread: false, terminal: takeConsole(host, listener) };
  } catch (error) {
    host.removeTree(directory);
    throw error;
  }
}

/** runc relays its terminal to ours itself; of a terminal that comes to us there is nothing to read here, but errors. */
function streamsOf({ tty, stdio }: ForeignExec, console: string): ForeignExec['stdio'] {
  if (!tty) return stdio;
  return console === '' ? ['inherit', 'inherit', 'inherit'] : ['null', 'inherit', 'inherit'];
}

const LONGEST_MS = 5_000;
const STEP_MS = 10;

/** Before it counts as started a container can be found by others; a moment later the other runtime has the container. */
function awaitState(host: Host, bundle: string, name: string): void {
  for (let waited = 0; waited < LONGEST_MS && !isKnown(host, bundle, name); waited += STEP_MS) host.poll([], STEP_MS);
}

/** crun keeps `status`, runc `state.json`. Where the container's root is another id than ours that is closed to us: then the file for others counts. */
function isKnown(host: Host, bundle: string, name: string): boolean {
  const directory = `${bundle}/runtime/${name}`;
  try {
    return (host.stat(`${directory}/status`) ?? host.stat(`${directory}/state.json`)) !== undefined;
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== 'EACCES') throw error;
    return host.stat(`${bundle}/runtime.pid`) !== undefined;
  }
}

function execOps({ state, bundle, attach }: ForeignExec, directory: string, words: readonly string[]): Op[] {
  const user = state.uidMap.length > 0;
  const bits = NAMESPACE_BITS.mount | (user ? NAMESPACE_BITS.user : 0);
  return [
    ...(attach === undefined ? [] : [op('sync', 'created')]),
    op('setns', 0, (bits >>> 0).toString(16)),
    ...(user ? [op('become-root')] : []),
    op('sync', 'ready'),
    ...runtimeOps(bundle, state.runtime, words, directory),
  ];
}
