import { rootCertificates } from 'node:tls';
import type { Host } from '../../host/host.ts';
import { certificateFiles, systemAuthorities } from './certificate-files.ts';

/** What a TLS connection to a host needs; PEM texts. */
export interface TlsMaterial {
  readonly ca: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  /** False: whoever answers is believed. */
  readonly verify: boolean;
}

/** Certificates for `HOST[:PORT]`: those of the system, and those that are there for the host. */
export function tlsMaterial(host: Host, name: string, verify: boolean, certDir?: string): TlsMaterial {
  const { ca, own } = certificateFiles(host, name, certDir);
  const read = (path: string): string => host.readFile(path, 4 << 20);
  return {
    ca: [...(verify ? systemCertificates(host) : []), ...ca.map(read)],
    verify,
    ...(own === undefined ? {} : { cert: read(own.cert), key: read(own.key) }),
  };
}

/** Node brings certificates of its own; the administrator's are those of the system. */
function systemCertificates(host: Host): string[] {
  for (const path of systemAuthorities(host)) {
    const bytes = host.readFileIfExists(path);
    if (bytes !== undefined && bytes.includes('-----BEGIN')) return [bytes];
  }
  return [...rootCertificates];
}
