import { dockerReference, formatReference, localReference, parseReference, type Reference } from '../reference.ts';
import { RegistryError } from './error.ts';
import type { RegistriesConf } from './registries-conf.ts';

/**
 * The full references that a name may mean, likeliest first: as written; or what an alias says; or the same path in each of the
 * registries to be searched. containers-registries.conf(5), SHORT-NAME ALIASING
 */
export function fullReferences(conf: RegistriesConf, name: string): Reference[] {
  const written = parseReference(name);
  if (written === undefined) {
    throw new RegistryError(
      'configuration',
      `${name}: not a name of an image; write REGISTRY/PATH:TAG, the path in lower case`,
    );
  }
  if (written.registry !== '') return [localReference(written)];
  const alias = conf.aliases.get(written.path) ?? '';
  if (alias !== '') return [aliased(conf, written, alias)];
  const found = conf.search.map(registry => {
    const reference = parseReference(formatReference({ ...written, registry }));
    if (reference?.registry === registry) return dockerReference(reference);
    throw new RegistryError(
      'configuration',
      `${conf.file}: unqualified-search-registries: ${registry} is not the name of a registry`,
    );
  });
  if (found.length === 0) {
    throw new RegistryError(
      'configuration',
      `${name}: a short name, and no alias or search registry of ${conf.file} says whose; write it in full, as in docker.io/${formatReference(dockerReference(written)).replace(/^docker\.io\//, '')}`,
    );
  }
  if (found.length > 1 && conf.mode === 'enforcing') {
    const names = found.map(formatReference).join(', ');
    throw new RegistryError(
      'configuration',
      `${name}: a short name that may mean ${names}; write one in full (short-name-mode is enforcing)`,
    );
  }
  return found;
}

/** An alias has no tag and no digest; those written stay. */
function aliased(conf: RegistriesConf, written: Reference, alias: string): Reference {
  const target = parseReference(alias);
  if (target === undefined || target.registry === '' || target.digest !== undefined) {
    throw new RegistryError('configuration', `${conf.file}: alias ${written.path}: ${alias} is not REGISTRY/PATH`);
  }
  return localReference({ ...written, registry: target.registry, path: target.path });
}
