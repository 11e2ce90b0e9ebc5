import { problem, type Problem } from '../base/problem.ts';
import { placeOfKey } from '../unit/document.ts';
import type { Unit } from './model.ts';

/** `5.5` or `5.5.2` as a number that can be compared; undefined for anything else. */
export function podmanVersion(text: string): number | undefined {
  const parts = /^v?([0-9]{1,4})\.([0-9]{1,4})(\.[0-9]+)?$/.exec(text);
  return parts === null ? undefined : Number(parts[1]) * 10_000 + Number(parts[2]);
}

/** For files that must also serve a Podman of this version: a warning for each key that came later. Berth has them all. */
export function laterKeys(units: readonly Unit[], version: number): Problem[] {
  return units.flatMap(unit =>
    unit.rows.flatMap(at => {
      const row = unit.table.rows[at];
      const entry = row === undefined ? undefined : unit.present.get(row.key)?.[0];
      if (row === undefined || entry === undefined || (podmanVersion(row.since) ?? 0) <= version) return [];
      const place = { ...placeOfKey(entry), key: row.key, hint: 'that Podman does not translate the file' };
      const found = problem('podman-version', `\`${row.key}=\` needs Podman ${row.since} or Berth`, place);
      return [{ ...found, severity: 'warning' as const }];
    }),
  );
}
