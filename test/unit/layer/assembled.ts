// Tars assembled into memory.

import { assembleTar } from '../../../src/layer/index.js';
import type { AssembleTarOptions } from '../../../src/layer/index.js';

export async function assembled(options: AssembleTarOptions): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of assembleTar(options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
