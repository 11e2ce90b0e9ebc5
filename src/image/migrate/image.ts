import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { parseJson } from '../../base/json.ts';
import type { Host } from '../../host/host.ts';
import { findLayer } from '../additional.ts';
import { settle, writeNamed } from '../archive/ingest.ts';
import { feedLayer } from '../archive/program.ts';
import { parseImageConfig } from '../config.ts';
import { digestHex, digestName, parseDigest } from '../digest.ts';
import { ImageError } from '../error.ts';
import { readName } from '../names.ts';
import { formatReference, parseReference } from '../reference.ts';
import type { ArchiveImage } from '../archive/types.ts';
import type { Digest } from '../types.ts';
import {
  bigData,
  layerTree,
  tarSplitPath,
  type PodmanImage,
  type PodmanLayer,
  type PodmanStore,
} from './podman-store.ts';

/** What is to be done for one image. */
export interface ImagePlan {
  readonly image: Omit<ArchiveImage, 'layers' | 'names'>;
  /** Layers that our store lacks, and Podman's names of them. */
  readonly missing: ReadonlyMap<Digest, PodmanLayer>;
  /** Full references that it is to get here. */
  readonly names: readonly string[];
  /** Names that mean another image here, which stays. */
  readonly taken: readonly string[];
}

/** Reads an image of Podman's and compares it with our store. Throws ImageError when it cannot come over. */
export function planImage(
  host: Host,
  store: string,
  source: PodmanStore,
  image: PodmanImage,
  layers: ReadonlyMap<string, PodmanLayer>,
): ImagePlan {
  const manifest = bigData(host, source, image, 'manifest');
  if (manifest === undefined) throw new ImageError('its manifest is missing');
  const named = (parseJson(manifest) as { config?: { digest?: unknown } } | null)?.config?.digest;
  const digest = parseDigest(typeof named === 'string' ? named : '');
  if (digest === undefined) throw new ImageError('its manifest is of an old form (schema 1); pull it again');
  const configuration = bigData(host, source, image, digest);
  if (configuration === undefined) throw new ImageError('its configuration is missing');
  const id = sha256(configuration);
  if (id !== digestHex(digest)) throw new ImageError('its configuration is not what its digest says');
  const facts = parseImageConfig(configuration);
  const chain = chainOf(image, layers);
  if (chain.length !== facts.layers.length)
    throw new ImageError(`it has ${chain.length} layers, but its configuration lists ${facts.layers.length}`);
  const missing = new Map<Digest, PodmanLayer>();
  for (const [index, diffId] of facts.layers.entries()) {
    const layer = chain[index];
    if (layer === undefined || findLayer(host, store, diffId) !== undefined) continue;
    if (host.lstat(tarSplitPath(source, layer.id)) === undefined)
      throw new ImageError(`layer ${diffId.slice(0, 19)}: Podman has not kept how it was packed; pull the image again`);
    missing.set(diffId, layer);
  }
  const manifestDigest = parseDigest(`sha256:${sha256(manifest)}`);
  return {
    image: {
      id,
      configuration,
      facts,
      ...(manifestDigest === undefined ? {} : { manifest: { digest: manifestDigest, bytes: manifest } }),
    },
    missing,
    ...namesOf(host, store, image, id),
  };
}

function namesOf(host: Host, store: string, image: PodmanImage, id: string): Pick<ImagePlan, 'names' | 'taken'> {
  const full = image.names.flatMap(name => {
    const parsed = parseReference(name);
    return parsed === undefined || parsed.registry === '' ? [] : [formatReference(parsed)];
  });
  const owners = full.map(name => ({ name, owner: readName(host, store, name) }));
  return {
    names: owners.filter(({ owner }) => owner === undefined).map(({ name }) => name),
    taken: owners.filter(({ owner }) => owner !== undefined && owner !== id).map(({ name }) => name),
  };
}

/** Lowest layer first. */
function chainOf(image: PodmanImage, layers: ReadonlyMap<string, PodmanLayer>): PodmanLayer[] {
  const chain: PodmanLayer[] = [];
  for (let id = image.layer; id !== '';) {
    const layer = layers.get(id);
    if (layer === undefined || chain.includes(layer)) throw new ImageError(`its layer ${id.slice(0, 12)} is missing`);
    chain.unshift(layer);
    id = layer.parent;
  }
  return chain;
}

/** Does it: layers first, each verified against its diff id, then the documents, the names last. */
export async function migrateImage(
  host: Host,
  store: string,
  work: string,
  source: PodmanStore,
  plan: ImagePlan,
  say: (line: string) => void,
): Promise<void> {
  const targets = new Map<Digest, string>();
  for (const [diffId, layer] of plan.missing) {
    const target = `${work}/${digestName(diffId)}`;
    const answer = await feedLayer(
      ['apply', `target=${target}`, `diff=${diffId}`],
      new AbortController().signal,
      (sink, signal) => streamLayer(host, source, layer, sink, signal),
    );
    for (const line of (JSON.parse(answer) as { warnings: string[] }).warnings) say(`warning: ${line}`);
    targets.set(diffId, target);
  }
  if (targets.size > 0) await settle(host, store, targets);
  if (!(await writeNamed(host, store, { ...plan.image, names: plan.names })))
    throw new ImageError('its layers are removed as fast as they come; try again');
}

/** Another of us writes the tar stream: for an account in its user namespace, where its files can be read. */
async function streamLayer(
  host: Host,
  source: PodmanStore,
  layer: PodmanLayer,
  sink: (chunk: Uint8Array) => void | Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const inside = host.euid === 0 ? [] : ['unshare', '--user', '--map-auto', '--map-root-user', '--'];
  const words = [process.execPath, process.argv[1] ?? '', 'system', 'migrate-layer'];
  const [program = '', ...rest] = [...inside, ...words, tarSplitPath(source, layer.id), layerTree(source, layer.id)];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
  let complaint = '';
  child.stderr.setEncoding('latin1').on('data', (text: string) => (complaint += text.slice(0, 4096)));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  ended.catch(() => undefined);
  for await (const chunk of child.stdout) await sink(chunk as Uint8Array);
  if ((await ended) !== 0)
    throw new ImageError(
      `layer ${layer.id.slice(0, 12)}: ${complaint.split('\n')[0]?.replace(/^berth: /, '') ?? 'cannot be read'}`,
    );
}

function sha256(bytes: string): string {
  return createHash('sha256').update(Buffer.from(bytes, 'latin1')).digest('hex');
}
