/**
 * Prints the default seccomp profile as OCI's `linux.seccomp`, for the default capabilities:
 * `default-seccomp.ts /usr/share/containers/seccomp.json`. native.mk compiles it to the program that is built in.
 */
import { readFileSync } from 'node:fs';
import { describe } from '../../src/base/problem.ts';
import { defaultCapabilities } from '../../src/plan/capabilities.ts';
import { evaluateSeccomp } from '../../src/plan/seccomp.ts';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: default-seccomp.ts PROFILE');
// The oldest kernel that is supported: the profile may only get narrower there.
const subject = { capabilities: defaultCapabilities(), architecture: 'amd64', kernel: { major: 6, minor: 1 } } as const;
const result = evaluateSeccomp(readFileSync(path, 'utf8'), subject, path);
if (result.isErr()) throw new Error(result.error.map(describe).join('\n'));
process.stdout.write(JSON.stringify(result.value));
