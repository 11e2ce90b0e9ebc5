import { GLOBAL_OPTIONS } from '../../src/command/globals.ts';
import type { OptionRow, VerbRow } from '../../src/command/types.ts';
import { repeats, type KeyRow, type KeyTable } from '../../src/quadlet/keys.ts';
import { keyTables } from '../../src/verbs/help-keys.ts';
import { OCI_VERBS, VERBS } from '../../src/verbs/table.ts';
import { ENVIRONMENT, EXIT_STATUS, INTRODUCTION } from './introduction.ts';
import type { Page } from './roff.ts';
import { systemdPage } from './seen.ts';
import { DIFFERENCES, FILES, UNITS, VERB_TEXTS } from './texts.ts';

/** Every page of the manual: berth(1), one per verb, berth.unit(5), berth-systemd(7). The rows are those the programs parse. */
export function pages(): Page[] {
  const shown = VERBS.filter(row => row.hidden !== true);
  return [overview(shown), ...[...shown, ...OCI_VERBS].map(verbPage), unitPage(keyTables()), systemdPage()];
}

export const pageName = (row: VerbRow): string => `berth-${row.name.replaceAll(' ', '-')}`;

function overview(rows: readonly VerbRow[]): Page {
  return {
    name: 'berth',
    section: 1,
    purpose: 'containers as ordinary systemd units',
    parts: [
      { title: 'SYNOPSIS', lines: ['berth [options] VERB [options] [operands]'] },
      { title: 'DESCRIPTION', lines: INTRODUCTION },
      { title: 'VERBS', lines: rows.map(row => `- ${row.name} | ${row.help}; see ${pageName(row)}(1)`) },
      { title: 'OPTIONS', lines: options(GLOBAL_OPTIONS) },
      { title: 'EXIT STATUS', lines: EXIT_STATUS },
      { title: 'ENVIRONMENT', lines: ENVIRONMENT },
      { title: 'FILES', lines: FILES },
      {
        title: 'SEE ALSO',
        lines: ['berth.unit(5), berth-systemd(7), systemd.service(5), systemctl(1), journalctl(1)'],
      },
    ],
  };
}

function verbPage(row: VerbRow): Page {
  const refused = row.options.filter(option => option.refused !== undefined);
  return {
    name: pageName(row),
    section: 1,
    purpose: row.help,
    parts: [
      { title: 'SYNOPSIS', lines: [`berth ${row.name} [options] ${row.operands}`.trimEnd()] },
      ...(VERB_TEXTS[row.name] ?? []),
      { title: 'OPTIONS', lines: options(row.options.filter(option => option.refused === undefined)) },
      ...(refused.length === 0 ? [] : [{ title: 'REFUSED OPTIONS', lines: refused.map(refusal) }]),
      { title: 'SEE ALSO', lines: ['berth(1), berth.unit(5)'] },
    ],
  };
}

function options(rows: readonly OptionRow[]): string[] {
  return rows.length === 0 ? ['None.'] : rows.map(row => `- ${usage(row)} | ${row.help}`);
}

export function usage(row: OptionRow): string {
  const short = row.short === undefined ? '' : `-${row.short}, `;
  return `${short}--${row.name}${row.value === undefined ? '' : ` ${row.value}`}`;
}

const refusal = (row: OptionRow): string => `- --${row.name} | ${row.refused ?? ''}`;

function unitPage(tables: readonly KeyTable[]): Page {
  return {
    name: 'berth.unit',
    section: 5,
    purpose: 'container, pod, volume, network, kube, image, build and artifact unit files',
    parts: [
      { title: 'DESCRIPTION', lines: UNITS },
      ...tables.map(table => ({ title: `[${table.section}]`, lines: table.rows.map(keyLine) })),
      { title: 'DIFFERENCES FROM PODMAN', lines: DIFFERENCES },
      { title: 'SEE ALSO', lines: ['berth(1), berth-check(1), systemd.unit(5), systemd.syntax(7)'] },
    ],
  };
}

function keyLine(row: KeyRow): string {
  const notes = [
    row.option === '' ? '' : `--${row.option}`,
    repeats(row) ? 'may be repeated' : '',
    row.deprecated === undefined ? '' : `deprecated, use ${row.deprecated}`,
    `since Podman ${row.since}`,
  ].filter(note => note !== '');
  return `- ${row.key}= | ${row.help} (${notes.join(', ')})`;
}
