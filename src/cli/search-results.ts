// What registries find: by the search of Docker's first API, which Docker Hub and some others have; elsewhere among the names
// of the catalog.

import { hasCode, VeneerError } from '../core/index.js';
import { familiarName } from '../image/index.js';
import type { RegistryClient } from '../registry/index.js';
import { DOCKER_HUB } from './registry-name.js';

export interface SearchResult {
  /** To be pulled by. */
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
  readonly isAutomated: boolean;
}

export interface SearchQuery {
  readonly registry: string;
  /** Empty for all there is. */
  readonly term: string;
  readonly limit: number;
  readonly signal: AbortSignal;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readResult(value: unknown, registry: string): SearchResult[] {
  if (!isFields(value) || typeof value['name'] !== 'string') return [];
  const { name, description, star_count: stars } = value;
  const shown =
    registry === DOCKER_HUB
      ? name
      : `${registry}/${name.startsWith(`${registry}/`) ? name.slice(registry.length + 1) : name}`;
  return [
    {
      name: shown,
      description: typeof description === 'string' ? description : '',
      stars: typeof stars === 'number' && Number.isSafeInteger(stars) ? stars : 0,
      isOfficial: value['is_official'] === true,
      isAutomated: value['is_automated'] === true,
    },
  ];
}

async function searched(
  client: RegistryClient,
  { registry, term, limit, signal }: SearchQuery,
): Promise<SearchResult[]> {
  const answer = await client.json(registry, '/v1/search', { query: { q: term, n: String(limit) }, signal });
  const results = isFields(answer) ? answer['results'] : undefined;
  if (Array.isArray(results)) return results.slice(0, limit).flatMap((result) => readResult(result, registry));
  throw new VeneerError('unavailable', `${registry}: what it answers to a search is no list of results`);
}

async function catalogued(
  client: RegistryClient,
  { registry, term, limit, signal }: SearchQuery,
): Promise<SearchResult[]> {
  const found: SearchResult[] = [];
  for await (const repository of client.catalog(registry, { signal })) {
    if (!repository.includes(term.toLowerCase())) continue;
    const name = familiarName({ registry, repository });
    found.push({ name, description: '', stars: 0, isOfficial: false, isAutomated: false });
    if (found.length === limit) break;
  }
  return found;
}

/** At most `limit` results, in the registry's order. */
export async function search(client: RegistryClient, query: SearchQuery): Promise<SearchResult[]> {
  if (query.registry === DOCKER_HUB) return await searched(client, query);
  try {
    if (query.term !== '') return await searched(client, query);
  } catch (error) {
    // Its catalog has the better reason, if it has one.
    if (!(error instanceof VeneerError) || hasCode(error, 'usage') || query.signal.aborted) throw error;
  }
  return await catalogued(client, query);
}
