import { parseJson } from '../base/json.ts';
import { IMAGE_INSPECT } from '../command/options-image.ts';
import { globalValue, lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { configurationDigest, findBlob, findLayer } from '../image/additional.ts';
import { ImageError } from '../image/error.ts';
import { listNames } from '../image/names.ts';
import { readPulled } from '../image/pulled.ts';
import { findImage, type FoundImage } from '../image/resolve.ts';
import { storeDirectory } from '../image/store.ts';
import type { ImageRecord } from '../image/types.ts';
import { commandLine } from './command-line.ts';
import { say } from './edge.ts';
import { fillGoTemplate } from './go-template-fill.ts';
import { walkTemplate } from './template.ts';

/** `berth image inspect`: podman-image-inspect(1)'s shape. */
export function main(host: Host): number {
  const command = commandLine(host, IMAGE_INSPECT);
  if (typeof command === 'number') return command;
  const store = globalValue(command, 'root') ?? storeDirectory(host);
  const format = lastValue(command, 'format') ?? 'json';
  const shown: Record<string, unknown>[] = [];
  let status = 0;
  for (const name of command.operands) {
    const found = findImage(host, store, name);
    if (found === undefined) {
      say(host, `${name}: no such image in ${store}`);
      status = 125;
    } else shown.push(inspected(host, store, found));
  }
  if (format === 'json') host.write(1, `${JSON.stringify(shown, undefined, 5)}\n`);
  else host.write(1, shown.map(one => `${walkTemplate(host, format, one, fillGoTemplate)}\n`).join(''));
  return status;
}

function inspected(host: Host, store: string, found: FoundImage): Record<string, unknown> {
  const { record } = found;
  const text = findBlob(host, store, configurationDigest(record.id));
  if (text === undefined)
    throw new ImageError(`${record.id.slice(0, 12)}: its configuration is missing; berth system check`);
  const document = parseJson(text) as Record<string, unknown>;
  const config = (document['config'] ?? {}) as Record<string, unknown>;
  const names = listNames(host, found.store)
    .filter(name => name.id === record.id)
    .map(name => name.reference);
  const top = record.layers.at(-1);
  const layer = top === undefined ? undefined : findLayer(host, store, top)?.directory;
  return {
    Id: record.id,
    Digest: record.manifest ?? '',
    RepoTags: names.filter(name => !name.includes('@')),
    RepoDigests: digestsOf(host, found.store, record, names),
    Parent: '',
    Comment: (document['history'] as { comment?: string }[] | undefined)?.at(-1)?.comment ?? '',
    Created: record.created,
    Config: config,
    Version: '',
    Author: document['author'] ?? '',
    Architecture: record.architecture,
    Os: record.os,
    ...(document['variant'] === undefined ? {} : { Variant: document['variant'] }),
    Size: record.size,
    VirtualSize: record.size,
    GraphDriver: {
      Name: 'overlay',
      Data: { UpperDir: layer === undefined ? '' : `${layer}/fs` },
    },
    RootFS: { Type: 'layers', Layers: record.layers },
    Labels: config['Labels'] ?? null,
    Annotations: manifestOf(host, store, record)['annotations'] ?? {},
    ManifestType: manifestOf(host, store, record)['mediaType'] ?? '',
    User: record.config.user,
    History: document['history'] ?? [],
    NamesHistory: names,
  };
}

function digestsOf(host: Host, store: string, record: ImageRecord, names: readonly string[]): string[] {
  const found = new Set<string>();
  for (const name of names) {
    const repository = name.includes('@') ? name.slice(0, name.indexOf('@')) : name.slice(0, name.lastIndexOf(':'));
    if (record.manifest !== undefined) found.add(`${repository}@${record.manifest}`);
    const pulled = readPulled(host, store, name);
    if (pulled?.image === record.id) found.add(`${repository}@${pulled.digest}`);
  }
  return [...found];
}

function manifestOf(host: Host, store: string, record: ImageRecord): Record<string, unknown> {
  if (record.manifest === undefined) return {};
  const { manifest } = record;
  const text = findBlob(host, store, manifest);
  return text === undefined ? {} : (parseJson(text) as Record<string, unknown>);
}
