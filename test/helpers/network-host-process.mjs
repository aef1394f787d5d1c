// A host whose network is its own: calls functions of the built network room, one JSON line each.

import { createInterface } from 'node:readline';

const network = await import(process.argv[2]);
console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  const { call, args } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ value: (await network[call](...args)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: { code: error.code, message: error.message, hint: error.hint } }));
  }
}
