import { expect, test } from 'vitest';
import { SpinBudget } from '../../../src/fuse/spin.js';

test('polling goes on while it is rewarded', () => {
  const budget = new SpinBudget();
  for (let round = 0; round < 100; round += 1) {
    expect(budget.tries()).toBeGreaterThan(0);
    budget.wasted();
    budget.wasted();
    budget.rewarded();
  }
});

test('without reward only every eighth round polls, and one reward brings it back', () => {
  const budget = new SpinBudget();
  for (let round = 0; round < 4; round += 1) {
    expect(budget.tries()).toBeGreaterThan(0);
    budget.wasted();
  }
  const rounds = Array.from({ length: 16 }, () => {
    const tries = budget.tries();
    if (tries > 0) budget.wasted();
    return tries > 0;
  });
  expect(rounds.map(Number).join('')).toBe('0000000100000001');
  budget.rewarded();
  expect(budget.tries()).toBeGreaterThan(0);
});
