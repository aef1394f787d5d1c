// Which changes a commit takes in, by patterns.

import { VeneerError, displayBytes, toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type { PathChoice } from './path-choice.js';

export interface GlobChoice {
  readonly exclude?: readonly string[];
  readonly include?: readonly string[];
}

/** `dir/**` is not `dir` itself; `!` is a character like others; names may hold newlines. */
const OPTIONS = { dot: true, strictSlashes: true, nonegate: true, flags: 's' } as const;

type Matcher = (path: ByteString) => boolean;

/**
 * Patterns as in a .dockerignore: of whole paths from the root, with `*`, `**`, `?`, `[a-z]` and `{a,b}`; names with a leading dot are
 * not special; leading and trailing slashes mean nothing. A pattern covers what it matches and everything below. A path is
 * outside if an exclude pattern covers it, unless an include pattern does, too; with include patterns alone, only what they
 * cover is inside. Throws `invalid` for an empty pattern.
 */
export async function chooseByGlobs({ exclude = [], include = [] }: GlobChoice): Promise<PathChoice> {
  const { default: picomatch } = await import('picomatch');
  const compile = (patterns: readonly string[]): Matcher[] =>
    patterns.map((pattern) => picomatch(patternBytes(pattern), OPTIONS));
  const [excluded, included] = [compile(exclude), compile(include)];
  return (path) => {
    if (covers(included, path)) return 'inside';
    if (exclude.length > 0 && !covers(excluded, path)) return 'inside';
    if (exclude.length === 0 && include.length === 0) return 'inside';
    return include.length > 0 ? 'above' : 'outside';
  };
}

/** Names are bytes; so are patterns. */
function patternBytes(pattern: string): ByteString {
  const bytes = toByteString(pattern)
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/+$/, '');
  if (bytes === '' || bytes === '.') {
    throw new VeneerError('invalid', `'${displayBytes(toByteString(pattern))}' is not a pattern of paths`);
  }
  return bytes;
}

function covers(matchers: readonly Matcher[], path: ByteString): boolean {
  if (matchers.length === 0 || path === '') return false;
  for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
    const above = path.slice(0, end);
    if (matchers.some((matches) => matches(above))) return true;
  }
  return matchers.some((matches) => matches(path));
}
