import { encodeText, decodeText } from '../base/text.ts';
import { DOWN, PLAN, UP } from '../command/options-control.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Bytes, Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import type { Line } from '../systemd/jobs.ts';
import { commandLine, printable } from './command-line.ts';
import { realmOf, withManager, type Realm } from './scope.ts';
import { takeDown } from './up-down.ts';
import { planAll, type Action, type Plan } from './up-plan.ts';
import { bringUp } from './up-run.ts';
import { readApplication, type Application } from './up-source.ts';

const ROWS = { up: UP, plan: PLAN, down: DOWN };

/**
 * `berth up|plan|down [FILE|DIR…]`: unit files of a directory as one application, installed, started and taken away together. Exit status
 * 1: a unit failed; 2: a unit file has a mistake, and nothing was done; 125: anything else, and nothing was done.
 */
export async function main(host: Host): Promise<number> {
  const word = host.argv.slice(1).find(one => one in ROWS) as keyof typeof ROWS | undefined;
  const command = commandLine(host, ROWS[word ?? 'up']);
  if (typeof command === 'number') return command;
  const format = lastValue(command, 'format') ?? '';
  if (format !== '' && format !== 'json') throw new Failure(125, `--format ${format}: write json`);
  const realm = realmOf(host, command);
  if (typeof realm === 'number') return realm;
  const operands = command.operands.length === 0 ? ['.'] : command.operands;
  if (word === 'down') return withManager(realm, line => takeDown(realm, line, operands, isSet(command, 'force')));
  const applications = operands.map(operand => readApplication(realm, operand));
  refuseTwice(applications);
  return withManager(realm, line => follow(realm, line, applications, { command, word, format }));
}

interface Asked {
  readonly command: Command;
  readonly word: string | undefined;
  readonly format: string;
}

async function follow(
  realm: Realm,
  line: Line,
  applications: readonly Application[],
  { command, word, format }: Asked,
): Promise<number> {
  const plans = await planAll(realm, line.bus, applications, isSet(command, 'force'));
  if (word === 'up') return bringUp(realm, line, plans, !isSet(command, 'no-start'));
  realm.host.write(1, encodeText(format === 'json' ? planJson(plans) : planText(plans)));
  return 0;
}

function refuseTwice(applications: readonly Application[]): void {
  const seen = new Map<Bytes, Bytes>();
  for (const { name, source } of applications) {
    const other = seen.get(name);
    if (other !== undefined) throw new Failure(125, `${source}: ${other} has the same name: rename one of the two`);
    seen.set(name, source);
  }
}

const WORDS: Readonly<Record<Action, string>> = {
  create: 'to create',
  start: 'to start',
  restart: 'to restart',
  remove: 'to remove',
  nothing: 'with nothing to do',
};

/** One line per unit, then a sum. */
function planText(plans: readonly Plan[]): string {
  const steps = plans.flatMap(plan => plan.steps);
  const width = Math.max(...steps.map(step => step.unit.length), 0);
  const lines = steps.map(({ unit, action, reason }) =>
    printable(`${action.padEnd(7)}  ${unit.padEnd(width)}  ${reason}`),
  );
  const sums = (Object.keys(WORDS) as Action[]).flatMap(action => {
    const count = steps.filter(step => step.action === action).length;
    return count === 0 ? [] : [`${count} ${WORDS[action]}`];
  });
  return [...lines, sums.length === 0 ? 'no units' : sums.join(', ')].map(line => `${line}\n`).join('');
}

/** `[{ unit, action, reason, file, application }]`. */
function planJson(plans: readonly Plan[]): string {
  const rows = plans.flatMap(({ application, steps }) =>
    steps.map(({ unit, action, reason, file }) => {
      return { unit, action, reason, file: decodeText(file), application: decodeText(application.name) };
    }),
  );
  return `${JSON.stringify(rows, undefined, 2)}\n`;
}
