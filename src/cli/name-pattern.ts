// Which names of images a pattern means: literally, or with the wildcards of Go's path.Match, as docker's `reference=` has them.

import { VeneerError } from '../core/index.js';
import { familiarName, familiarReference, formatReference, parseReference } from '../image/index.js';

const WILDCARD = /[*?[\\]/;

function malformed(pattern: string): VeneerError {
  return new VeneerError(
    'invalid',
    `'${pattern}' is not a pattern of names: a '[' is not closed, or a '\\' is the last`,
  );
}

/** `*` and `?` stop at slashes, `[a-z]` and `[^a-z]` are classes, a backslash takes the next character as it is. */
function globExpression(pattern: string): RegExp {
  const quote = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  let expression = '';
  let rest = pattern;
  while (rest !== '') {
    const token = /^(\*|\?|\[\^?(?:\\.|[^\]\\])+\]|\\.|[^*?[\\]+)/su.exec(rest)?.[0];
    if (token === undefined) throw malformed(pattern);
    rest = rest.slice(token.length);
    if (token === '*') expression += '[^/]*';
    else if (token === '?') expression += '[^/]';
    else if (token.startsWith('\\')) expression += quote(token.slice(1));
    else if (token.startsWith('[')) {
      const inner = token.slice(1, -1).replace(/^\^/, '');
      const members = inner.replace(/\\(.)|[\\[\]^]/gsu, (char, escaped: string | undefined) => `\\${escaped ?? char}`);
      expression += `[${token.startsWith('[^') ? '^' : ''}${members}]`;
    } else expression += quote(token);
  }
  try {
    return new RegExp(`^${expression}$`, 's');
  } catch {
    throw malformed(pattern); // a range that runs backwards
  }
}

/** A test of canonical names. Throws `invalid` for what is neither a name nor a pattern. */
export function namePattern(pattern: string): (canonical: string) => boolean {
  if (WILDCARD.test(pattern)) {
    const expression = globExpression(pattern);
    return (canonical) => {
      const reference = parseReference(canonical);
      return expression.test(familiarReference(reference)) || expression.test(familiarName(reference));
    };
  }
  const wanted = parseReference(pattern);
  const isWhole = /:[^/]*$/.test(pattern) || wanted.digest !== undefined;
  if (isWhole) return (canonical) => canonical === formatReference(wanted);
  return (canonical) => familiarName(parseReference(canonical)) === familiarName(wanted);
}
