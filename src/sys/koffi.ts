// The package koffi, loaded when the first native function is called. In the programs its native part stands for all of it
// (scripts/bundle/native.mjs).

import { createRequire } from 'node:module';
import type Koffi from 'koffi';

const require = createRequire(import.meta.url);
let koffi: typeof Koffi | undefined;

export const loadKoffi = (): typeof Koffi => (koffi ??= require('koffi') as typeof Koffi);
