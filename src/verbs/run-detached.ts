import { RUN } from '../command/options-run.ts';
import { render } from '../command/render.ts';
import type { Command, OptionUse } from '../command/types.ts';
import { HostError, type Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import { writeWay, type Way } from '../run/again.ts';
import { findNamed } from '../run/containers.ts';
import type { Context } from '../run/context.ts';
import { endUnit, loadedUnit } from '../run/ending.ts';
import { layerPath } from '../run/layer.ts';
import { lockName } from '../run/locks.ts';
import { expectedPlace, namespaceUnits } from '../run/place.ts';
import { prepare } from '../run/prepare.ts';
import { Failure } from '../run/failure.ts';
import { stopForReplace } from '../run/recover.ts';
import { startContainer } from '../run/start.ts';
import { requirement, startTransientService, type Property } from '../systemd/transient.ts';
import { say } from './edge.ts';
import { startFailure } from './start-failure.ts';
import { PARTS } from './parts.ts';
import { environmentPath, environmentText } from './run-environment.ts';
import { ID_VARIABLE } from '../run/state.ts';

/**
 * `berth run -d` typed by a person: a transient unit whose ExecStart= is this very command. It is the same start as that of a generated
 * unit, so that every container is known to systemd. Prints the container's id. Without systemd: one warning, a plain child.
 */
export function runDetached(
  host: Host,
  context: Context,
  command: Command,
  request: RunRequest,
  { id, store }: { readonly id: string; readonly store: string },
): number {
  const check = (): void => void prepare(host, PARTS, request, expectedPlace(host, request, store));
  stopForReplace(host, context, request.name, request.replace, check);
  if (!context.systemd) {
    say(host, 'warning: systemd does not run here; the container runs as a plain child');
    const status = startContainer(host, PARTS, request, { id, store });
    if (status === 0) host.write(1, `${id}\n`);
    return status;
  }
  const manager = host.euid === 0 ? 'system' : 'user';
  const unit = `${request.name}.service`;
  const variables = environmentText(host, command, request);
  const environment = variables === undefined ? undefined : environmentPath(host, id);
  if (variables !== undefined && environment !== undefined) host.writeFile(environment, variables, 0o600);
  const began = host.now();
  try {
    const properties = propertiesOf(host, command, request, unit, environment, { id, store });
    const { result, status } = startTransientService(
      host,
      manager,
      unit,
      properties,
      request.replace ? 'ends' : 'stays',
    );
    if (result !== 'done') {
      // systemd would go on trying what a person has been told does not work.
      if (request.restart.after !== 'never' && loadedUnit(host, { manager, unit }) === id)
        endUnit(host, { manager, unit });
      // 126 and 127 tell of the command, as without -d; whatever else happened is a failure of ours.
      const said = status === 126 || status === 127 ? status : 125;
      throw new Failure(said, startFailure(host, manager, unit, result, began));
    }
    if (!request.remove) keep(host, wayOf(request, unit, properties, id), { id, store, variables });
  } finally {
    if (environment !== undefined) host.unlink(environment);
  }
  host.write(1, `${id}\n`);
  return 0;
}

/** As if a command had been one of -d. */
export function inBackground(command: Command): Command {
  return { ...command, verb: RUN.name, options: [...command.options, DETACH] };
}

/**
 * A run in the foreground that has ended, and left its files, is started again as if it had been one of -d. What that takes is found out
 * before the start; the result keeps it after the end, when somebody else may have the name.
 */
export function keeperOf(
  host: Host,
  command: Command,
  request: RunRequest,
  place: { readonly id: string; readonly store: string },
): () => void {
  const { id, store } = place;
  const { name } = request;
  const unit = `${name}.service`;
  const variables = environmentText(host, command, request);
  const environment = variables === undefined ? undefined : environmentPath(host, id);
  const properties = propertiesOf(host, command, request, unit, environment, place);
  return () => {
    keep(host, wayOf(request, unit, properties, id), { id, store, variables });
  };
}

/** For a start after the end, unless the name is another's by now: it would be started by our words. */
function keep(
  host: Host,
  way: Way,
  { id, store, variables }: { readonly id: string; readonly store: string; readonly variables: string | undefined },
): void {
  const { name } = way;
  const lock = lockName(host, store, name);
  try {
    if (findNamed(host, name)?.state?.id !== id) return;
    if (variables !== undefined) host.writeFile(keptEnvironment(store, name, id), variables, 0o600);
    writeWay(host, store, way);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    say(host, `warning: ${name} cannot be started again: ${error.message}`);
  } finally {
    lock.release();
  }
}

const DETACH: OptionUse = { name: 'detach', value: 'true', form: 'flag', letter: 'd' };

/** The other container of --volumes-from may be gone by then, or be another one. */
function wayOf(request: RunRequest, unit: string, properties: Property[], id: string): Way {
  const { name, pod, volumesFrom, mounts } = request;
  const taken = volumesFrom.length === 0 ? {} : { mounts: { id, mounts } };
  return { version: 1, name, unit, properties, ...(pod === undefined ? {} : { pod }), ...taken };
}

/**
 * Where the variables of the environment lie for every start but the first: with the container's files, and as long. Not under the name
 * that they have for a container which this one replaces: systemd reads the file before that one is gone.
 */
function keptEnvironment(store: string, name: string, id: string): string {
  return `${layerPath(store, name)}/environment-${id}`;
}

function propertiesOf(
  host: Host,
  command: Command,
  request: RunRequest,
  unit: string,
  environment: string | undefined,
  { id, store }: { readonly id: string; readonly store: string },
): Property[] {
  const program = host.readlink('/proc/self/exe');
  const asked = command.options.some(use => use.name === 'sdnotify') && request.sdnotify !== 'ignore';
  const named: Command = {
    ...command,
    options: [
      ...withoutFiles(command, request).filter(use => !['name', 'pull', 'sdnotify'].includes(use.name)),
      // What was to be fetched has been, where the person saw it.
      { name: 'pull', value: request.pull === 'never' ? 'never' : 'missing' },
      { name: 'name', value: request.name },
      // The unit waits for a notification: without a wish of the person the one of a payload that was executed.
      { name: 'sdnotify', value: asked ? request.sdnotify : 'conmon' },
    ],
  };
  const start = [program, ...render(named, RUN)];
  const after = request.remove ? ['rm', '-v', '-f', '-i', request.name] : ['container', 'cleanup', request.name];
  const stop = request.remove ? ['rm', '-v', '-f', '-i', request.name] : ['stop', '-i', request.name];
  // systemd must not expand `$` in the words: they are as the person wrote them.
  const line = (words: string[]): unknown => [[words[0], words, ['no-env-expand']]];
  return [
    ['Description', 's', `berth container ${request.name}`],
    ['Type', 's', 'notify'],
    ['NotifyAccess', 's', 'all'],
    ['KillMode', 's', 'mixed'],
    ['Delegate', 'b', true],
    ['DelegateSubgroup', 's', 'supervisor'],
    ['Environment', 'as', [`PODMAN_SYSTEMD_UNIT=${unit}`, `${ID_VARIABLE}=${id}`]],
    ...(host.euid === 0 ? [logFields(request, id)] : []),
    ...(environment === undefined
      ? []
      : [
          // The first is there for the first start alone.
          [
            'EnvironmentFiles',
            'a(sb)',
            [environment, keptEnvironment(store, request.name, id)].map(path => [path, true]),
          ] as const,
        ]),
    ...requirement(namespaceUnits(host, request.networks)),
    // It may be gone at a later start, or closed to the account (root's, with --for): words that need it have been looked at here.
    ['WorkingDirectory', 's', `-${directoryOf(host)}`],
    ['SyslogIdentifier', 's', request.name],
    ['TimeoutStopUSec', 't', ((request.stopTimeout ?? 10) + 15) * 1_000_000],
    ['CollectMode', 's', 'inactive-or-failed'],
    ...restartOf(request),
    ['ExecStartEx', 'a(sasas)', line(start)],
    ['ExecStopEx', 'a(sasas)', line([program, ...stop])],
    ['ExecStopPostEx', 'a(sasas)', line([program, ...after])],
  ];
}

/** Removed meanwhile: words that need one are refused elsewhere. */
function directoryOf(host: Host): string {
  try {
    return host.cwd();
  } catch (error) {
    if (error instanceof HostError) return '/';
    throw error;
  }
}

/** --restart: by systemd, a second later; without `:N` as often as it takes. systemd counts every start, also those that people ask for. */
function restartOf({ restart: { after, most } }: RunRequest): Property[] {
  if (after === 'never') return [];
  const limit: Property[] =
    most === undefined
      ? [['StartLimitIntervalUSec', 't', 0]]
      : [
          ['StartLimitIntervalUSec', 't', HOUR],
          ['StartLimitBurst', 'u', most + 1],
        ];
  return [['Restart', 's', after === 'always' ? 'always' : 'on-failure'], ['RestartUSec', 't', 1_000_000], ...limit];
}

/** Microseconds. */
const HOUR = 3_600_000_000;

/** A later start finds no files: the labels of some are among the variables (run-environment.ts), a pod's id stands in the unit itself. */
function withoutFiles({ options }: Command, { pod }: RunRequest): OptionUse[] {
  const has = (name: string): boolean => options.some(use => use.name === name);
  const gone = [
    ...(has('label-file') ? ['label-file', 'label'] : []),
    ...(has('pod-id-file') ? ['pod-id-file', 'pod'] : []),
  ];
  const put = options.filter(use => !gone.includes(use.name));
  if (gone.includes('pod') && pod !== undefined) put.push({ name: 'pod', value: pod });
  return put;
}

/** LogExtraFields= is for units of the system alone (systemd.exec(5)); names of the fields are Podman's. */
function logFields(request: RunRequest, id: string): Property {
  const tag = request.logOptions.find(option => option.startsWith('tag='))?.slice('tag='.length);
  const fields = {
    CONTAINER_NAME: request.name,
    CONTAINER_ID: id.slice(0, 12),
    CONTAINER_ID_FULL: id,
    IMAGE_NAME: request.image ?? '',
    CONTAINER_TAG: tag ?? '',
  };
  const known = Object.entries(fields).filter(([, value]) => value !== '');
  return [
    'LogExtraFields',
    'aay',
    known.map(([name, value]) => Array.from(`${name}=${value}`, byte => byte.charCodeAt(0))),
  ];
}
