import { HostError, type Host } from '../host/host.ts';
import { adoptImage, adoptionPlace, adoptLayer, missingLayers } from '../image/adopt.ts';
import { parseDigest } from '../image/digest.ts';
import { ImageError } from '../image/error.ts';
import { EXPORT, flatMap, layerCalls } from '../image/layer-calls.ts';
import { storeMap } from '../image/store-map.ts';
import type { LayerRecord } from '../image/types.ts';
import { ENTRIES_OF_LAYER } from '../image/unpack-limit.ts';
import { TRANSFERS } from './layer-transfer.ts';

/**
 * `berth layer ACTION WORD…`, hidden: what load, import and rmi (Node) cannot do themselves. Words are `NAME=VALUE`.
 *
 *   apply target=DIR [offset=N] [length=N] [blob=DIGEST] [diff=DIGEST] [as=DIGEST] [bytes=N] [entries=N] [userns=FD]
 *         reads a layer from standard input, unpacks it into DIR/fs, writes DIR/layer.json, prints an ApplyAnswer as JSON;
 *         `blob` and `diff` are verified, `as` is taken on trust (a layer that was exported has no digest of its own)
 *   hold                      a user namespace with the account's ids, kept until standard input ends; prints the pid of a process in it
 *   missing name=REF id=HEX layer=DIGEST…   which of these the account's store lacks, one a line; `whole` when there is nothing to do
 *   adopt as=DIGEST           unpacks a layer from standard input straight into the account's store
 *   adopt-image               the documents of an image (JSON of Handover on standard input)
 *   export source=DIR         the layer in DIR as a tar stream on standard output
 *   export-tree source=DIR [living=1]   any directory as a tar stream on standard output; it may change meanwhile
 *   assemble source=DIR       the tar stream that the layer in DIR came as, put together again, on standard output
 *   verify source=DIR [sha512=1]   the digest of that stream
 *   plain [bytes=N] [ratio=N] standard input decompressed on standard output
 *   remove path=PATH…         trees whose files belong to mapped ids
 *   lock count=N [wait=1]     flock(2) on the N descriptors from 3 on, which stay our caller's; prints the numbers of those that are ours
 *   and those of src/verbs/layer-transfer.ts
 *   sync path=DIR             everything on that file system reaches the disk
 */
export function main(host: Host): number {
  const words = host.argv.slice(host.argv.indexOf('layer') + 1);
  const action = ACTIONS.get(words[0] ?? '');
  if (action === undefined)
    throw new ImageError(`layer: ${words[0] ?? 'nothing'}: not one of ${[...ACTIONS.keys()].join(', ')}`);
  const values = words.slice(1).map((word): [string, string] => {
    const equal = word.indexOf('=');
    return [word.slice(0, equal), word.slice(equal + 1)];
  });
  layerCalls(host).dieWithParent();
  action(host, values);
  return 0;
}

type Values = readonly (readonly [string, string])[];

/** What `apply` prints. */
export interface ApplyAnswer extends LayerRecord {
  readonly blobSize: number;
  readonly warnings: readonly string[];
}

const ACTIONS = new Map<string, (host: Host, values: Values) => void>([
  ['apply', apply],
  ['hold', host => layerCalls(host).holdUserns(flatMap(storeMap(host)))],
  ['lock', lock],
  ['missing', missing],
  ['adopt', adopt],
  ['adopt-image', host => adoptImage(host, host.readFile('/dev/stdin'))],
  ['export', (host, values) => layerCalls(host).exportLayer(`${required(values, 'source')}/fs`, 1, 0)],
  ['export-tree', exportTree],
  ['assemble', (host, values) => void assemble(host, values, 1)],
  ['verify', (host, values) => host.write(1, `${assemble(host, values, -1)}\n`)],
  ['plain', plain],
  ['remove', remove],
  ...TRANSFERS,
  ['sync', (host, values) => layerCalls(host).syncFileSystem(required(values, 'path'))],
]);

/** More than any real layer; a bomb ends here (T34). */
const BYTE_LIMIT = 64 * 2 ** 30;

