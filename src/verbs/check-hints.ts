import type { Problem } from '../base/problem.ts';
import { ruleOf } from '../quadlet/directives.ts';
import type { KeyTable } from '../quadlet/keys.ts';
import type { Unit } from '../quadlet/model.ts';

/** Unknown keys that are known elsewhere: directives of another section, and what options and compose files call it. */
export function withHint(unit: Unit, p: Problem): Problem {
  const { code, key = '', hint = '' } = p;
  if (code !== 'unknown-key') return p;
  const section = ['Service', 'Unit', 'Install'].find(name => ruleOf(name, key) !== undefined);
  if (section !== undefined) return { ...p, hint: `it belongs in [${section}]` };
  const meant = hint.startsWith('see ') ? otherName(unit.table, key) : undefined;
  return meant === undefined ? p : { ...p, hint: `did you mean ${meant}?` };
}

const letters = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');

/** By the letters of what people write, without a final `s`. */
const OTHERS: Readonly<Record<string, string>> = {
  cmd: 'Exec',
  command: 'Exec',
  healthcheck: 'HealthCmd',
  name: 'ContainerName',
  port: 'PublishPort',
};

function otherName({ rows }: KeyTable, key: string): string | undefined {
  const given = letters(key).replace(/s$/, '');
  const row = rows.find(one => one.option !== '' && one.prefix === undefined && letters(one.option) === given);
  const name = row?.key ?? (Object.hasOwn(OTHERS, given) ? OTHERS[given] : undefined);
  if (name === undefined) return given === 'privileged' ? '`PodmanArgs=--privileged`' : undefined;
  return rows.some(one => one.key === name) ? `\`${name}\`` : undefined;
}
