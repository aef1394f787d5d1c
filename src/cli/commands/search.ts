import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { collect, parseCount } from '../arguments.js';
import { addExamples } from '../examples.js';
import { booleanFilter, parseFilters } from '../filter.js';
import type { Filters } from '../filter.js';
import { interruptible } from '../interruption.js';
import { FORMAT_HELP, listingText, printListing } from '../output.js';
import type { Listing, Row } from '../output.js';
import { ProgressBoard } from '../progress.js';
import { DOCKER_HUB, parseRegistryName } from '../registry-name.js';
import { addRegistryOptions, withRegistry } from '../registry.js';
import type { RegistryOptions } from '../registry.js';
import type { SearchResult } from '../search-results.js';
import { fitText } from '../text.js';

interface Options extends RegistryOptions {
  readonly filter?: string[];
  readonly limit?: string;
  readonly format?: string;
  /** commander's form of --no-trunc. */
  readonly trunc: boolean;
}

const FILTERS = ['is-official', 'is-automated', 'stars'];
/** docker's. */
const DEFAULT_LIMIT = '25';
const MAX_LIMIT = 100;
const DESCRIPTION_WIDTH = 45;

const LISTING: Listing = {
  columns: [
    ['NAME', 'Name'],
    ['DESCRIPTION', 'Description'],
    ['STARS', 'StarCount'],
    ['OFFICIAL', 'IsOfficial'],
  ],
  headings: { IsAutomated: 'AUTOMATED' },
  key: 'Name',
};

/** A first word that is a host is the registry, as in the names of images. */
function parseTerm(text: string): { registry: string; term: string } {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  if (!/[.:[]/.test(first) && first !== 'localhost') {
    if (text === '') throw new VeneerError('usage', 'search: the word to look for is empty');
    return { registry: DOCKER_HUB, term: text };
  }
  const { registry } = parseRegistryName(first);
  const term = text.slice(slash + 1);
  if (registry !== DOCKER_HUB) return { registry, term };
  if (term === '')
    throw new VeneerError('usage', 'search: Docker Hub tells no list of all it has: name a word to look for');
  return { registry, term: term.replace(/^library\//, '') };
}

function parseLimit(text: string): number {
  const limit = parseCount('--limit', text);
  if (limit <= MAX_LIMIT) return limit;
  throw new VeneerError('usage', `--limit '${text}': it must be from 1 to ${String(MAX_LIMIT)}`);
}

function testOf(filters: Filters): (result: SearchResult) => boolean {
  const official = booleanFilter(filters, 'is-official');
  const automated = booleanFilter(filters, 'is-automated');
  const least = filters.get('stars')?.at(-1) ?? '0';
  if (!/^[0-9]{1,9}$/.test(least))
    throw new VeneerError('usage', `filter 'stars=${least}': it is a number, the least to be shown`);
  return ({ stars, isOfficial, isAutomated }) =>
    stars >= Number(least) &&
    (official === undefined || isOfficial === official) &&
    (automated === undefined || isAutomated === automated);
}

/** docker's words: a mark in tables, true and false for programs. */
function rowOf(result: SearchResult, { trunc, format }: Options): Row {
  const isTable = format === undefined || format.startsWith('table');
  const mark = (value: boolean): string => (isTable ? (value ? '[OK]' : '') : String(value));
  const description = result.description.replace(/\s+/g, ' ').trim();
  return {
    Name: result.name,
    Description: trunc && format !== 'json' ? fitText(description, DESCRIPTION_WIDTH) : description,
    StarCount: String(result.stars),
    IsOfficial: mark(result.isOfficial),
    IsAutomated: mark(result.isAutomated),
  };
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [REGISTRY/]TERM')
    .argument('<term>', 'what to look for; REGISTRY/ alone lists all that a registry has')
    .option('-f, --filter <name=value>', 'only images that meet this (may be repeated)', collect)
    .option('--limit <number>', `no more than so many, at most ${String(MAX_LIMIT)} (${DEFAULT_LIMIT})`)
    .option('--no-trunc', 'whole descriptions')
    .option('--format <format>', FORMAT_HELP);
  addRegistryOptions(command)
    .addHelpText(
      'after',
      `
Filters:
  is-official=true|false          of Docker's own
  stars=NUMBER                    with at least so many stars

Fields for --format: .Name .Description .StarCount .IsOfficial .IsAutomated
A registry without a search of its own is asked for its catalog: all names that contain TERM.`,
    )
    .action(async (text: string, options: Options) => {
      const { search } = await import('../search-results.js');
      const query = { ...parseTerm(text), limit: parseLimit(options.limit ?? DEFAULT_LIMIT) };
      const test = testOf(parseFilters(options.filter ?? [], FILTERS));
      // What is wrong with --format is told before anybody is asked.
      listingText([], LISTING, options);
      using board = new ProgressBoard();
      const results = await interruptible((signal) =>
        withRegistry(options, (client) => search(client, { ...query, signal }), { board }),
      );
      printListing(
        results.filter(test).map((result) => rowOf(result, options)),
        LISTING,
        options,
      );
    });
  addExamples(command, [
    ['veneer search debian', 'on Docker Hub'],
    ['veneer search -f is-official=true --limit 5 nginx', "Docker's own, at most five"],
    ['veneer search registry.example.com/app', 'in the catalog of a registry'],
    ["veneer search --format '{{.Name}}' registry.example.com/", 'all that it has'],
  ]);
}
