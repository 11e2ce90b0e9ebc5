import { rootCertificates } from 'node:tls';
import type { Host } from '../../host/host.ts';
import { RegistryError } from './error.ts';
import { configDirectory } from './registries-conf.ts';

/** What a TLS connection to a host needs; PEM texts. */
export interface TlsMaterial {
  readonly ca: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  /** False: whoever answers is believed. */
  readonly verify: boolean;
}

/**
 * Certificates for `HOST[:PORT]`: those of the system, and the *.crt, NAME.cert with NAME.key of --cert-dir, or of `certs.d/HOST[:PORT]` of the
 * account, of /etc/containers and of /etc/docker. containers-certs.d(5)
 */
export function tlsMaterial(host: Host, name: string, verify: boolean, certDir?: string): TlsMaterial {
  if (certDir !== undefined && host.stat(certDir)?.kind !== 'directory')
    throw new RegistryError('configuration', `--cert-dir: ${certDir} is not a directory`);
  const directories = certDir === undefined ? searchPath(host, name) : [certDir];
  const directory = directories.find(path => host.stat(path)?.kind === 'directory');
  const ca = verify ? systemCertificates(host) : [];
  return { ca, verify, ...(directory === undefined ? {} : fromDirectory(host, directory, ca)) };
}

/** Node brings certificates of its own; the administrator's are those of the system. */
function systemCertificates(host: Host): string[] {
  const named = host.environment('SSL_CERT_FILE') ?? '';
  for (const path of [...(named === '' ? [] : [named]), '/etc/ssl/certs/ca-certificates.crt']) {
    const bytes = host.readFileIfExists(path);
    if (bytes !== undefined && bytes.includes('-----BEGIN')) return [bytes];
  }
  return [...rootCertificates];
}

function searchPath(host: Host, name: string): string[] {
  const own = configDirectory(host);
  const roots = [...(own === undefined ? [] : [own]), '/etc/containers', '/etc/docker'];
  return roots.map(root => `${root}/certs.d/${name}`);
}

function fromDirectory(host: Host, directory: string, system: readonly string[]): Partial<TlsMaterial> {
  const names = host.list(directory).map(entry => entry.name);
  const ca = names.filter(name => name.endsWith('.crt')).map(name => host.readFile(`${directory}/${name}`, 4 << 20));
  const certificate = names.find(name => name.endsWith('.cert'));
  const key = names.find(name => name.endsWith('.key'));
  if (certificate === undefined && key === undefined) return { ca: [...system, ...ca] };
  const wanted = certificate?.replace(/\.cert$/, '.key');
  if (certificate === undefined || wanted === undefined || !names.includes(wanted)) {
    const [have, lacks] = certificate === undefined ? [key ?? '', '.cert'] : [certificate, '.key'];
    throw new RegistryError('configuration', `${directory}: ${have} is there without its ${lacks}`);
  }
  return {
    ca: [...system, ...ca],
    cert: host.readFile(`${directory}/${certificate}`, 4 << 20),
    key: host.readFile(`${directory}/${wanted}`, 4 << 20),
  };
}