function apply(host: Host, values: Values): void {
  const target = required(values, 'target');
  const [blob, diff, trusted] = ['blob', 'diff', 'as'].map(name => digestOf(values, name));
  const map = flatMap(storeMap(host));
  host.mkdir(target, 0o700);
  host.mkdir(`${target}/fs`, 0o755);
  // A stream that root exported has no digest that anybody knows: nothing is to be put together again.
  const recipe = trusted === undefined ? openRecipe(host, target) : -1;
  const answer = layerCalls(host).applyLayer(
    `${target}/fs`,
    {
      source: 0,
      offset: numberOf(values, 'offset', -1),
      length: numberOf(values, 'length', -1),
      sha512Blob: blob?.startsWith('sha512') ?? false,
      sha512Diff: diff?.startsWith('sha512') ?? false,
      needsEnd: diff === undefined && blob === undefined,
      byteLimit: numberOf(values, 'bytes', BYTE_LIMIT),
      entryLimit: numberOf(values, 'entries', ENTRIES_OF_LAYER),
      recipe,
      userns: numberOf(values, 'userns', 0),
    },
    map,
  );
  if (blob !== undefined && answer.blob !== blob) {
    throw new ImageError(`the layer's digest is ${answer.blob}, but the manifest says ${blob}: the archive is corrupt`);
  }
  if (diff !== undefined && answer.diffId !== diff) {
    throw new ImageError(
      `the unpacked layer's digest is ${answer.diffId}, but the image says ${diff}: the archive is corrupt`,
    );
  }
  if (recipe >= 0) host.close(recipe);
  if (answer.replaced) host.unlink(`${target}/recipe`);
  const diffId = trusted ?? parseDigest(answer.diffId);
  const blobDigest = parseDigest(answer.blob);
  if (diffId === undefined || blobDigest === undefined) throw new ImageError('the layer has no digest');
  const record: LayerRecord = { version: 1, diffId, blob: blobDigest, size: answer.size, entries: answer.entries };
  host.writeFile(`${target}/layer.json`, `${JSON.stringify(record)}\n`, 0o600);
  const full: ApplyAnswer = {
    ...record,
    blobSize: answer.blobSize,
    warnings: answer.warnings.split('\n').filter(line => line !== ''),
  };
  host.write(1, `${JSON.stringify(full)}\n`);
}

const O_WRONLY = 1;

function openRecipe(host: Host, target: string): number {
  host.writeFile(`${target}/recipe`, '', 0o600);
  return host.open(`${target}/recipe`, O_WRONLY);
}

function assemble(host: Host, values: Values, target: number): string {
  const source = required(values, 'source');
  if (host.lstat(`${source}/recipe`) === undefined) throw new ImageError(`${source}: the layer has no recipe`);
  const recipe = host.open(`${source}/recipe`, 0);
  const wide = numberOf(values, 'sha512', 0) === 1;
  return layerCalls(host).assembleLayer(`${source}/fs`, recipe, target, wide, flatMap(storeMap(host)));
}

/** The caller opened the files: its lock is on its own descriptors, and lasts as long as they do. */
function lock(host: Host, values: Values): void {
  const wait = numberOf(values, 'wait', 0) === 1;
  const numbers = Array.from({ length: numberOf(values, 'count', 1) }, (_, index) => index);
  const ours = numbers.filter(number => layerCalls(host).lockDescriptor(3 + number, wait));
  host.write(1, `${ours.join(' ')}\n`);
}

function missing(host: Host, values: Values): void {
  const layers = values.filter(([name]) => name === 'layer').map(([, text]) => parseDigest(text));
  const lacking = missingLayers(
    host,
    required(values, 'name'),
    required(values, 'id'),
    layers.filter(layer => layer !== undefined),
  );
  host.write(1, lacking === undefined ? 'whole\n' : lacking.map(layer => `${layer}\n`).join(''));
}

function adopt(host: Host, values: Values): void {
  const diffId = digestOf(values, 'as');
  if (diffId === undefined) throw new ImageError('layer: the word as= is missing');
  const { store, target } = adoptionPlace(host, diffId);
  try {
    apply(host, [...values, ['target', target]]);
  } catch (error) {
    layerCalls(host).removeLayers([target], flatMap(storeMap(host)));
    throw error;
  }
  adoptLayer(host, store, target, diffId);
}

function exportTree(host: Host, values: Values): void {
  const flags = numberOf(values, 'living', 0) === 1 ? EXPORT.LIVING : 0;
  layerCalls(host).exportLayer(required(values, 'source'), 1, flags);
}

function remove(host: Host, values: Values): void {
  const paths = values.filter(([name]) => name === 'path').map(([, path]) => path);
  // Where there is no map an account still owns what it made itself.
  let map;
  try {
    map = storeMap(host);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    for (const path of paths) removeOwn(host, path);
    return;
  }
  layerCalls(host).removeLayers(paths, flatMap(map));
}

function removeOwn(host: Host, path: string): void {
  try {
    host.removeTree(path);
  } catch (error) {
    if (error instanceof HostError) throw new ImageError(error.message);
    throw error;
  }
}

function plain(host: Host, values: Values): void {
  layerCalls(host).plain(0, 1, numberOf(values, 'bytes', BYTE_LIMIT), numberOf(values, 'ratio', 0));
}

function required(values: Values, name: string): string {
  const value = values.find(([key]) => key === name)?.[1];
  if (value === undefined || value === '') throw new ImageError(`layer: the word ${name}= is missing`);
  return value;
}

function digestOf(values: Values, name: string): ReturnType<typeof parseDigest> {
  const value = values.find(([key]) => key === name)?.[1];
  const digest = parseDigest(value);
  if (value !== undefined && digest === undefined) throw new ImageError(`layer: ${name}=${value} is no digest`);
  return digest;
}

function numberOf(values: Values, name: string, otherwise: number): number {
  const value = values.find(([key]) => key === name)?.[1];
  if (value === undefined) return otherwise;
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) throw new ImageError(`layer: ${name}=${value} is no number`);
  return number;
}
