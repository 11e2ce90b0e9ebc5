import { execFileSync } from 'node:child_process';
import { BUILT_IN_PROFILES } from '../../src/plan/built-in-seccomp.ts';
import { writeIfChanged } from './write.ts';

/**
 * build/seccomp*.json: the distribution's default profile, evaluated for the built-in sets of capabilities, as the OCI objects
 * that native.mk turns into the ready programs of dist/berth. The profile is that of the Debian tree.
 */
export function writeDefaultSeccomp(): void {
  const tree = execFileSync('packaging/build/tree.sh', { encoding: 'utf8' }).trim();
  const profile = `${tree}/usr/share/containers/seccomp.json`;
  for (const [number, { file }] of BUILT_IN_PROFILES.entries()) {
    const words = ['packaging/build/default-seccomp.ts', profile, String(number)];
    writeIfChanged(`build/${file}`, execFileSync('node_modules/.bin/tsx', words, { encoding: 'utf8' }));
  }
}
