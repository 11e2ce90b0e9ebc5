/**
 * Capabilities that conditions of the distribution's profile name; all others change nothing in it. The build compares the list
 * with the profile (packaging/build/default-seccomp.ts).
 */
export const SECCOMP_CAPABILITIES: readonly string[] = [
  'CAP_AUDIT_WRITE',
  'CAP_BPF',
  'CAP_DAC_READ_SEARCH',
  'CAP_PERFMON',
  'CAP_SYS_ADMIN',
  'CAP_SYS_CHROOT',
  'CAP_SYS_MODULE',
  'CAP_SYS_PACCT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
];

/** Programs that are made at build time, by number: the file name of their profile, and the capabilities of the list above. */
export const BUILT_IN_PROFILES: readonly { readonly file: string; readonly capabilities: readonly string[] }[] = [
  { file: 'seccomp.json', capabilities: ['CAP_SYS_CHROOT'] },
  // --cap-drop all, with or without capabilities that the profile does not name.
  { file: 'seccomp-no-chroot.json', capabilities: [] },
];

/** Number of the built-in program that is the default profile for this bounding set; undefined when none is. */
export function builtInProfile(bounding: readonly string[]): number | undefined {
  const named = bounding.filter(name => SECCOMP_CAPABILITIES.includes(name));
  if (named.length === 0) return 1;
  return named.length === 1 && named[0] === 'CAP_SYS_CHROOT' ? 0 : undefined;
}
