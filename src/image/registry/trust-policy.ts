import { listOf, objectOf, parseDocument } from '../config.ts';
import { formatReference, type Reference } from '../reference.ts';
import { ImageError } from '../error.ts';
import type { Host } from '../../host/host.ts';
import { RegistryError } from './error.ts';
import { configDirectory } from './registries-conf.ts';

/**
 * Whether policy.json lets an image be fetched; throws `policy` when not. Signatures are not checked yet, so a rule that asks for one
 * refuses the image rather than passing it. Without a file everything is accepted. containers-policy.json(5)
 */
export function checkTrust(host: Host, reference: Reference): void {
  const own = configDirectory(host);
  for (const file of [...(own === undefined ? [] : [`${own}/policy.json`]), '/etc/containers/policy.json']) {
    const bytes = host.readFileIfExists(file, 4 << 20);
    if (bytes === undefined) continue;
    try {
      applyRequirements(file, reference, requirementsFor(file, bytes, reference));
    } catch (error) {
      if (error instanceof RegistryError || !(error instanceof ImageError)) throw error;
      throw new RegistryError('configuration', error.message);
    }
    return;
  }
}

interface Chosen {
  readonly scope: string;
  readonly requirements: readonly unknown[];
}

/** The most specific scope of `transports.docker`, else the default. */
export function requirementsFor(file: string, bytes: string, reference: Reference): Chosen {
  const top = objectOf(parseDocument(bytes, file), file);
  const transports = objectOf(top['transports'] ?? {}, `${file}: transports`);
  const scopes = objectOf(transports['docker'] ?? {}, `${file}: transports.docker`);
  const scope = scopesOf(reference).find(one => Object.hasOwn(scopes, one));
  const requirements = scope === undefined ? top['default'] : scopes[scope];
  return { scope: scope ?? 'default', requirements: listOf(requirements, `${file}: ${scope ?? 'default'}`) };
}

/** `host/a/b:tag`, `host/a/b`, `host/a`, `host`, `*.domain`…, and the whole transport. */
function scopesOf(reference: Reference): string[] {
  const found = [formatReference(reference)];
  for (let name = `${reference.registry}/${reference.path}`; name !== '';) {
    found.push(name);
    const slash = name.lastIndexOf('/');
    name = slash < 0 ? '' : name.slice(0, slash);
  }
  const labels = reference.registry.replace(/:\d+$/, '').split('.');
  for (let i = 1; i < labels.length; i++) found.push(`*.${labels.slice(i).join('.')}`);
  return [...found, ''];
}

function applyRequirements(file: string, reference: Reference, { scope, requirements }: Chosen): void {
  const name = formatReference(reference);
  const rule = scope === '' ? 'transports.docker' : scope;
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
