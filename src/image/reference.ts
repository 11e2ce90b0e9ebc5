import { parseDigest } from './digest.ts';
import type { Digest } from './types.ts';

/**
 * The name of an image, `[REGISTRY/]PATH[:TAG][@DIGEST]`, in its parts.
 * https://github.com/distribution/reference/blob/v0.6.0/reference.go (grammar); a tag beside a digest does not count.
 */
export interface Reference {
  /** Empty: a short name. */
  readonly registry: string;
  /** `library/busybox` */
  readonly path: string;
  /** `latest` when neither tag nor digest was written. */
  readonly tag: string;
  readonly digest?: Digest;
}

/** undefined when it is not of the form. */
export function parseReference(text: string): Reference | undefined {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : parseDigest(text.slice(at + 1));
  if (at >= 0 && digest === undefined) return undefined;
  let rest = at < 0 ? text : text.slice(0, at);
  let tag = 'latest';
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!isTag(tag)) return undefined;
  }
  const slash = rest.indexOf('/');
  const first = slash < 0 ? '' : rest.slice(0, slash);
  const isRegistry = first === 'localhost' || first.includes('.') || first.includes(':');
  const registry = isRegistry ? first : '';
  const path = isRegistry ? rest.slice(slash + 1) : rest;
  if ((isRegistry && !isHost(registry)) || !isPath(path)) return undefined;
  return digest === undefined ? { registry, path, tag } : { registry, path, tag, digest };
}

/** The reference in full, as it is stored and shown. A short name must have been given a registry before. */
export function formatReference(reference: Reference): string {
  const name = reference.registry === '' ? reference.path : `${reference.registry}/${reference.path}`;
  return reference.digest === undefined ? `${name}:${reference.tag}` : `${name}@${reference.digest}`;
}

/** A name for a new image: a short one belongs to `localhost`, as with Podman. */
export function localReference(reference: Reference): Reference {
  return reference.registry === '' ? { ...reference, registry: 'localhost' } : dockerLibrary(reference);
}

/** The full names which a name may mean, likeliest first. */
export function candidates(reference: Reference): string[] {
  if (reference.registry !== '') return [formatReference(dockerLibrary(reference))];
  const docker = dockerLibrary({ ...reference, registry: 'docker.io' });
  return [formatReference({ ...reference, registry: 'localhost' }), formatReference(docker)];
}

/** A name of an archive that was written for Docker: short names there are those of Docker's registry. */
export function dockerReference(reference: Reference): Reference {
  return dockerLibrary(reference.registry === '' ? { ...reference, registry: 'docker.io' } : reference);
}

/** `docker.io/busybox` is `docker.io/library/busybox`. */
function dockerLibrary(reference: Reference): Reference {
  const registry = reference.registry === 'index.docker.io' ? 'docker.io' : reference.registry;
  const short = registry === 'docker.io' && !reference.path.includes('/');
  return { ...reference, registry, path: short ? `library/${reference.path}` : reference.path };
}

const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const HOST = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

function isTag(text: string): boolean {
  return TAG.test(text);
}

function isHost(text: string): boolean {
  return text.length <= 255 && HOST.test(text);
}

function isPath(text: string): boolean {
  return text.length <= 255 && text.split('/').every(component => COMPONENT.test(component));
}
