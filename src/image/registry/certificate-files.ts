import type { Host } from '../../host/host.ts';
import { RegistryError } from './error.ts';
import { configDirectory } from './registries-files.ts';

/** Paths of PEM files for a host, beside the authorities of the system. */
export interface CertificateFiles {
  readonly ca: readonly string[];
  /** What we show ourselves with. */
  readonly own?: { readonly cert: string; readonly key: string };
}

/** The system's authorities: the one file that there is of these counts. */
export function systemAuthorities(host: Host): string[] {
  const named = host.environment('SSL_CERT_FILE') ?? '';
  return [...(named === '' ? [] : [named]), '/etc/ssl/certs/ca-certificates.crt'];
}

/**
 * The *.crt, NAME.cert with NAME.key of --cert-dir, or of `certs.d/HOST[:PORT]` of the account, of /etc/containers and of /etc/docker.
 * containers-certs.d(5)
 */
export function certificateFiles(host: Host, name: string, certDir?: string): CertificateFiles {
  if (certDir !== undefined && host.stat(certDir)?.kind !== 'directory')
    throw new RegistryError('configuration', `--cert-dir: ${certDir} is not a directory`);
  const directories = certDir === undefined ? searchPath(host, name) : [certDir];
  const directory = directories.find(path => host.stat(path)?.kind === 'directory');
  return directory === undefined ? { ca: [] } : inDirectory(host, directory);
}

function searchPath(host: Host, name: string): string[] {
  const own = configDirectory(host);
  const roots = [...(own === undefined ? [] : [own]), '/etc/containers', '/etc/docker'];
  return roots.map(root => `${root}/certs.d/${name}`);
}

function inDirectory(host: Host, directory: string): CertificateFiles {
  const names = host.list(directory).map(entry => entry.name);
  const ca = names.filter(name => name.endsWith('.crt')).map(name => `${directory}/${name}`);
  const certificate = names.find(name => name.endsWith('.cert'));
  const key = names.find(name => name.endsWith('.key'));
  if (certificate === undefined && key === undefined) return { ca };
  const wanted = certificate?.replace(/\.cert$/, '.key');
  if (certificate === undefined || wanted === undefined || !names.includes(wanted)) {
    const [have, lacks] = certificate === undefined ? [key ?? '', '.cert'] : [certificate, '.key'];
    throw new RegistryError('configuration', `${directory}: ${have} is there without its ${lacks}`);
  }
  return { ca, own: { cert: `${directory}/${certificate}`, key: `${directory}/${wanted}` } };
}
