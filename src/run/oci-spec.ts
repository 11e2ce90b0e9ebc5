import type { Host } from '../host/host.ts';
import { storeMap } from '../image/store-map.ts';
import type { Spec, SpecIdMapping } from '../plan/spec.ts';
import { Failure } from './failure.ts';

/** config.json of a bundle; a Failure (1) names what it lacks. */
export function readSpec(host: Host, bundle: string): Spec {
  const path = `${bundle}/config.json`;
  const text = host.readFileIfExists(path, 16 << 20);
  if (text === undefined) throw new Failure(1, `${path}: no such file; --bundle names the directory of a bundle`);
  let spec: Spec;
  try {
    spec = JSON.parse(text) as Spec;
  } catch (error) {
    throw new Failure(1, `${path}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!/^1\./.test(spec.ociVersion)) throw new Failure(1, `${path}: ociVersion ${String(spec.ociVersion)} is not 1.x`);
  if (typeof spec.root?.path !== 'string') throw new Failure(1, `${path}: root.path is missing`);
  if (spec.linux === undefined) throw new Failure(1, `${path}: linux is missing`);
  if (spec.process === undefined) throw new Failure(1, `${path}: process is missing`);
  return spec;
}

/**
 * A new user namespace without mappings would have no root, and config-linux.md of the runtime specification leaves open what it gets. An account
 * gets what its other containers have: itself as root, and its subordinate ids (`crun spec --rootless` writes such bundles).
 */
export function withMaps(host: Host, spec: Spec): Spec {
  const { linux } = spec;
  const isNew = (linux.namespaces ?? []).some(one => one.type === 'user' && (one.path ?? '') === '');
  const mapped = (linux.uidMappings ?? []).length > 0 || (linux.gidMappings ?? []).length > 0;
  if (host.euid === 0 || !isNew || mapped) return spec;
  const { uid, gid } = storeMap(host);
  return { ...spec, linux: { ...linux, uidMappings: uid.map(mappingOf), gidMappings: gid.map(mappingOf) } };
}

function mappingOf(line: { inside: number; outside: number; count: number }): SpecIdMapping {
  return { containerID: line.inside, hostID: line.outside, size: line.count };
}
