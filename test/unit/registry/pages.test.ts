import { describe, expect, test } from 'vitest';
import { nextLink } from '../../../src/registry/pages.js';
import { testClient } from '../../helpers/registry/index.js';
import { answerJson, serve } from './serve.js';
import type { Handler } from './serve.js';

describe('nextLink', () => {
  test.each([
    ['</v2/a/tags/list?n=1&last=b>; rel="next"', '/v2/a/tags/list?n=1&last=b'],
    ['<x>;rel=next', 'x'],
    ['<x>; rel="prev", <y>; title="a"; rel="last next"', 'y'],
    ['<x>; rel="nextone"', undefined],
    ['<x>; rel=prev', undefined],
    ['x; rel=next', undefined],
    ['<x', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %j', (header, target) => {
    expect(nextLink(header)).toBe(target);
  });
});

async function tagsOf(handler: Handler, most = Infinity): Promise<{ tags: string[]; paths: string[] }> {
  await using server = await serve(handler);
  await using client = testClient();
  const tags: string[] = [];
  for await (const tag of client.repository({ registry: server.host, repository: 'a' }).tags()) {
    tags.push(tag);
    if (tags.length >= most) break;
  }
  return { tags, paths: server.requests.map(({ path }) => path) };
}

describe('a list of tags', () => {
  const page =
    (link: (path: string) => string | undefined, tags: unknown = ['x']): Handler =>
    ({ path }, response) => {
      const next = link(path);
      if (next !== undefined) response.setHeader('link', `<${next}>; rel="next"`);
      answerJson(response, { name: 'a', tags });
    };

  test('goes over all pages, each by the link of the one before', async () => {
    const paged: Handler = ({ path }, response) => {
      const last = new URL(path, 'http://x').searchParams.get('last') ?? '';
      if (last !== 'bb') response.setHeader('link', `</v2/a/tags/list?n=1000&last=${last}b>; rel="next"`);
      answerJson(response, { tags: [`tag${last}`] });
    };
    const { tags, paths } = await tagsOf(paged);
    expect(tags).toEqual(['tag', 'tagb', 'tagbb']);
    const first = '/v2/a/tags/list?n=1000';
    expect(paths).toEqual([first, `${first}&last=b`, `${first}&last=bb`]);
  });

  test('is read no further than it is wanted', async () => {
    let nth = 0;
    const { paths } = await tagsOf(
      page(() => `/v2/a/tags/list?last=${String((nth += 1))}`, ['x', 'y']),
      3,
    );
    expect(paths).toHaveLength(2);
  });

  test.each([
    ['null', null],
    ['empty', []],
  ])('may be %s', async (_what, tags) => {
    expect((await tagsOf(page(() => undefined, tags))).tags).toEqual([]);
  });

  test('names tags only', async () => {
    const names = ['ok', '../../etc', '', '-x', 'a/b', 5, null, 'x'.repeat(129), 'v1.0_a-b', 'a\x1b[2J'];
    expect((await tagsOf(page(() => undefined, names))).tags).toEqual(['ok', 'v1.0_a-b']);
  });

  test.each<[string, Handler, string]>([
    ['goes in a circle', page(() => '/v2/a/tags/list?last=x'), 'lists the same again and again'],
    ['goes on elsewhere', page(() => 'http://192.0.2.1/v2/a/tags/list'), 'continues its list at 192.0.2.1'],
    ['goes on in a file', page(() => 'file:///x'), "redirects to a 'file:' URL"],
    ['is HTML', (_, response) => void response.writeHead(200).end('<html>'), 'something else than a list'],
    ['is an object', page(() => undefined, {}), 'something else than a list'],
    ['is too long', page(() => undefined, ['x'.repeat(9 << 20)]), 'a list of more than 8388608 bytes'],
  ])('that %s is refused', async (_what, handler, message) => {
    await expect(tagsOf(handler)).rejects.toThrow(message);
  });
});
