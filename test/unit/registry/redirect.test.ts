import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../src/registry/index.js';
import { checkPlain } from '../../../src/registry/redirect.js';
import { directConfig } from '../../helpers/registry/index.js';

const endpoint = (verify: boolean | undefined): Endpoint =>
  directConfig(verify === undefined ? {} : { verify }).endpoints({ registry: 'r.example', repository: 'a' }, {})[0]!;

describe('checkPlain', () => {
  const goes = (verify: boolean | undefined, from: string, url: string): boolean => {
    try {
      checkPlain('x', endpoint(verify), { url: new URL(url), from: new URL(from) });
      return true;
    } catch {
      return false;
    }
  };

  test.each([
    [undefined, 'https://r.example/', 'https://other.example/', true],
    [undefined, 'https://r.example/', 'http://r.example/', false],
    [undefined, 'https://r.example/', 'http://127.0.0.1/', false],
    [undefined, 'https://127.0.0.1/', 'http://127.0.0.1/', false],
    [undefined, 'http://127.0.0.1/', 'http://127.0.0.1:5000/', true],
    [undefined, 'http://127.0.0.1/', 'http://r.example/', false],
    [undefined, 'http://127.0.0.1/', 'https://r.example/', true],
    [true, 'https://127.0.0.1/', 'http://127.0.0.1/', false],
    [false, 'https://r.example/', 'http://r.example/', true],
    [false, 'http://r.example/', 'http://other.example/', true],
  ])('verify %s, from %s to %s: %s', (verify, from, url, may) => {
    expect(goes(verify, from, url)).toBe(may);
  });
});
