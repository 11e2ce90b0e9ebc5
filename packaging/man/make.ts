/**
 * The manual and the completions, from the option and key tables: build/man/*.[1-8], build/completions/berth.{bash,zsh,fish}.
 * Called by packaging/build; `npm run check` fails when a key or option is missing from what it writes.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeIfChanged } from '../build/write.ts';
import { bashCompletion } from '../completions/bash.ts';
import { fishCompletion } from '../completions/fish.ts';
import { zshCompletion } from '../completions/zsh.ts';
import { pages } from './pages.ts';
import { roff } from './roff.ts';

export function writeManual(checkout: string): void {
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string };
  const manual = join(checkout, 'build/man');
  const completions = join(checkout, 'build/completions');
  for (const directory of [manual, completions]) mkdirSync(directory, { recursive: true });
  for (const page of pages()) writeIfChanged(join(manual, `${page.name}.${String(page.section)}`), roff(page, version));
  writeIfChanged(join(completions, 'berth.bash'), bashCompletion());
  writeIfChanged(join(completions, 'berth.fish'), fishCompletion());
  writeIfChanged(join(completions, 'berth.zsh'), zshCompletion());
}
