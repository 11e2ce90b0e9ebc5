import type { WholeFile } from '../../host/beside.ts';
import type { Host } from '../../host/host.ts';
import { findLayer } from '../additional.ts';
import type { ImageFacts } from '../config.ts';
import { ImageError } from '../error.ts';
import { nameFile, readName } from '../names.ts';
import { pulledFile, readPulled, type PulledRecord } from '../pulled.ts';
import { notedPlatform } from '../registry/platform.ts';
import type { ImageManifest, Platform } from '../registry/types.ts';
import type { ImageRecord } from '../types.ts';
import type { WantedLayer } from './layers.ts';

/** Whether manifest and configuration fit each other and the wish. Throws ImageError. */
export function checkImage(
  reference: string,
  request: {
    readonly platform: Platform;
    readonly strict: boolean;
    readonly say: (line: string) => void;
  },
  manifest: ImageManifest,
  facts: ImageFacts,
): void {
  if (manifest.layers.length !== facts.layers.length) {
    throw new ImageError(
      `${reference}: ${manifest.layers.length} layers, but the image's configuration lists ${facts.layers.length}`,
    );
  }
  const { os, architecture } = request.platform;
  if (facts.os === os && facts.architecture === architecture) return;
  const line = `${reference}: the image is for ${facts.os}/${facts.architecture}, not for ${os}/${architecture}`;
  if (request.strict) throw new ImageError(line);
  request.say(`warning: ${line}`);
}

/** Each layer once, though an image may have the same one several times. */
export function missingLayers(
  host: Host,
  store: string,
  manifest: ImageManifest,
  diffIds: ImageRecord['layers'],
): WantedLayer[] {
  const wanted = new Map<string, WantedLayer>();
  for (const [index, diffId] of diffIds.entries()) {
    const blob = manifest.layers[index];
    if (blob === undefined || wanted.has(diffId) || findLayer(host, store, diffId) !== undefined) continue;
    wanted.set(diffId, { diffId, digest: blob.digest, size: blob.size, mediaType: blob.mediaType });
  }
  return [...wanted.values()];
}

/** What the last pull noted, if it was for the same platform: an index has one digest for all of them. */
export function pulledFor(host: Host, store: string, reference: string, platform: Platform): PulledRecord | undefined {
  const known = readPulled(host, store, reference);
  return known?.platform === notedPlatform(platform) ? known : undefined;
}

/** What names it, which comes last. Which image the name meant before is kept: the one version back that garbage collection spares. */
export function namesOf(
  host: Host,
  store: string,
  reference: string,
  id: string,
  manifest: ImageManifest,
  platform: Platform,
): WholeFile[] {
  const before = readName(host, store, reference);
  const previous = before === undefined || before === id ? readPulled(host, store, reference)?.previous : before;
  const pulled = pulledFile(host, store, reference, {
    version: 1,
    image: id,
    digest: manifest.named,
    platform: notedPlatform(platform),
    ...(previous === undefined ? {} : { previous }),
    time: host.now(),
  });
  return before === id ? [pulled] : [nameFile(store, reference, id), pulled];
}
