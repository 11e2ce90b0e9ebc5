import type { Problem } from '../base/problem.ts';
import { allValues, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import { readWish } from '../network/wish.ts';
import { isName, readId } from '../plan/parse-values.ts';
import { readOptions } from '../volume/options.ts';
import { noted, thrown, type Judge } from './check-judge.ts';
import { labelsOf } from './labels.ts';
import { wishOf } from './network-wish.ts';

/** `volume create`. */
export const judgeVolume: Judge = ({ command, known }) => {
  const ids = known.filter(use => (use.name === 'uid' || use.name === 'gid') && readId(use.value) === undefined);
  // Options of the driver have a meaning together.
  const isWhole = command.options.length === known.length;
  return [
    // What options say together names none of them.
    ...withKey(
      '--opt',
      thrown(known, options => {
        const left = { ...command, options };
        labelsOf(left);
        const driver = lastValue(left, 'driver');
        if (isWhole) readOptions(nameOf(command), driver ?? 'local', allValues(left, 'opt'));
      }),
    ),
    ...ids.filter(use => use.value !== '').flatMap(use => noted(use.name, use.value, 'not an id')),
  ];
};

/** `network create`. */
export const judgeNetwork: Judge = ({ command, known }) => {
  const name = nameOf(command);
  const isWhole = command.options.length === known.length;
  if (!isWhole) return thrown(known, options => void labelsOf({ ...command, options }));
  return thrown(known, options => void readWish(wishOf({ ...command, options }, name)), ['subnet']);
};

/** Told as the key's fault when it is no name, and not known when systemd expands it. */
function nameOf({ operands }: Command): string {
  const [name = ''] = operands;
  return isName(name) ? name : 'name';
}

function withKey(key: string, problems: readonly Problem[]): Problem[] {
  return problems.map(p => ({ key, ...p }));
}
