import { problem, type Problem } from '../base/problem.ts';
import { placeOfKey, type Entry } from '../unit/document.ts';
import { quadletKeys } from './keys-images.ts';
import type { KeyRow } from './keys.ts';
import type { Unit } from './model.ts';

/** `5.5` or `5.5.2` as a number that can be compared; undefined for anything else. */
export function podmanVersion(text: string): number | undefined {
  const parts = /^v?([0-9]{1,4})\.([0-9]{1,4})(\.[0-9]+)?$/.exec(text);
  return parts === null ? undefined : Number(parts[1]) * 10_000 + Number(parts[2]);
}

/** For files that must also serve a Podman of this version: a warning for each key that came later. Berth has them all. */
export function laterKeys(units: readonly Unit[], version: number): Problem[] {
  return units.flatMap(unit => {
    const own = unit.rows.flatMap(at => {
      const row = unit.table.rows[at];
      return row === undefined ? [] : later(row, unit.present.get(row.key)?.[0], version);
    });
    const entries = unit.document.sections.filter(({ name }) => name === 'Quadlet').flatMap(section => section.entries);
    const general = quadletKeys().rows.flatMap(row =>
      later(
        row,
        entries.find(entry => entry.key === row.key),
        version,
      ),
    );
    return [...own, ...general];
  });
}

function later(row: KeyRow, entry: Entry | undefined, version: number): Problem[] {
  if (entry === undefined || (podmanVersion(row.since) ?? 0) <= version) return [];
  const place = { ...placeOfKey(entry), key: row.key, hint: 'that Podman does not translate the file' };
  const found = problem('podman-version', `\`${row.key}=\` needs Podman ${row.since} or Berth`, place);
  return [{ ...found, severity: 'warning' as const }];
}
