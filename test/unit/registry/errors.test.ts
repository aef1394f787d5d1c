import { describe, expect, test } from 'vitest';
import { refusal, shownText } from '../../../src/registry/errors.js';
import type { Refusal } from '../../../src/registry/errors.js';

const answer = (status: number, body: unknown, more: Partial<Refusal> = {}): Refusal => ({
  subject: 'r.example/a:1',
  host: 'r.example',
  status,
  contentType: 'application/json',
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  secrets: [],
  registry: 'r.example',
  ...more,
});

const error = (code: unknown, message: unknown): unknown => ({ errors: [{ code, message, detail: null }] });

describe('refusal', () => {
  test.each([
    [
      'code and message',
      error('DENIED', 'requested access to the resource is denied'),
      'the registry says: denied: requested access to the resource is denied',
    ],
    [
      'a message that is the code',
      error('MANIFEST_UNKNOWN', 'manifest unknown'),
      'the registry says: manifest unknown',
    ],
    ['a code alone', error('NAME_UNKNOWN', undefined), 'the registry says: name unknown'],
    ['a message alone', error('', 'no'), 'the registry says: no'],
    [
      'several',
      {
        errors: [
          { code: 'A', message: 'a' },
          { code: 'B', message: 'x' },
        ],
      },
      'the registry says: a; b: x',
    ],
    [
      "Docker Hub's token server",
      { details: 'incorrect username or password' },
      'the registry says: incorrect username or password',
    ],
    ['OAuth2', { error: 'invalid_grant', error_description: 'expired' }, 'the registry says: expired'],
    ['other types', error(5, { a: 1 }), 'r.example answers HTTP 400 Bad Request and a body of application/json'],
    ['no list', { errors: 'x' }, 'r.example answers HTTP 400 Bad Request and a body of application/json'],
    ['null', 'null', 'r.example answers HTTP 400 Bad Request and a body of application/json'],
    ['nothing', '', 'r.example answers HTTP 400 Bad Request'],
  ])('words %s', (_what, body, words) => {
    expect(refusal(answer(400, body)).message).toBe(`r.example/a:1: ${words}`);
  });

  test('does not show what is no JSON', () => {
    const html = answer(502, '<html>secret</html>', { contentType: 'text/html; charset=utf-8' });
    expect(refusal(html).message).toBe(
      'r.example/a:1: r.example answers HTTP 502 Bad Gateway and a body of text/html; charset=utf-8',
    );
  });

  test.each([
    [401, 'permission', 'is the name right? If it is private, log in first: veneer login r.example', undefined],
    [403, 'permission', 'is the name right? If it is private, log in first: veneer login r.example', undefined],
    [404, 'not-found', 'check the name', undefined],
    [429, 'unavailable', 'wait a while, or log in for a higher limit: veneer login r.example', 'rate limit'],
    [503, 'unavailable', undefined, 'HTTP 503'],
    [400, 'unavailable', undefined, undefined],
  ])('HTTP %i is %s', (status, code, hint, passing) => {
    expect(refusal(answer(status, ''))).toMatchObject({ code, hint, passing, status });
  });
});

describe('what to do', () => {
  test.each([
    [401, "are name and password of 'me' right? 'veneer login r.example' checks them"],
    [403, "'me' may not do this, or the name is wrong"],
    [429, 'wait a while'],
  ])('after HTTP %i for somebody known', (status, hint) => {
    expect(refusal({ ...answer(status, ''), user: 'me' }).hint).toBe(hint);
  });

  test('where a registry wants a login itself', () => {
    const hint = 'log in first: veneer login r.example';
    expect(refusal({ ...answer(401, ''), subject: 'r.example' }).hint).toBe(hint);
  });

  test('where a part of an image is missing', () => {
    const unknown = { errors: [{ code: 'BLOB_UNKNOWN', message: 'blob unknown' }] };
    expect(refusal(answer(404, unknown)).hint).toContain('it must be pushed again');
  });

  test('where a page answers', () => {
    const page = answer(404, '<html>', { contentType: 'text/html; charset=utf-8' });
    expect(refusal(page).hint).toBe('is r.example a registry? A proxy or a login page may answer in its place');
  });

  test('where a repository does not have the tag', () => {
    const unknown = { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] };
    const hint = "'veneer tags r.example:5000/a/b' lists the tags";
    const digest = `@sha256:${'0'.repeat(64)}`;
    expect(refusal({ ...answer(404, unknown), subject: 'r.example:5000/a/b:1' }).hint).toBe(hint);
    expect(refusal({ ...answer(404, unknown), subject: `r.example:5000/a/b${digest}` }).hint).toBe(hint);
    expect(refusal({ ...answer(404, unknown), subject: 'r.example:5000/a/b: blob x' }).hint).toBe('check the name');
  });
});

describe('shownText', () => {
  test('is one bounded line that steers nothing', () => {
    expect(shownText('a\n b\x1b[31m\u202ec')).toBe('a b\\x1b[31m\\u202ec');
    expect(shownText('x'.repeat(10_000))).toBe(`${'x'.repeat(300)}\u2026`);
  });

  test('gives back nothing that was sent', () => {
    const secret = Buffer.from('me:open sesame').toString('base64');
    expect(shownText(`you sent ${secret} and open sesame`, [secret, 'open sesame'])).toBe('you sent *** and ***');
    // A secret over the edge of what is shown does not come through in part.
    expect(shownText('a=open%3A+s%C3%A4me+x b=open%3A%20s%C3%A4me%20x', ['open: s\u00e4me x'])).toBe('a=*** b=***');
    expect(shownText('inside-of-longer', ['side', 'inside-of-longer'])).toBe('***');
    expect(shownText('x'.repeat(295) + secret, [secret])).toBe(`${'x'.repeat(295)}***`);
  });
});
