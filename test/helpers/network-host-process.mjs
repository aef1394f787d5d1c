// A host whose network is its own: works with the built network room, one JSON line each, all at once.

import { createInterface } from 'node:readline';

const network = await import(process.argv[2]);

/** By the container's ID. */
const prepared = new Map();

const CALLS = {
  async prepare(request) {
    const one = await network.prepareNetwork(request);
    prepared.set(request.id, one);
    return { namespace: one.namespace };
  },
  async connect(id, pid) {
    const one = prepared.get(id);
    try {
      return await one.connect(pid);
    } finally {
      one[Symbol.dispose]();
    }
  },
  tearDown: network.tearDownNetwork,
};

async function answer({ number, call, args }) {
  try {
    return { number, value: (await CALLS[call](...args)) ?? null };
  } catch (error) {
    return { number, error: { code: error.code, message: error.message, hint: error.hint } };
  }
}

console.log(JSON.stringify({ number: 0 }));
createInterface({ input: process.stdin }).on('line', async (line) => {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
});
