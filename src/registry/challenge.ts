// The challenges of a 401 (RFC 9110, 11.6.1): `Bearer realm="…",service="…",scope="…", Basic realm="…"`.

export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`^(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`);
const SCHEME = new RegExp(`^(${TOKEN})(?=[ \\t,]|$)`);
const TOKEN68 = /^[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/;
const SEPARATOR = /^[ \t,]+/;
/** More than any registry sends. */
const MAX_LENGTH = 16 * 1024;

/** Reads one WWW-Authenticate header, or several; what is malformed ends the header it is in. */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
  const values = header === undefined ? [] : typeof header === 'string' ? [header] : header;
  return values.flatMap((value) => (value.length > MAX_LENGTH ? [] : parseHeader(value)));
}

function parseHeader(text: string): Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = [];
  let rest = text;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const match = pattern.exec(rest);
    if (match !== null) rest = rest.slice(match[0].length);
    return match;
  };
  for (;;) {
    take(SEPARATOR);
    if (rest === '') return found;
    const current = found.at(-1);
    const parameter = current === undefined ? null : take(PARAMETER);
    if (current !== undefined && parameter !== null) {
      const [, name = '', quoted, plain = ''] = parameter;
      current.parameters[name.toLowerCase()] = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
      continue;
    }
    const scheme = take(SCHEME);
    if (scheme === null) return found;
    found.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters: Object.create(null) as Record<string, string> });
    take(/^[ \t]+/);
    if (!PARAMETER.test(rest)) take(TOKEN68);
  }
}
