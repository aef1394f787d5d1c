import { describe, expect, test } from 'vitest';
import { Waiting } from '../../../src/fuse/waiting.js';

/** One with a clock to be set, and what it asked of the processors. */
function waitingWithClock(): { waiting: Waiting; clock: { now: number }; asked: string[] } {
  const clock = { now: 1000 };
  const asked: string[] = [];
  const latency = { lower: (): number => asked.push('lower'), restore: (): number => asked.push('restore') };
  return { waiting: new Waiting(latency, () => clock.now), clock, asked };
}

/** Requests at even distances, in milliseconds. */
function requests(on: { waiting: Waiting; clock: { now: number } }, count: number, distance: number): void {
  for (let n = 0; n < count; n += 1) {
    on.clock.now += distance;
    on.waiting.taken();
    on.waiting.sleep();
  }
}

describe('asking the device again', () => {
  test('goes on while it is rewarded', () => {
    const waiting = new Waiting(undefined);
    for (let round = 0; round < 100; round += 1) {
      expect(waiting.patience()).toBeGreaterThan(0);
      waiting.wasted();
      waiting.wasted();
      waiting.rewarded();
    }
  });

  test('without reward is done in every eighth round only, and one reward brings it back', () => {
    const waiting = new Waiting(undefined);
    for (let round = 0; round < 4; round += 1) {
      expect(waiting.patience()).toBeGreaterThan(0);
      waiting.wasted();
    }
    const rounds = Array.from({ length: 16 }, () => {
      const patience = waiting.patience();
      if (patience > 0) waiting.wasted();
      return patience > 0;
    });
    expect(rounds.map(Number).join('')).toBe('0000000100000001');
    waiting.rewarded();
    expect(waiting.patience()).toBeGreaterThan(0);
  });
});

describe('processors', () => {
  test('are kept awake once requests come quickly, and not by requests that come slowly', () => {
    const slow = waitingWithClock();
    requests(slow, 1000, 1);
    expect(slow.asked).toEqual([]);
    const quick = waitingWithClock();
    requests(quick, 100, 0.05);
    expect(quick.asked).toEqual(['lower']);
  });

  test('are kept awake by a burst after a long rest', () => {
    const on = waitingWithClock();
    requests(on, 19, 0.05);
    on.clock.now += 60_000;
    requests(on, 40, 0.05);
    expect(on.asked).toEqual(['lower']);
  });

  test('may sleep again when no request came for a while, and are woken by the next burst', () => {
    const on = waitingWithClock();
    requests(on, 100, 0.05);
    const limit = on.waiting.sleep();
    expect(limit).toBeGreaterThan(0);
    on.clock.now += limit;
    on.waiting.slept();
    expect(on.waiting.sleep()).toBe(-1);
    expect(on.asked).toEqual(['lower', 'restore']);
    requests(on, 100, 0.05);
    expect(on.asked).toEqual(['lower', 'restore', 'lower']);
  });

  test('may sleep again when requests go on, but slowly', () => {
    const on = waitingWithClock();
    requests(on, 100, 0.05);
    requests(on, 10, 1);
    expect(on.asked).toEqual(['lower', 'restore']);
    expect(on.waiting.sleep()).toBe(-1);
  });

  test('awake, there is less asking before sleeping', () => {
    const on = waitingWithClock();
    const asleep = on.waiting.patience();
    requests(on, 100, 0.05);
    expect(on.waiting.patience()).toBeGreaterThan(0);
    expect(on.waiting.patience()).toBeLessThan(asleep);
  });

  test('are let alone where nothing can be asked of them', () => {
    const waiting = new Waiting(undefined, () => 0);
    for (let n = 0; n < 100; n += 1) waiting.taken();
    expect(waiting.sleep()).toBe(-1);
  });
});
