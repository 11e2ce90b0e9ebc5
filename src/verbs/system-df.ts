import { SYSTEM_DF } from '../command/options-image.ts';
import { globalValue, isSet, lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { sharedBytes, totalBytes } from '../image/collect.ts';
import { ImageError } from '../image/error.ts';
import { storeDirectory } from '../image/store.ts';
import { isAlive, listContainers } from '../run/containers.ts';
import { layerPath } from '../run/layer.ts';
import { commandLine } from './command-line.ts';
import { diskBytes, layerSizes } from './disk-bytes.ts';
import { fillRows, renderTable } from './format.ts';
import { fillGoTemplate } from './go-template-fill.ts';
import { sizeText } from './images.ts';
import { usedImages, type UsedImages } from './used-images.ts';

/** `berth system df`: what the store takes on its disk. A layer that images share is counted once, and freed only with the last of them. */
export function main(host: Host): number {
  const command = commandLine(host, SYSTEM_DF);
  if (typeof command === 'number') return command;
  const store = globalValue(command, 'root') ?? storeDirectory(host);
  const used = usedImages(host, store);
  const format = lastValue(command, 'format') ?? '';
  if (isSet(command, 'verbose')) {
    if (format !== '') throw new ImageError('--format and --verbose exclude each other');
    host.write(1, verbose(host, store, used));
    return 0;
  }
  const rows = [imageRow(host, store, used), containerRow(host, store), volumeRow(host, store)];
  if (format === 'json') host.write(1, `${JSON.stringify(rows, undefined, 4)}\n`);
  else if (format === '' || format.startsWith('table ')) {
    const table =
      format === '' ? '{{.Type}}\\t{{.Total}}\\t{{.Active}}\\t{{.Size}}\\t{{.Reclaimable}}' : format.slice(6);
    host.write(1, renderTable(table, HEADINGS, rows.map(cells), true, fillGoTemplate));
  } else
    host.write(
      1,
      fillRows(format, rows.map(cells), fillGoTemplate)
        .map(line => `${line}\n`)
        .join(''),
    );
  return 0;
}

interface Row {
  readonly Type: string;
  readonly Total: number;
  readonly Active: number;
  /** Bytes. */
  readonly RawSize: number;
  readonly RawReclaimable: number;
}

const HEADINGS = {
  Type: 'TYPE',
  Total: 'TOTAL',
  Active: 'ACTIVE',
  Size: 'SIZE',
  Reclaimable: 'RECLAIMABLE',
};

function cells(row: Row): Record<string, string> {
  const percent = row.RawSize === 0 ? 0 : Math.round((row.RawReclaimable / row.RawSize) * 100);
  return {
    Type: row.Type,
    Total: String(row.Total),
    Active: String(row.Active),
    Size: sizeText(row.RawSize),
    Reclaimable: `${sizeText(row.RawReclaimable)} (${percent}%)`,
  };
}

/** What belongs to images beside their layers. */
const DOCUMENTS = ['blobs', 'images', 'names', 'pulled', 'tmp'];

/** Reclaimable: what `image prune --all` gives back, which takes what pulls have kept, too. */
function imageRow(host: Host, store: string, used: UsedImages): Row {
  const sizes = layerSizes(host, store);
  const kept = used.images.filter(image => used.byContainers.has(image.id) || used.byUnits.has(image.id));
  const partial = diskBytes(host, [`${store}/partial`]);
  const documents = diskBytes(
    host,
    DOCUMENTS.map(name => `${store}/${name}`),
  );
  return {
    Type: 'Images',
    Total: used.images.length,
    Active: used.images.filter(image => used.byContainers.has(image.id)).length,
    RawSize: sizes.total + documents + partial,
    RawReclaimable: sizes.total - totalBytes(kept, sizes.of) + partial,
  };
}

function containerRow(host: Host, store: string): Row {
  const all = listContainers(host);
  const rows = all.map(one => ({
    running: one.state !== undefined && isAlive(host, one.state),
    bytes: diskBytes(host, [layerPath(store, one.name)]),
  }));
  return {
    Type: 'Containers',
    Total: rows.length,
    Active: rows.filter(row => row.running).length,
    RawSize: sum(rows.map(row => row.bytes)),
    RawReclaimable: sum(rows.filter(row => !row.running).map(row => row.bytes)),
  };
}

/** Data of people: never called reclaimable. */
function volumeRow(host: Host, store: string): Row {
  const directory = `${store}/volumes`;
  const names = host.stat(directory) === undefined ? [] : host.list(directory).filter(one => one.kind === 'directory');
  const bytes = diskBytes(
    host,
    names.map(({ name }) => `${directory}/${name}`),
  );
  return { Type: 'Local Volumes', Total: names.length, Active: 0, RawSize: bytes, RawReclaimable: 0 };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

function verbose(host: Host, store: string, used: UsedImages): string {
  const bytes = sharedBytes(used.images, layerSizes(host, store).of);
  const rows = used.images.map(image => {
    const { unique, shared } = bytes.get(image.id) ?? { unique: 0, shared: 0 };
    return {
      Name: used.names.get(image.id)?.join(', ') ?? '<none>',
      ID: image.id.slice(0, 12),
      Size: sizeText(unique + shared),
      Shared: sizeText(shared),
      Unique: sizeText(unique),
      Used: [used.byContainers.has(image.id) ? 'container' : '', used.byUnits.has(image.id) ? 'unit' : '']
        .filter(word => word !== '')
        .join(', '),
    };
  });
  const headings = {
    Name: 'IMAGE',
    ID: 'IMAGE ID',
    Size: 'SIZE',
    Shared: 'SHARED SIZE',
    Unique: 'UNIQUE SIZE',
    Used: 'USED BY',
  };
  const table = '{{.Name}}\\t{{.ID}}\\t{{.Size}}\\t{{.Shared}}\\t{{.Unique}}\\t{{.Used}}';
  return renderTable(table, headings, rows, true, fillGoTemplate);
}
