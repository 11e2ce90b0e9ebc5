import { OCI_VERBS } from '../command/options-oci.ts';
import { allValues, isSet, lastValue } from '../command/read.ts';
import type { Command, VerbRow } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { readSignal } from '../plan/parse-values.ts';
import { runtimeDirectory } from '../run/directories.ts';
import { Failure } from '../run/failure.ts';
import { ociCreate, type OciCreateRequest } from '../run/oci-create.ts';
import { ociExec } from '../run/oci-exec.ts';
import { ociDelete, ociKill, ociStart, ociState } from '../run/oci-manage.ts';
import { ociRun } from '../run/oci-run.ts';
import { commandLine, printable } from './command-line.ts';
import { atEdge } from './edge.ts';
import { PARTS } from './parts.ts';

/**
 * `berth oci [OPTIONS] ACTION …`: the command line of the OCI runtimes, so that podman and the CRI tools can use Berth as theirs
 * (https://github.com/opencontainers/runtime-tools/blob/master/docs/command-line-interface.md).
 */
export function main(host: Host): number {
  return atEdge(host, () => {
    const { row, argv } = actionFirst(host.argv);
    const command = commandLine(withArgv(host, argv), row, 1);
    if (typeof command === 'number') return command;
    try {
      return act(host, row, command);
    } catch (error) {
      writeLog(host, command, error);
      throw error;
    }
  });
}

/** `oci --root R create ID` → `oci create --root R ID`: the rows hold the common options, too. */
function actionFirst(argv: readonly string[]): { row: VerbRow; argv: string[] } {
  const verb = argv.indexOf('oci');
  let at = verb + 1;
  for (let word = argv[at]; word?.startsWith('-'); word = argv[at]) {
    at += TAKES_VALUE.has(word) ? 2 : 1;
  }
  const action = argv[at];
  const row = OCI_VERBS.find(one => one.name === `oci ${action ?? ''}`);
  if (row === undefined) {
    const known = OCI_VERBS.map(one => one.name.slice(4)).join(', ');
    const what = action === undefined ? 'oci: the action is missing' : `oci ${printable(action)}: not an action`;
    throw new Failure(1, `${what}; there are ${known}`);
  }
  const common = argv.slice(verb + 1, at);
  return { row, argv: [...argv.slice(0, verb + 1), action ?? '', ...common, ...argv.slice(at + 1)] };
}

const TAKES_VALUE = new Set(['--root', '--log', '--log-format', '--rootless']);

function withArgv(host: Host, argv: readonly string[]): Host {
  return Object.setPrototypeOf({ argv }, host) as Host;
}

function act(host: Host, row: VerbRow, command: Command): number {
  const root = lastValue(command, 'root') ?? `${runtimeDirectory(host)}/oci`;
  const [id = '', ...words] = command.operands;
  switch (row.name) {
    case 'oci create':
      ociCreate(host, PARTS, createRequest(host, command, root, id));
      return 0;
    case 'oci run':
      return ociRun(host, PARTS, createRequest(host, command, root, id), {
        detach: isSet(command, 'detach'),
        keep: isSet(command, 'keep'),
      });
    case 'oci start':
      ociStart(host, root, id);
      return 0;
    case 'oci state':
      host.write(1, `${ociState(host, root, id)}\n`);
      return 0;
    case 'oci kill':
      ociKill(host, root, id, signalOf(words[0] ?? 'TERM'), isSet(command, 'all'));
      return 0;
    case 'oci delete':
      ociDelete(host, root, id, isSet(command, 'force'));
      return 0;
    default:
      return ociExec(host, root, id, {
        process: lastValue(command, 'process'),
        command: words,
        consoleSocket: lastValue(command, 'console-socket'),
        pidFile: lastValue(command, 'pid-file'),
        cwd: lastValue(command, 'cwd'),
        environment: allValues(command, 'env'),
        user: lastValue(command, 'user'),
        tty: isSet(command, 'tty'),
        detach: isSet(command, 'detach'),
        noNewPrivileges: isSet(command, 'no-new-privs'),
      });
  }
}

function createRequest(host: Host, command: Command, root: string, id: string): OciCreateRequest {
  const bundle = lastValue(command, 'bundle') ?? host.cwd();
  return {
    root,
    id,
    bundle: bundle.startsWith('/') ? bundle : `${host.cwd()}/${bundle}`,
    pidFile: lastValue(command, 'pid-file'),
    consoleSocket: lastValue(command, 'console-socket'),
    preserveFds: Number(lastValue(command, 'preserve-fds') ?? '0'),
    systemdCgroup: isSet(command, 'systemd-cgroup'),
    noNewKeyring: isSet(command, 'no-new-keyring'),
  };
}

function signalOf(word: string): number {
  const signal = readSignal(word);
  if (signal === undefined) throw new Failure(1, `${word}: not a signal`);
  return signal;
}

/** The caller reads the error from --log rather than from standard error; the form of one line is logrus's. */
function writeLog(host: Host, command: Command, error: unknown): void {
  const path = lastValue(command, 'log');
  if (path === undefined || path === '' || path === '/dev/stderr' || !(error instanceof Error)) return;
  const time = new Date(host.now() * 1000).toISOString();
  const line =
    lastValue(command, 'log-format') === 'json'
      ? JSON.stringify({ msg: error.message, level: 'error', time })
      : `time="${time}" level=error msg=${JSON.stringify(error.message)}`;
  const before = host.readFileIfExists(path) ?? '';
  host.writeFile(path, `${before}${line}\n`, 0o600);
}
