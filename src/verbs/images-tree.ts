import type { Host } from '../host/host.ts';
import { findLayer } from '../image/additional.ts';
import type { Digest } from '../image/types.ts';
import { sizeText } from './images.ts';
import type { ImageRow } from './images-select.ts';

interface Node {
  readonly layer: Digest;
  readonly children: Map<Digest, Node>;
  /** Images that end here. */
  readonly images: string[];
}

/**
 * `berth images --tree`: each layer once, below the one that it lies on; images stand beside their topmost layer. Only where images part
 * ways a line goes further to the right, so that an image of sixty layers stays readable.
 */
export function imageTree(host: Host, store: string, rows: readonly ImageRow[]): string {
  const root = new Map<Digest, Node>();
  const bare: string[] = [];
  for (const { record, reference } of rows) {
    const label = reference ?? `<none> (${record.id.slice(0, 12)})`;
    let level = root;
    let node: Node | undefined;
    for (const layer of record.layers) {
      node = level.get(layer) ?? { layer, children: new Map<Digest, Node>(), images: [] };
      level.set(layer, node);
      level = node.children;
    }
    (node?.images ?? bare).push(label);
  }
  const lines = linesOf(root, '', true);
  const width = Math.max(5, ...lines.map(({ text }) => text.length));
  const row = (text: string, size: string, images: string): string =>
    `${text.padEnd(width)}  ${size.padEnd(9)}  ${images}`.trimEnd();
  const sizeOf = (layer: Digest): string => sizeText(findLayer(host, store, layer)?.record.size ?? 0);
  return [
    row('LAYER', 'SIZE', 'IMAGES'),
    ...lines.map(({ text, node }) => row(text, sizeOf(node.layer), node.images.join(', '))),
    ...bare.map(label => row('', '', label)),
  ]
    .map(line => `${line}\n`)
    .join('');
}

interface Line {
  readonly text: string;
  readonly node: Node;
}

/** `+-` begins a branch, `|` leads past it to the next. */
function linesOf(level: ReadonlyMap<Digest, Node>, indent: string, top: boolean): Line[] {
  const nodes = [...level.values()];
  return nodes.flatMap((first, index) => {
    const forks = !top && nodes.length > 1;
    const below = !forks ? indent : `${indent}${index < nodes.length - 1 ? '| ' : '  '}`;
    const lines: Line[] = [{ text: `${forks ? `${indent}+-` : indent}${first.layer.slice(7, 19)}`, node: first }];
    let node = first;
    for (let next = onlyChild(node); next !== undefined; next = onlyChild(node)) {
      lines.push({ text: `${below}${next.layer.slice(7, 19)}`, node: next });
      node = next;
    }
    return [...lines, ...linesOf(node.children, below, false)];
  });
}

function onlyChild(node: Node): Node | undefined {
  return node.children.size === 1 ? [...node.children.values()][0] : undefined;
}
