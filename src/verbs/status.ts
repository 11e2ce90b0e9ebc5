import { encodeText } from '../base/text.ts';
import { STATUS, WHY } from '../command/options-control.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { describe } from '../base/problem.ts';
import { listContainers } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import type { ContainerState } from '../run/state.ts';
import { hasFailed, mainEnd, reasonOf, waitsForRestart } from '../systemd/explain.ts';
import { lastLines, skippedLine } from '../systemd/journal-lines.ts';
import { unitProperties, type UnitState } from '../systemd/units.ts';
import { commandLine, printable } from './command-line.ts';
import { allUnits } from './quadlet-units.ts';
import { graphOf, type Unit } from '../quadlet/model.ts';
import { settingOf } from '../quadlet/setting.ts';
import { translateAll } from '../quadlet/translate.ts';
import { realmOf, realmToSee, withManager, type Realm } from './scope.ts';
import { ageOf, portsText } from './show.ts';
import { failureLines, withMemory } from './unit-failure.ts';
import { sourceOf, unitNameOf } from './unit-names.ts';
import { startLine, whyEnded } from './why-ended.ts';
import { sourceLine } from './why-source.ts';

/** Exit statuses of systemctl(1): not running, no such unit. */
const INACTIVE = 3;
const UNKNOWN = 4;

/** `berth status NAME…` and `berth why NAME`: where the unit is and why, its container, and the last it said. */
export async function main(host: Host): Promise<number> {
  const asked = host.argv.slice(1).find(one => one === 'status' || one === 'why');
  const command = commandLine(host, asked === 'why' ? WHY : STATUS);
  if (typeof command === 'number') return command;
  const asking = realmOf(host, command);
  if (typeof asking === 'number') return asking;
  const format = lastValue(command, 'format') ?? '';
  if (format !== '' && format !== 'json') throw new Failure(125, `--format ${format}: write json`);
  const units = command.operands.map(operand => unitNameOf(asking.host, operand));
  const realm = isSet(command, 'user') ? asking : realmToSee(asking, units);
  return withManager(realm, async ({ bus }) => {
    if (asked === 'why')
      return why(realm, await unitProperties(bus, units[0] ?? ''), job =>
        failureLines(bus, realm, units[0] ?? '', job),
      );
    const states = await Promise.all(units.map(unit => unitProperties(bus, unit)));
    if (format === 'json') host.write(1, encodeText(`${JSON.stringify(states, undefined, 2)}\n`));
    else
      host.write(
        1,
        encodeText(states.map(state => textOf(realm, state, linesOf(lastValue(command, 'lines')))).join('\n')),
      );
    return Math.max(...states.map(statusOf));
  });
}

function linesOf(text: string | undefined): number {
  return text === undefined ? 5 : Number(text);
}

function statusOf(state: UnitState): number {
  if (state.loadState === 'not-found') return UNKNOWN;
  if (hasFailed(state) || waitsForRestart(state)) return INACTIVE;
  return ['active', 'reloading', 'activating'].includes(state.activeState) ? 0 : INACTIVE;
}

function textOf(realm: Realm, state: UnitState, lines: number): string {
  const { host, scope } = realm;
  const rows: [string, string][] = [['state', stateText(host, state)]];
  if (isBroken(state)) rows.push(['why', reasonOf(withMemory(realm, state), 'failed')]);
  if (state.needReload) rows.push(['note', 'its file changed on disk: run `berth daemon-reload`']);
  const from = state.sourcePath === '' ? state.fragmentPath : state.sourcePath;
  if (from !== '') rows.push(['from', from]);
  rows.push(...containerRows(host, state.name));
  if (state.statusText !== '') rows.push(['says', state.statusText]);
  if (state.memory !== undefined && state.mainPid > 0)
    rows.push(['memory', `${mebibytes(state.memory)}, ${state.tasks ?? 0} tasks`]);
  const shown = rows.map(([name, value]) => `  ${name.padEnd(10)}${printable(value)}\n`);
  const said = lines > 0 ? lastLines(host, scope, state, lines).map(line => `    ${line}\n`) : [];
  const title = state.description === '' || state.description === state.name ? '' : ` - ${state.description}`;
  return [`${printable(state.name + title)}\n`, ...shown, ...said].join('');
}

