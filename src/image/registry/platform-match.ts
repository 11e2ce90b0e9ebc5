import type { ImageRecord } from '../types.ts';

/** As in GOOS and GOARCH: `linux`, `amd64`, `arm64`; `variant`: `v8`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** What was asked for; absent or empty: anything does. */
export type AskedPlatform = { readonly [K in keyof Platform]?: string | undefined };

/** Whether an image will do where this platform is asked for. Many do not say their variant: those may be of any. */
export function isFor(image: Pick<ImageRecord, 'os' | 'architecture' | 'variant'>, asked: AskedPlatform): boolean {
  const { os = '', architecture = '', variant = '' } = asked;
  if (os !== '' && os !== image.os) return false;
  if (architecture !== '' && goArchitecture(architecture) !== image.architecture) return false;
  const wanted = { os, architecture: image.architecture, variant };
  return variant === '' || acceptable(wanted).includes(plainVariant(image));
}

export function goArchitecture(name: string): string {
  return ALIASES[name] ?? name;
}

const ALIASES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };

/** Variants that will do, best first; empty text: none is named. */
export function acceptable(wanted: Platform): string[] {
  const variant = plainVariant(wanted);
  if (wanted.architecture !== 'arm') return variant === '' ? [''] : [variant, ''];
  const version = Number(/^v(\d+)$/.exec(variant)?.[1] ?? 7);
  const lower = Array.from({ length: Math.max(0, version - 4) }, (_, i) => `v${version - i}`);
  return [...lower, ''];
}

/** What is the same without a variant: v8 of arm64, v1 of amd64. */
export function plainVariant({ architecture, variant = '' }: Pick<Platform, 'architecture' | 'variant'>): string {
  if (architecture === 'arm64' && (variant === 'v8' || variant === '8')) return '';
  if (architecture === 'amd64' && variant === 'v1') return '';
  return variant;
}
