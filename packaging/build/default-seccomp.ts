/**
 * Prints the default seccomp profile as OCI's `linux.seccomp`, for one of the built-in sets of capabilities:
 * `default-seccomp.ts /usr/share/containers/seccomp.json NUMBER`. native.mk compiles it to the program that is built in.
 */
import { readFileSync } from 'node:fs';
import { describe } from '../../src/base/problem.ts';
import { BUILT_IN_PROFILES, SECCOMP_CAPABILITIES } from '../../src/plan/built-in-seccomp.ts';
import { evaluateSeccomp } from '../../src/plan/seccomp.ts';

const [path, number] = process.argv.slice(2);
const profile = BUILT_IN_PROFILES[Number(number)];
if (path === undefined || profile === undefined) throw new Error('usage: default-seccomp.ts PROFILE NUMBER');
const text = readFileSync(path, 'utf8');
const unknown = (text.match(/CAP_[A-Z_]+/g) ?? []).find(name => !SECCOMP_CAPABILITIES.includes(name));
if (unknown !== undefined) throw new Error(`${path} depends on ${unknown}: add it to src/plan/built-in-seccomp.ts`);
// The oldest kernel that is supported: the profile may only get narrower there.
const subject = { capabilities: profile.capabilities, architecture: 'amd64', kernel: { major: 6, minor: 1 } } as const;
const result = evaluateSeccomp(text, subject, path);
if (result.isErr()) throw new Error(result.error.map(describe).join('\n'));
process.stdout.write(JSON.stringify(result.value));
