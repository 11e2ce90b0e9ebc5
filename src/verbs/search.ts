import { SEARCH } from '../command/options-registry.ts';
import { allValues, isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { openRegistry } from '../image/registry/open.ts';
import { registryOptions } from '../image/registry/options.ts';
import { readRegistriesConf, type RegistriesConf } from '../image/registry/registries-conf.ts';
import { searchRegistry, type SearchResult } from '../image/registry/search.ts';
import type { RegistryOptions } from '../image/registry/types.ts';
import { formatReference, localReference, parseReference } from '../image/reference.ts';
import { Failure } from '../run/failure.ts';
import { askCreds } from './ask-creds.ts';
import { commandLine } from './command-line.ts';
import { say } from './edge.ts';
import { fillGoTemplate } from './go-template-fill.ts';
import { writeListing } from './list-output.ts';

/** `berth search`: images of a registry by words, or the tags of one repository. */
export async function main(host: Host): Promise<number> {
  const parsed = commandLine(host, SEARCH);
  if (typeof parsed === 'number') return parsed;
  const command = await askCreds(host, parsed);
  const [operand = ''] = command.operands;
  const note = (line: string): void => say(host, line);
  const options = { ...registryOptions(command), note, waiting: note };
  const limit = limitOf(command);
  if (isSet(command, 'list-tags')) {
    await listTags(host, command, operand, limit, options);
    return 0;
  }
  const filters = allValues(command, 'filter').map(parseFilter);
  const conf = readRegistriesConf(host);
  const found: SearchResult[] = [];
  for (const { registry, term } of placesOf(conf, operand))
    found.push(...(await searchRegistry(host, conf, { registry, term, limit }, options)));
  const full = isSet(command, 'no-trunc');
  writeListing(
    host,
    command,
    {
      rows: found.filter(row => filters.every(filter => filter(row))),
      key: row => row.name,
      cells: row => cellsOf(row, full),
      json: row => ({ ...cellsOf(row, true), Stars: row.stars }),
      headings: {
        Index: 'INDEX',
        Name: 'NAME',
        Description: 'DESCRIPTION',
        Stars: 'STARS',
        Official: 'OFFICIAL',
        Automated: 'AUTOMATED',
      },
      table: 'table {{.Name}}\\t{{.Description}}',
    },
    fillGoTemplate,
  );
  return 0;
}

function limitOf(command: Command): number {
  const limit = Number(lastValue(command, 'limit') ?? '25');
  if (limit >= 1 && limit <= 100_000) return limit;
  throw new Failure(125, '--limit: a number from 1 to 100000 is needed');
}

/** `quay.io/term`, or each of the registries to be searched. */
function placesOf(conf: RegistriesConf, operand: string): { registry: string; term: string }[] {
  const slash = operand.indexOf('/');
  const first = slash < 0 ? operand : operand.slice(0, slash);
  const term = slash < 0 ? '' : operand.slice(slash + 1);
  const isRegistry = first === 'localhost' || (slash >= 0 && /[.:]/.test(first));
  if (isRegistry && parseReference(`${first}/x`)?.registry === first) return [{ registry: first, term }];
  if (!/^[A-Za-z0-9._/-]+$/.test(operand))
    throw new Failure(125, `${operand}: not a term to search for; write TERM or REGISTRY/TERM`);
  if (conf.search.length > 0) return conf.search.map(registry => ({ registry, term: operand }));
  throw new Failure(125, `${operand}: ${conf.file} has no search registry; name one, as in docker.io/${operand}`);
}

async function listTags(
  host: Host,
  command: Command,
  operand: string,
  limit: number,
  options: RegistryOptions,
): Promise<void> {
  const parsed = parseReference(operand);
  if (parsed === undefined || parsed.registry === '')
    throw new Failure(125, `--list-tags: ${operand} is not REGISTRY/PATH`);
  const name = formatReference(localReference({ registry: parsed.registry, path: parsed.path, tag: 'latest' }));
  const repository = name.slice(0, -':latest'.length);
  const registry = openRegistry(host, name, options);
  try {
    const tags = (await registry.tags()).slice(0, limit);
    if (lastValue(command, 'format') === 'json') {
      host.write(1, `${JSON.stringify([{ Name: repository, Tags: tags }], undefined, 4)}\n`);
      return;
    }
    writeListing(
      host,
      command,
      {
        rows: tags,
        key: tag => tag,
        cells: tag => ({ Name: repository, Tag: tag }),
        json: tag => tag,
        headings: { Name: 'NAME', Tag: 'TAG' },
        table: 'table {{.Name}}\\t{{.Tag}}',
      },
      fillGoTemplate,
    );
  } finally {
    registry.close();
  }
}

function parseFilter(text: string): (row: SearchResult) => boolean {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  const value = at < 0 ? 'true' : text.slice(at + 1);
  if (name === 'stars' && /^\d+$/.test(value)) return row => row.stars >= Number(value);
  if (name === 'is-official' && /^(true|false)$/.test(value)) return row => row.official === (value === 'true');
  if (name === 'is-automated' && /^(true|false)$/.test(value)) return row => row.automated === (value === 'true');
  throw new Failure(125, `--filter ${text}: it is stars=N, is-official=true|false or is-automated=true|false`);
}

function cellsOf(row: SearchResult, full: boolean): Record<string, string> {
  const { description } = row;
  return {
    Index: row.name.slice(0, row.name.indexOf('/')),
    Name: row.name,
    Description: full || description.length <= 44 ? description : `${description.slice(0, 44)}...`,
    Stars: String(row.stars),
    Official: row.official ? '[OK]' : '',
    Automated: row.automated ? '[OK]' : '',
  };
}
