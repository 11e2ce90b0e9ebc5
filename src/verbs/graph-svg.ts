import { needs, strongest } from './graph-draw.ts';
import type { Edge, Node, Picture } from './graph-picture.ts';

/** Pixels. A character of the font is taken for 7.3 wide, so that no text is measured. */
const [CHARACTER, HEIGHT, GAP, BETWEEN, MARGIN] = [7.3, 44, 16, 110, 12];

interface Box {
  readonly node: Node;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/**
 * Columns from the left: a unit stands right of all that depend on it. Scalable Vector Graphics 1.1, without scripts, links or
 * fonts from elsewhere; it follows the reader's light or dark colours.
 */
export function drawSvg(graph: Picture): string {
  const boxes = place(graph);
  const width = Math.max(0, ...[...boxes.values()].map(box => box.x + box.width)) + MARGIN;
  const height = Math.max(0, ...[...boxes.values()].map(box => box.y + HEIGHT)) + MARGIN;
  const arrows = graph.edges.map(edge => arrow(edge, boxes)).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${number(width)} ${number(height)}" width="${number(width)}" height="${number(height)}">
<style>${STYLE}</style>
<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
${arrows}${[...boxes.values()].map(shape).join('')}</svg>
`;
}

/** Without variables, which not every program that draws SVG knows. */
const STYLE = [
  'svg{font:12px monospace}rect{fill:#fff;stroke:#222}text{fill:#222}path{fill:none;stroke:#222}marker path{fill:#222;stroke:none}',
  '.file{opacity:.65}.other{stroke-dasharray:4 3}.failed{stroke:#d22}.order{stroke-dasharray:2 3}',
  '@media(prefers-color-scheme:dark){rect{fill:#1b1b1b;stroke:#ddd}text{fill:#ddd}path{stroke:#ddd}marker path{fill:#ddd}.failed{stroke:#f55}}',
].join('');

function place({ nodes, edges }: Picture): Map<string, Box> {
  const column = columns({ nodes, edges });
  const boxes = new Map<string, Box>();
  let x = MARGIN;
  for (let at = 0; at <= Math.max(0, ...column.values()); at++) {
    const here = nodes.filter(node => column.get(node.unit) === at);
    const widths = here.map(({ unit, file }) => Math.max(unit.length, file.length) * CHARACTER + 20);
    const width = Math.max(0, ...widths);
    here.forEach((node, row) => boxes.set(node.unit, { node, x, y: MARGIN + row * (HEIGHT + GAP), width }));
    x += width + BETWEEN;
  }
  return boxes;
}

/** The longest way to each node. In a cycle of dependencies the ways are cut when they are longer than there are nodes. */
function columns({ nodes, edges }: Picture): Map<string, number> {
  const column = new Map(nodes.map(({ unit }) => [unit, 0]));
  for (let round = 0, changed = true; changed && round < nodes.length; round++) {
    changed = false;
    for (const { from, to } of edges) {
      const least = (column.get(from) ?? 0) + 1;
      if (from === to || least <= (column.get(to) ?? 0) || least >= nodes.length) continue;
      column.set(to, least);
      changed = true;
    }
  }
  return column;
}

function arrow({ from, to, keys }: Edge, boxes: ReadonlyMap<string, Box>): string {
  const [start, end] = [boxes.get(from), boxes.get(to)];
  if (start === undefined || end === undefined) return '';
  const [x1, y1, x2, y2] = [start.x + start.width, start.y + HEIGHT / 2, end.x, end.y + HEIGHT / 2];
  const bend = Math.max(40, (x2 - x1) / 2);
  const way = `M${number(x1)} ${number(y1)}C${number(x1 + bend)} ${number(y1)} ${number(x2 - bend)} ${number(y2)} ${number(x2)} ${number(y2)}`;
  const kind = needs(keys) ? '' : ' class="order"';
  return `<path d="${way}"${kind} marker-end="url(#end)"><title>${escape(`${from}: ${keys.join('=, ')}= ${to}`)}</title></path>
<text class="file" x="${number((x1 + x2) / 2)}" y="${number((y1 + y2) / 2 - 4)}" text-anchor="middle">${escape(strongest(keys))}</text>
`;
}

function shape({ node, x, y, width }: Box): string {
  const kind = node.file === '' ? ' class="other"' : node.failed ? ' class="failed"' : '';
  const lines = [node.unit, ...(node.file === '' ? [] : [node.file])];
  const texts = lines.map((line, index) => {
    const baseline = y + (lines.length === 1 ? HEIGHT / 2 + 4 : 19 + index * 16);
    return `<text x="${number(x + 10)}" y="${number(baseline)}"${index === 0 ? '' : ' class="file"'}>${escape(line)}</text>`;
  });
  return `<rect x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${HEIGHT}" rx="5"${kind}/>${texts.join('')}\n`;
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** For text and attributes; what XML 1.0 does not allow at all becomes U+FFFD. */
function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd');
}
