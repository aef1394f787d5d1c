// A host whose network is its own: calls functions of the built network room, one JSON line each, all at once.

import { createInterface } from 'node:readline';

const network = await import(process.argv[2]);

async function answer({ number, call, args }) {
  try {
    return { number, value: (await network[call](...args)) ?? null };
  } catch (error) {
    return { number, error: { code: error.code, message: error.message, hint: error.hint } };
  }
}

console.log(JSON.stringify({ number: 0 }));
createInterface({ input: process.stdin }).on('line', async (line) => {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
});
