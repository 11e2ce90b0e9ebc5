import { listOf, objectOf, parseDocument } from '../config.ts';
import { formatReference, type Reference } from '../reference.ts';
import { ImageError } from '../error.ts';
import type { Host } from '../../host/host.ts';
import { RegistryError } from './error.ts';
import { configDirectory } from './registries-files.ts';

/**
 * Whether policy.json lets an image be fetched; throws `policy` when not. Signatures are not checked yet, so a rule that asks for one
 * refuses the image rather than passing it. Without a file everything is accepted. containers-policy.json(5)
 */
export function checkTrust(host: Host, reference: Reference): void {
  checkOrigin(host, { transport: 'docker', name: formatReference(reference), scopes: scopesOf(reference) });
}

/** What an archive or a directory is called there: containers-transports(5). */
export type ArchiveTransport = 'docker-archive' | 'oci-archive' | 'oci' | 'dir' | 'tarball';

/** The same for what is loaded or imported; without a path it came by standard input. Some have no scopes but all of them. */
export function checkArchiveTrust(host: Host, transport: ArchiveTransport, path: string | undefined): void {
  const scopes = transport === 'docker-archive' || transport === 'tarball' ? [] : withParents(path ?? '');
  checkOrigin(host, { transport, name: `${transport}:${path ?? 'standard input'}`, scopes: [...scopes, ''] });
}

interface Origin {
  readonly transport: string;
  /** For messages. */
  readonly name: string;
  /** The most specific first; empty text: the whole transport. */
  readonly scopes: readonly string[];
}

function checkOrigin(host: Host, origin: Origin): void {
  const own = configDirectory(host);
  for (const file of [...(own === undefined ? [] : [`${own}/policy.json`]), '/etc/containers/policy.json']) {
    const bytes = host.readFileIfExists(file, 4 << 20);
    if (bytes === undefined) continue;
    try {
      applyRequirements(file, origin, requirementsFor(file, bytes, origin));
    } catch (error) {
      if (error instanceof RegistryError || !(error instanceof ImageError)) throw error;
      throw new RegistryError('configuration', error.message);
    }
    return;
  }
}

interface Chosen {
  /** Where in the file. */
  readonly rule: string;
  readonly requirements: readonly unknown[];
}

/** The most specific scope of the transport, else the default. */
function requirementsFor(file: string, bytes: string, origin: Origin): Chosen {
  const top = objectOf(parseDocument(bytes, file), file);
  const transports = objectOf(top['transports'] ?? {}, `${file}: transports`);
  const whole = `transports.${origin.transport}`;
  const scopes = objectOf(transports[origin.transport] ?? {}, `${file}: ${whole}`);
  const scope = origin.scopes.find(one => Object.hasOwn(scopes, one));
  const rule = scope === undefined ? 'default' : scope === '' ? whole : scope;
  const requirements = scope === undefined ? top['default'] : scopes[scope];
  return { rule, requirements: listOf(requirements, `${file}: ${rule}`) };
}

/** `host/a/b:tag`, `host/a/b`, `host/a`, `host`, `*.domain`…, and the whole transport. */
function scopesOf(reference: Reference): string[] {
  const found = [formatReference(reference), ...withParents(`${reference.registry}/${reference.path}`)];
  const labels = reference.registry.replace(/:\d+$/, '').split('.');
  for (let i = 1; i < labels.length; i++) found.push(`*.${labels.slice(i).join('.')}`);
  return [...found, ''];
}

function withParents(path: string): string[] {
  const found: string[] = [];
  for (let name = path; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('/')))) found.push(name);
  return found;
}

function applyRequirements(file: string, { name }: Origin, { rule, requirements }: Chosen): void {
  if (requirements.length === 0) throw new RegistryError('configuration', `${file}: ${rule} is an empty list`);
  for (const requirement of requirements) {
    const { type } = objectOf(requirement, `${file}: ${rule}`);
    if (type === 'insecureAcceptAnything') continue;
    if (type === 'reject') throw new RegistryError('policy', `${name}: ${file} rejects it (${rule})`);
    if (type === 'signedBy' || type === 'sigstoreSigned') {
      throw new RegistryError(
        'policy',
        `${name}: ${file} asks for a signature (${rule}: ${type}), which this version cannot check`,
      );
    }
    throw new RegistryError('configuration', `${file}: ${rule}: ${JSON.stringify(type)} is not a type of requirement`);
  }
}
