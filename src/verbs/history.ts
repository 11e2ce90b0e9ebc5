import { parseJson } from '../base/json.ts';
import { HISTORY } from '../command/options-image.ts';
import { globalValue, isSet, lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { configurationDigest, findBlob, findLayer } from '../image/additional.ts';
import { ImageError } from '../image/error.ts';
import { findImage } from '../image/resolve.ts';
import { storeDirectory } from '../image/store.ts';
import type { ImageRecord } from '../image/types.ts';
import { commandLine, printable } from './command-line.ts';
import { fillRows, renderTable } from './format.ts';
import { fillGoTemplate } from './go-template-fill.ts';
import { sizeText } from './images.ts';
import { agoOf } from './show.ts';

interface Entry {
  readonly created?: string;
  readonly created_by?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** `berth history`: how an image was made, the newest step first. */
export function main(host: Host): number {
  const command = commandLine(host, HISTORY);
  if (typeof command === 'number') return command;
  const store = globalValue(command, 'root') ?? storeDirectory(host);
  const [name = ''] = command.operands;
  const found = findImage(host, store, name);
  if (found === undefined) throw new ImageError(`${name}: no such image in ${store}`);
  const steps = stepsOf(host, store, found.record);
  const format = lastValue(command, 'format') ?? '';
  const full = isSet(command, 'no-trunc');
  if (format === 'json') {
    host.write(1, `${JSON.stringify(steps, undefined, 4)}\n`);
    return 0;
  }
  const rows = steps.map(step => cells(host, step, full, isSet(command, 'human', true)));
  if (isSet(command, 'quiet')) host.write(1, rows.map(row => `${row['ID'] ?? ''}\n`).join(''));
  else if (format === '' || format.startsWith('table '))
    host.write(1, renderTable(format === '' ? TABLE : format.slice(6), HEADINGS, rows, true, fillGoTemplate));
  else
    host.write(
      1,
      fillRows(format, rows, fillGoTemplate)
        .map(line => `${line}\n`)
        .join(''),
    );
  return 0;
}

const TABLE = '{{.ID}}\\t{{.Created}}\\t{{.CreatedBy}}\\t{{.Size}}\\t{{.Comment}}';
const HEADINGS = { ID: 'ID', Created: 'CREATED', CreatedBy: 'CREATED BY', Size: 'SIZE', Comment: 'COMMENT' };

interface Step {
  readonly id: string;
  readonly created: string;
  readonly CreatedBy: string;
  readonly size: number;
  readonly comment: string;
}

/** The configuration's history, newest first; only its last step has the image's id, as in Podman. */
function stepsOf(host: Host, store: string, record: ImageRecord): Step[] {
  const text = findBlob(host, store, configurationDigest(record.id)) ?? '{}';
  const history = (parseJson(text) as { history?: Entry[] }).history ?? [];
  const layers = record.layers.slice();
  const steps = history.map(entry => {
    const layer = entry.empty_layer === true ? undefined : layers.shift();
    const size = layer === undefined ? 0 : (findLayer(host, store, layer)?.record.size ?? 0);
    return {
      id: '<missing>',
      created: entry.created ?? '',
      CreatedBy: entry.created_by ?? '',
      size,
      comment: entry.comment ?? '',
    };
  });
  // Layers that the history does not know: it may be shorter than the image.
  for (const layer of layers)
    steps.push({
      id: '<missing>',
      created: '',
      CreatedBy: '',
      size: findLayer(host, store, layer)?.record.size ?? 0,
      comment: '',
    });
  return steps.reverse().map((step, index) => (index === 0 ? { ...step, id: record.id } : step));
}

function cells(host: Host, step: Step, full: boolean, human: boolean): Record<string, string> {
  const since = Date.parse(step.created) / 1000;
  const by = printable(step.CreatedBy.replaceAll('\t', ' '));
  return {
    ID: full ? step.id : step.id.slice(0, step.id.startsWith('<') ? undefined : 12),
    Created: !human ? step.created : Number.isNaN(since) ? 'N/A' : agoOf(host.now() - since),
    CreatedAt: step.created,
    CreatedBy: full || by.length <= 45 ? by : `${by.slice(0, 44)}...`,
    Size: human ? sizeText(step.size) : String(step.size),
    Comment: printable(step.comment),
  };
}
