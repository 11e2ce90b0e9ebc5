import type { ImageRecord } from '../image/types.ts';
import type { Spec } from '../plan/spec.ts';
import type { ContainerState } from '../run/state.ts';
import { signalName } from '../systemd/signal-name.ts';

type Json = Record<string, unknown>;

/** podman-inspect(1), `Config`: what runs. */
export function configOf(state: ContainerState, spec: Spec | undefined, image: ImageRecord | undefined): Json {
  const { process } = spec ?? {};
  const { config } = image ?? {};
  const ports = [...(config?.exposedPorts ?? []), ...state.ports.map(port => `${port.port}/${port.protocol}`)];
  return {
    Hostname: spec?.hostname ?? '',
    Domainname: spec?.domainname ?? '',
    User: state.asked?.user ?? '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: process?.terminal ?? false,
    OpenStdin: state.asked?.interactive ?? false,
    StdinOnce: false,
    Env: process?.env ?? [],
    Cmd: state.command,
    Image: state.image,
    Volumes: setOf(config?.volumes ?? []),
    WorkingDir: process?.cwd ?? '',
    Entrypoint: config?.entrypoint ?? [],
    OnBuild: null,
    Labels: state.labels,
    Annotations: spec?.annotations ?? {},
    StopSignal: signalText(state.stopSignal),
    Timeout: state.asked?.timeout ?? 0,
    StopTimeout: state.stopTimeout,
    sdNotifyMode: state.asked?.notify ?? 'container',
    Umask: (process?.user.umask ?? 0o22).toString(8).padStart(4, '0'),
    ExposedPorts: setOf(ports),
    ...(state.health === undefined ? {} : { Healthcheck: healthcheckOf(state.health) }),
  };
}

const setOf = (words: readonly string[]): Json => Object.fromEntries(words.map(word => [word, {}]));

/** Times in nanoseconds, as images have them. */
function healthcheckOf({
  command,
  timeout,
  interval,
  retries,
  startPeriod,
}: NonNullable<ContainerState['health']>): Json {
  const nanoseconds = (name: string, milliseconds: number | undefined): Json =>
    milliseconds === undefined ? {} : { [name]: milliseconds * 1e6 };
  return {
    Test: command.length === 0 ? [] : ['CMD', ...command],
    ...nanoseconds('Interval', interval),
    ...nanoseconds('Timeout', timeout),
    ...nanoseconds('StartPeriod', startPeriod),
    ...(retries === undefined ? {} : { Retries: retries }),
  };
}

const SIGRTMIN = 34;

function signalText(signal: number): string {
  if (signal < SIGRTMIN) return signalName(signal);
  return signal === SIGRTMIN ? 'SIGRTMIN' : `SIGRTMIN+${signal - SIGRTMIN}`;
}
