// Which [[registry]] table of registries.conf a name belongs to, and what it is called where the table sends it.

import { VeneerError } from '../../core/index.js';
import { isRepository } from '../../image/index.js';
import type { MirrorTable, RegistryTable } from './registries-conf.js';

export interface Name {
  readonly registry: string;
  readonly repository: string;
}

const isDigest = (reference: string): boolean => reference.includes(':');

/**
 * How much of a name a prefix covers, in characters; undefined where it is no prefix of it. Prefixes with a tag or a digest cover
 * nothing, as in containers/image, which looks for names without them.
 */
function covered(prefix: string, { registry, repository }: Name): number | undefined {
  if (prefix.startsWith('*.')) {
    const host = registry.replace(/:[0-9]+$/, '');
    return host.endsWith(prefix.slice(1)) && host.length >= prefix.length ? registry.length : undefined;
  }
  return `${registry}/${repository}/`.startsWith(`${prefix}/`) ? prefix.length : undefined;
}

/** Of two prefixes of a name the longer one counts, and a host itself before a wildcard. */
const rank = ({ prefix }: RegistryTable): number => 2 * prefix.length + (prefix.startsWith('*.') ? 0 : 1);

/** The table with the longest prefix of a name. */
export function matchTable(tables: readonly RegistryTable[], name: Name): RegistryTable | undefined {
  const [best] = tables.filter(({ prefix }) => covered(prefix, name) !== undefined).sort((a, b) => rank(b) - rank(a));
  return best;
}

/** Whether a mirror is for this reference; without one, for any. */
export function suits({ pullFrom }: MirrorTable, reference: string | undefined): boolean {
  if (pullFrom === 'all' || reference === undefined) return true;
  return isDigest(reference) === (pullFrom === 'digest-only');
}

/** The name with a location in the place of the table's prefix. Throws `invalid` where that is no name. */
export function rewrite(
  name: Name,
  table: RegistryTable | undefined,
  location: string | undefined,
): { origin: string; repository: string } {
  if (table === undefined || location === undefined) return { origin: name.registry, repository: name.repository };
  const rest = `${name.registry}/${name.repository}`.slice(covered(table.prefix, name) ?? 0);
  const whole = `${location}${rest}`;
  const [origin = '', ...steps] = whole.split('/');
  const repository = steps.join('/');
  if (name.repository !== '' && !isRepository(repository)) {
    throw new VeneerError(
      'invalid',
      `'${table.file}' makes '${whole}' of ${name.registry}/${name.repository}: that is no name`,
    );
  }
  return { origin, repository };
}
