import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeIfChanged } from './write.ts';

const EVALUATOR = 'packaging/build/default-seccomp.ts';

/**
 * build/seccomp-default.json: the distribution's default profile, evaluated for the default capabilities, as the OCI object
 * that native.mk turns into the ready program of dist/berth. The profile is that of the Debian tree.
 */
export function writeDefaultSeccomp(): void {
  if (!existsSync(EVALUATOR)) {
    console.error(`build: ${EVALUATOR} is missing, the program has no default seccomp profile`);
    writeIfChanged('build/seccomp-default.json', '');
    return;
  }
  const tree = execFileSync('packaging/build/tree.sh', { encoding: 'utf8' }).trim();
  const profile = `${tree}/usr/share/containers/seccomp.json`;
  writeIfChanged(
    'build/seccomp-default.json',
    execFileSync('node_modules/.bin/tsx', [EVALUATOR, profile], { encoding: 'utf8' }),
  );
}
