// How the failures of registries are told: in one line, with the registry's own words where it has some, and without
// anything that is secret or could steer a terminal.

import { displayText, VeneerError } from '../core/index.js';
import type { ErrorDetail, ErrorKind } from '../core/index.js';

/** Characters of a registry's text that are shown. */
const MAX_TEXT = 300;
/** Shorter ones are not looked for: they would be found everywhere. */
const MIN_SECRET = 4;

export interface FailureDetail extends ErrorDetail {
  /** Why another attempt may fare better: `HTTP 503`, `connection reset`. */
  readonly passing?: string | undefined;
  /** Milliseconds after which the registry wants to be asked again. */
  readonly retryAfter?: number | undefined;
  /** Of the answer, if there was one. */
  readonly status?: number | undefined;
  /** Why there is no connection, where that decides how to go on. */
  readonly connection?: 'not-tls' | 'nobody' | undefined;
}

/** A failure of a registry, or on the way to it. */
export class RegistryFailure extends VeneerError {
  readonly passing: string | undefined;
  readonly retryAfter: number | undefined;
  readonly status: number | undefined;
  readonly connection: 'not-tls' | 'nobody' | undefined;

  constructor(kind: ErrorKind, message: string, detail: FailureDetail = {}) {
    super(kind, message, detail);
    this.passing = detail.passing;
    this.retryAfter = detail.retryAfter;
    this.status = detail.status;
    this.connection = detail.connection;
  }

  /** The same, of which no other attempt is to be made. */
  asFinal(): RegistryFailure {
    const { status, connection, hint, cause } = this;
    const detail = { status, connection, cause, ...(hint === undefined ? {} : { hint }) };
    return new RegistryFailure(this.code, this.message, detail);
  }
}

/** As secrets may come back: as they were sent, or in the forms of URLs. Longer ones first, which may hold others. */
function spellings(secrets: readonly string[]): string[] {
  const long = secrets.filter((secret) => secret.length >= MIN_SECRET);
  const coded = long.map((secret) => new URLSearchParams([['', secret]]).toString().slice(1));
  const all = [...long, ...coded, ...coded.map((text) => text.replaceAll('+', '%20'))];
  return [...new Set(all)].sort((a, b) => b.length - a.length);
}

