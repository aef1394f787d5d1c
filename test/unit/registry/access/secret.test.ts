import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../../../src/registry/index.js';

test('a secret is shown to nobody but who asks for it', () => {
  const secret = new Secret('hunter2');
  expect(secret.reveal()).toBe('hunter2');
  const shown = [
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true }),
    Object.values(secret).join(),
  ];
  expect(shown.join('\n')).not.toContain('hunter2');
  expect(shown.slice(0, 2)).toEqual(['***', '{"secret":"***"}']);
});