function isBroken(state: UnitState): boolean {
  return hasFailed(state) || state.loadState !== 'loaded';
}

function stateText(host: Host, state: UnitState): string {
  if (state.loadState !== 'loaded') return state.loadState;
  const since = state.since === 0 ? '' : ` for ${ageOf(Math.max(host.now() - state.since / 1e6, 0))}`;
  const restarts = state.restarts === 0 ? '' : `, restarted ${state.restarts} times`;
  return `${state.activeState} (${state.subState})${since}${restarts}`;
}

function containerRows(host: Host, unit: string): [string, string][] {
  return listContainers(host).flatMap(({ state }) =>
    state?.unit === unit && host.startTime(state.pid) === state.startTime ? rowsOf(state) : [],
  );
}

function rowsOf(state: ContainerState): [string, string][] {
  const rows: [string, string][] = [['container', `${state.name} (${state.id.slice(0, 12)}), pid ${state.pid}`]];
  if (state.image !== '') rows.push(['image', state.image]);
  if (state.ports.length > 0) rows.push(['ports', portsText(state.ports)]);
  return rows;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1048576).toFixed(1)} MiB`;
}

/** The unit file that the service is made from, with what the generator finds wrong in it. */
function fileOf(host: Host, service: string): Unit | undefined {
  const units = allUnits(host).map(({ unit }) => unit);
  translateAll(units, settingOf(host, host.uid !== 0, graphOf(units)));
  return sourceOf(units, service);
}

/** The reason, the line of the unit file that it is about or the file's own mistakes or what started it, the last lines. Status 0: the unit is up. */
async function why(realm: Realm, state: UnitState, failure: (job: string) => Promise<string[]>): Promise<number> {
  const { host } = realm;
  if (state.activeState === 'active') {
    host.write(1, `${state.name} is up: ${stateText(host, state)}\n`);
    return 0;
  }
  const ended = state.loadState === 'not-found' ? whyEnded(realm, state.name) : undefined;
  if (ended !== undefined) {
    show(host, ended);
    return INACTIVE;
  }
  const file = fileOf(host, state.name);
  const [reason = '', ...lines] = await whyDown(realm, state, failure);
  const mistakes = file?.problems.map(describe) ?? [];
  // The generator's line in the journal is the same as what it finds now.
  const known = lines.filter(line => !mistakes.includes(line.trim()));
  const source =
    mistakes.length === 0 && isBroken(state) ? sourceLine(file, withMemory(realm, state), reason) : mistakes;
  const places = source.length > 0 || !isBroken(state) ? source : startLine(realm, state.name);
  const loop = hasFailed(state) && state.activeState !== 'failed' ? [`it is ${stateText(host, state)}`] : [];
  show(host, [reason, ...loop, ...places, ...known]);
  return statusOf(state);
}

function show(host: Host, lines: readonly string[]): void {
  for (const line of lines) host.write(1, encodeText(`${line.startsWith(' ') ? line : printable(line)}\n`));
}

async function whyDown(
  realm: Realm,
  state: UnitState,
  failure: (job: string) => Promise<string[]>,
): Promise<readonly string[]> {
  if (isBroken(state)) return failure('failed');
  const is = `${state.name} is ${stateText(realm.host, state)}`;
  if (waitsForRestart(state) && state.mainCode !== 0) return [`${is}: ${mainEnd(state)}`];
  if (state.activeState !== 'inactive') return [is];
  const [, ...failed] = state.mainCode === 0 ? await failure('dependency') : [];
  if (failed.length > 0) return [`${is}: a unit that it requires failed`, ...failed];
  return [`${is}: ${pastOf(state, skippedLine(realm.host, realm.scope, state.name))}`];
}

/** Of a unit that is down and did not fail. */
function pastOf(state: UnitState, skipped: string | undefined): string {
  if (skipped !== undefined) return skipped.replace(/\.$/, '');
  if (state.mainCode === 0) return 'nobody asked for it, or it was stopped';
  return `it ended or was stopped: ${mainEnd(state)}`;
}
