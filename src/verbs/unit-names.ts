import { decodeText } from '../base/text.ts';
import type { Host } from '../host/host.ts';
import { storeDirectory } from '../image/store.ts';
import { readWay } from '../run/again.ts';
import { isAlive, listContainers } from '../run/containers.ts';
import { loadedUnit } from '../run/ending.ts';
import { Failure } from '../run/failure.ts';
import { lastEntry } from '../unit/document.ts';
import { isServiceStem, parseUnitName, serviceStem, typeOf } from '../unit/names.ts';
import type { Unit } from '../quadlet/model.ts';
import { scalar } from '../unit/values.ts';
import { allUnits } from './quadlet-units.ts';

const KINDS = /\.(service|socket|timer|target|path|slice|mount|automount|swap|device|scope)$/;

/** Names of containers and pods in unit files. */
const NAMING = ['ContainerName', 'PodName'];

/**
 * The unit of systemd that a word means: a unit's name, the name of a unit file (`web.container`), of a running container, of a container
 * or pod that a unit file names, or a service's name without its ending.
 */
export function unitNameOf(host: Host, word: string): string {
  if (!/^[A-Za-z0-9:_.\\@-]{1,255}$/.test(word))
    throw new Failure(125, `${word}: this is no name of a unit or a container`);
  if (KINDS.test(word)) return word;
  const units = allUnits(host);
  const type = typeOf(word);
  if (type !== undefined) {
    const file = units.find(({ found }) => found.name === word);
    return `${file?.unit.stem ?? serviceStem(parseUnitName(word, type))}.service`;
  }
  const containers = listContainers(host);
  // A name goes before a beginning of an id: `c` is never another one whose id begins so.
  const running =
    containers.find(one => one.name === word) ?? containers.find(one => one.state?.id.startsWith(word) === true);
  if (running?.state !== undefined && running.state.unit !== '') {
    const { state, name } = running;
    if (isAlive(host, state)) return state.unit;
    // What ran in the foreground goes on in the background (run-detached.ts). The unit is made anew, unless somebody else has its name.
    if (!state.unit.endsWith('.scope') && readWay(host, storeDirectory(host), name) === undefined) return state.unit;
    const unit = state.unit.endsWith('.scope') ? `${name}.service` : state.unit;
    if (loadedUnit(host, { manager: state.manager, unit }) === '')
      throw new Failure(125, `${name}: ${unit} is another one; 'berth rm ${name}' and run it by another name`);
    return unit;
  }
  const stem = units.find(({ unit }) => unit.stem === word)?.unit.stem;
  const named = units.find(({ unit }) => namesIn(unit.document.sections).includes(word))?.unit.stem;
  const name = stem ?? named ?? word;
  if (!isServiceStem(name)) throw new Failure(125, `${word}: this is no name of a unit or a container`);
  return `${name}.service`;
}

function namesIn(sections: readonly { readonly entries: Parameters<typeof lastEntry>[0] }[]): string[] {
  return sections.flatMap(({ entries }) =>
    NAMING.flatMap(key => {
      const entry = lastEntry(entries, key);
      return entry === undefined ? [] : [decodeText(scalar(entry.value))];
    }),
  );
}

/** The unit file that a service was made from; undefined when it is none of ours. */
export function sourceOf(units: readonly Unit[], service: string): Unit | undefined {
  const stem = service.replace(/\.service$/, '');
  const template = stem.replace(/@.+$/, '@');
  return units.find(unit => unit.stem === stem) ?? units.find(unit => unit.stem === template);
}
