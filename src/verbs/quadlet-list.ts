import { allValues, isSet, lastValue } from '../command/read.ts';
import { decodeText, encodeText } from '../base/text.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { describe } from '../base/problem.ts';
import { isFailed } from '../quadlet/translate.ts';
import { lastEntry } from '../unit/document.ts';
import { renderRows } from './format.ts';
import { fillGoTemplate } from './go-template-fill.ts';
import { allUnits, applications, installDirectory, states } from './quadlet-units.ts';

interface Row {
  readonly Name: string;
  readonly UnitName: string;
  readonly Path: string;
  readonly Status: string;
  readonly App: string;
  readonly Pod: string;
}

/** `berth quadlet list`: every unit file of the search path, with the state of its service. */
export function listUnits(host: Host, command: Command | number): number {
  if (typeof command === 'number') return command;
  const wanted = filters(command);
  if (typeof wanted === 'string') {
    host.write(2, `berth: quadlet list: ${wanted}\n`);
    return 125;
  }
  const rows = rowsOf(host).filter(wanted);
  const format = lastValue(command, 'format') ?? '';
  if (format === 'json') host.write(1, encodeText(`${JSON.stringify(rows, undefined, 4)}\n`));
  else {
    const shown = format === '' || format === 'table' ? DEFAULT : format;
    host.write(
      1,
      encodeText(renderRows(shown, HEADINGS, rows.map(cells), !isSet(command, 'noheading'), fillGoTemplate)),
    );
  }
  return 0;
}

const DEFAULT = 'table {{.Name}}\\t{{.UnitName}}\\t{{.Path}}\\t{{.Status}}\\t{{.App}}\\t{{.Pod}}';
const HEADINGS = {
  Name: 'NAME',
  UnitName: 'UNIT NAME',
  Path: 'PATH ON DISK',
  Status: 'STATUS',
  App: 'APPLICATION',
  Pod: 'POD',
};

function cells(row: Row): Record<string, string> {
  return { ...row };
}

function rowsOf(host: Host): Row[] {
  const units = allUnits(host);
  const apps = applications(host, installDirectory(host));
  const live = states(
    host,
    units.map(({ unit }) => `${unit.stem}.service`),
  );
  return units.map(({ found, unit }, i) => {
    const broken = unit.problems.find(p => p.severity === 'error');
    const type = unit.document.sections.find(section => section.name === unit.table.section);
    return {
      Name: decodeText(found.name),
      UnitName: `${unit.stem}.service`,
      Path: decodeText(found.path),
      Status: isFailed(unit) && broken !== undefined ? decodeText(describe(broken)) : (live?.[i] ?? 'Unknown'),
      App: apps.find(app => app.names.includes(found.name))?.file ?? '',
      Pod: lastEntry(type?.entries ?? [], 'Pod')?.value ?? '',
    };
  });
}

const FIELDS: Readonly<Record<string, keyof Row>> = { name: 'Name', status: 'Status', pod: 'Pod' };

/** Regular expressions: several of one name, any; of different names, all. */
function filters(command: Command): ((row: Row) => boolean) | string {
  const byField = new Map<keyof Row, RegExp[]>();
  for (const text of allValues(command, 'filter')) {
    const equal = text.indexOf('=');
    const field = FIELDS[text.slice(0, Math.max(equal, 0))];
    if (field === undefined) return `--filter ${text}: write name=, status= or pod= in front`;
    try {
      byField.set(field, [...(byField.get(field) ?? []), new RegExp(text.slice(equal + 1))]);
    } catch {
      return `--filter ${text}: no regular expression`;
    }
  }
  return row => [...byField].every(([field, patterns]) => patterns.some(pattern => pattern.test(row[field])));
}