/** Text that came over the network, fit to be shown. A registry may send back what it was sent: that is taken out. */
export function shownText(text: string, secrets: readonly string[] = []): string {
  let shown = text;
  for (const secret of spellings(secrets)) shown = shown.replaceAll(secret, '***');
  const line = displayText(shown.replace(/\s+/g, ' ').trim());
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}\u2026` : line;
}

interface SpokenError {
  readonly code: string;
  readonly message: string;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The errors of a body of `{"errors": [{code, message, detail}]}` (distribution spec, "Error Codes"). */
function spokenErrors(body: Buffer): SpokenError[] {
  let document: unknown;
  try {
    document = JSON.parse(body.toString('utf8'));
  } catch {
    return [];
  }
  if (typeof document !== 'object' || document === null) return [];
  const fields = document as Readonly<Record<string, unknown>>;
  if (Array.isArray(fields['errors'])) {
    return fields['errors'].slice(0, 3).flatMap((item: unknown) => {
      const entry = (typeof item === 'object' && item !== null ? item : {}) as Readonly<Record<string, unknown>>;
      const error = { code: textOf(entry['code']), message: textOf(entry['message']) };
      return error.code === '' && error.message === '' ? [] : [error];
    });
  }
  // Token servers: `{"details": …}` of Docker Hub, `{"error", "error_description"}` of OAuth2.
  const message = [fields['details'], fields['error_description'], fields['message'], fields['error']].map(textOf);
  const first = message.find((text) => text !== '');
  return first === undefined ? [] : [{ code: '', message: first }];
}

function worded({ code, message }: SpokenError): string {
  const spelled = code.toLowerCase().replaceAll('_', ' ');
  if (message === '') return spelled;
  return spelled === '' || message.toLowerCase().startsWith(spelled) ? message : `${spelled}: ${message}`;
}

export interface Refusal {
  /** What was asked for: an image's name, a registry. */
  readonly subject: string;
  /** Who answered: the registry, or whom it sent us to. */
  readonly host: string;
  /** Who the registry has sent us to, if it is not the registry that answered. */
  readonly elsewhere?: 'token-server' | 'redirect' | undefined;
  readonly status: number;
  /** What it comes to, if that is another status: a token server's 404 is no image's. */
  readonly meaning?: number | undefined;
  readonly contentType: string | undefined;
  /** The first part of the body. */
  readonly body: Buffer;
  /** What was sent along and must not come back in a message. */
  readonly secrets: readonly string[];
  /** The registry whose login could help. */
  readonly registry: string;
  /** Who asked, if the registry was told. */
  readonly user?: string | undefined;
  readonly retryAfter?: number | undefined;
}

/** Of RFC 9110, those that registries, proxies and web servers in their place are seen to give. */
const MEANINGS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

const PASSING = [408, 425, 429, 500, 502, 503, 504];

function kindOf(status: number): ErrorKind {
  if (status === 404) return 'not-found';
  return status === 401 || status === 403 ? 'permission' : 'unavailable';
}

/** A tag or a digest that a repository does not have; a part of an image; or there is no such repository. */
function hintForMissing(subject: string, spoken: readonly SpokenError[]): string {
  const name = /^(\S+?)(?::[^/:@\s]+|@sha256:[0-9a-f]{64})$/.exec(subject)?.[1];
  const says = (code: string): boolean => spoken.some((error) => error.code === code);
  if (says('BLOB_UNKNOWN')) return 'the registry has lost a part of the image: it must be pushed again';
  return says('MANIFEST_UNKNOWN') && name !== undefined ? `'veneer tags ${name}' lists the tags` : 'check the name';
}

/** Where people and programs look at pages. */
const PAGE = /^text\/html\b/i;

/** For an answer that can come from something else than a registry; undefined for one that cannot. */
export function hintForPage(host: string, contentType: string | undefined): { readonly hint?: string } {
  if (!PAGE.test(contentType ?? '')) return {};
  return { hint: `is ${host} a registry? A proxy or a login page may answer in its place` };
}

/** Registries tell strangers of a private repository and of none the same. */
function hintFor(refused: Refusal, spoken: readonly SpokenError[]): string | undefined {
  const { status, registry, user, subject, elsewhere } = refused;
  // Whom a registry redirects to knows no users and no names of images.
  if (elsewhere === 'redirect') return undefined;
  const login = `veneer login ${registry}`;
  if (status === 401 && user !== undefined) return `are name and password of '${user}' right? '${login}' checks them`;
  if (status === 403 && user !== undefined) return `'${user}' may not do this, or the name is wrong`;
  if (status === 401 || status === 403) {
    return `${subject === registry ? 'log in' : 'is the name right? If it is private, log in'} first: ${login}`;
  }
  const { hint } = spoken.length > 0 ? {} : hintForPage(refused.host, refused.contentType);
  if (hint !== undefined) return hint;
  if (status === 404) return hintForMissing(subject, spoken);
  if (status !== 429) return undefined;
  return user === undefined ? `wait a while, or log in for a higher limit: ${login}` : 'wait a while';
}

function saying(refused: Refusal, errors: readonly SpokenError[]): string {
  const { status, contentType, body, secrets, host, elsewhere } = refused;
  const who = elsewhere === undefined ? 'the registry' : host;
  if (errors.length > 0) return `${who} says: ${shownText(errors.map(worded).join('; '), secrets)}`;
  const type =
    contentType === undefined || body.length === 0 ? '' : ` and a body of ${shownText(contentType, secrets)}`;
  const meaning = MEANINGS[status] === undefined ? '' : ` ${MEANINGS[status]}`;
  return `${host} answers HTTP ${String(status)}${meaning}${type}`;
}

/** An answer that is not what was asked for. */
export function refusal(answer: Refusal): RegistryFailure {
  const { meaning: status = answer.status } = answer;
  const spoken = spokenErrors(answer.body);
  const hint = hintFor(answer, spoken);
  const reason = status === 429 ? 'rate limit' : `HTTP ${String(status)}`;
  return new RegistryFailure(kindOf(status), `${answer.subject}: ${saying(answer, spoken)}`, {
    ...(hint === undefined ? {} : { hint }),
    passing: PASSING.includes(status) ? reason : undefined,
    retryAfter: answer.retryAfter,
    status,
  });
}

/** Answers that are no HTTP or not the protocol's: nothing that goes away by asking again. */
export function misbehaviour(subject: string, what: string, detail: ErrorDetail = {}): RegistryFailure {
  return new RegistryFailure('unavailable', `${subject}: ${what}`, detail);
}

/** Bytes that are not those that were named. */
export function wrongContent(subject: string, what: string): RegistryFailure {
  return new RegistryFailure('integrity', `${subject}: ${what}`);
}
