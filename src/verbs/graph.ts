import { encodeText } from '../base/text.ts';
import { GRAPH } from '../command/options-admin.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { loadUnits } from '../quadlet/find.ts';
import { graphOf } from '../quadlet/model.ts';
import { settingOf } from '../quadlet/setting.ts';
import { translateAll } from '../quadlet/translate.ts';
import { findGroups } from './check-find.ts';
import { commandLine } from './command-line.ts';
import { drawDot, drawJson, drawText } from './graph-draw.ts';
import { picture } from './graph-picture.ts';
import { drawSvg } from './graph-svg.ts';

const FORMATS = { text: drawText, dot: drawDot, svg: drawSvg, json: drawJson };

/**
 * `berth graph`: what the services of unit files depend on, of the named files and directories or of what the generator would read. Without
 * root and without systemd. Exit status 1 when a file cannot be translated: it is drawn as failed.
 */
export function main(host: Host): number {
  const command = commandLine(host, GRAPH, 2);
  if (typeof command === 'number') return command;
  const format = lastValue(command, 'format') ?? 'text';
  if (!(format in FORMATS)) {
    host.write(2, `berth: graph: --format is ${format}: write ${Object.keys(FORMATS).join(', ')}\n`);
    return 2;
  }
  const groups = findGroups(host, command);
  if (typeof groups === 'string') {
    host.write(2, `berth: ${groups}\n`);
    return 2;
  }
  const named = new Set(groups.flatMap(({ asked }) => [...asked]));
  const translations = groups.flatMap(({ found, user, asked }) => {
    if (asked.size === 0) return [];
    const units = loadUnits(host, found);
    return translateAll(units, settingOf(host, user, graphOf(units)));
  });
  // Of two with one name, in two directories, the one that was named is drawn.
  translations.sort((a, b) => Number(named.has(a.unit.path)) - Number(named.has(b.unit.path)));
  const graph = picture(translations, named, isSet(command, 'all'));
  host.write(1, encodeText(FORMATS[format as keyof typeof FORMATS](graph)));
  const failed = graph.nodes.filter(node => node.failed);
  if (failed.length > 0) {
    const names = failed.map(node => node.unit).join(', ');
    host.write(2, encodeText(`berth: graph: could not be translated: ${names}; \`berth check\` says why\n`));
  }
  return failed.length > 0 ? 1 : 0;
}
