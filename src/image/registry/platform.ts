import { RegistryError } from './error.ts';
import { acceptable, goArchitecture, plainVariant } from './platform-match.ts';
import type { Platform } from './types.ts';

/** The platform of this machine, with the names of Go. */
export function hostPlatform(): Platform {
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  if (architecture !== 'arm') return { os: 'linux', architecture };
  const { arm_version: version = '7' } = process.config.variables as { arm_version?: string };
  return { os: 'linux', architecture, variant: `v${version}` };
}

/** `linux/arm64/v8` */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant === undefined || variant === '' ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** A platform as a pull notes it: empty for what this machine is, since who asks without Node does not know that. */
export function notedPlatform(platform: Platform): string {
  const plain = (one: Platform): string => formatPlatform({ ...one, variant: plainVariant(one) });
  return plain(platform) === plain(hostPlatform()) ? '' : plain(platform);
}

/** Reads `OS/ARCH[/VARIANT]`; undefined when it is not of the form. */
export function parsePlatform(text: string): Platform | undefined {
  const parts = text.split('/');
  const [os = '', architecture = '', variant] = parts;
  if (parts.length < 2 || parts.length > 3 || parts.some(part => !/^[a-z0-9][a-z0-9._-]*$/.test(part)))
    return undefined;
  const arch = goArchitecture(architecture);
  return variant === undefined ? { os, architecture: arch } : { os, architecture: arch, variant };
}

/**
 * The best of several for a platform: the same variant, else the next lower one that such a machine can run (arm v7 runs v6 and v5), else
 * one without a variant; else the first that no platform is said of: the image's configuration says it. Throws `no-platform` naming what there is.
 */
export function choosePlatform<T extends { readonly platform?: Platform }>(
  entries: readonly T[],
  wanted: Platform,
  name: string,
  hint = '; choose with --platform',
): T {
  const ours = entries.filter(
    ({ platform }) => platform?.os === wanted.os && platform.architecture === wanted.architecture,
  );
  for (const variant of acceptable(wanted)) {
    const found = ours.find(({ platform }) => platform !== undefined && plainVariant(platform) === variant);
    if (found !== undefined) return found;
  }
  const unsaid = entries.find(({ platform }) => platform === undefined);
  if (unsaid !== undefined) return unsaid;
  const there = [...new Set(entries.map(({ platform }) => (platform === undefined ? '' : formatPlatform(platform))))];
  const listed = there.length === 0 ? 'nothing for a platform' : there.slice(0, 20).join(', ');
  throw new RegistryError('no-platform', `${name}: no image for ${formatPlatform(wanted)}; there is ${listed}${hint}`);
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};
