'use strict';

// Starts a program whose modules are functions in one file (scripts/bundle/pack.mjs), each compiled when it is first asked for: by
// V8's own notes of the last time, where there are some for this version of Node, else from its source.

const { openSync, readSync } = require('fs');
const { Script } = require('vm');

/** Of each module: its number, and where its source is: offset, length, and line. */
const MODULES = __MODULES__;
const BUILD = '__BUILD__';
const FILE = `${__dirname}/__NAME__-modules.cjs`;
const CACHE = `${__dirname}/__NAME__-${process.version}-${process.arch}.cache`;

// Both stay open: an update does not change the program that is running.
const source = openSync(FILE);
let cache = openCache();

function read(fd, offset, length) {
  const bytes = Buffer.allocUnsafeSlow(length);
  if (readSync(fd, bytes, 0, length, offset) !== length) throw new Error(`${FILE} is cut short`);
  return bytes;
}

function openCache() {
  try {
    const fd = openSync(CACHE);
    const head = read(fd, 0, BUILD.length + 12 * Object.keys(MODULES).length);
    // V8 looks at no more than how long the source is.
    if (head.latin1Slice(0, BUILD.length) === BUILD) return { fd, head };
  } catch {
    // There is none for this Node.
  }
  return undefined;
}

/** Of every 128 bytes four: V8 trusts its notes, and what a loss of power leaves of a file is pages of zeros. */
function sample(bytes) {
  const words = new Int32Array(bytes.buffer, 0, bytes.length >> 2);
  let sum = 0;
  for (let at = 0; at < words.length; at += 32) sum = (Math.imul(sum, 31) + words[at]) | 0;
  return sum >>> 0;
}

function notesOn(index) {
  if (cache === undefined) return undefined;
  const at = BUILD.length + 12 * index;
  try {
    const notes = read(cache.fd, cache.head.readUInt32LE(at), cache.head.readUInt32LE(at + 4));
    if (sample(notes) === cache.head.readUInt32LE(at + 8)) return notes;
  } catch {
    // The file is cut short.
  }
  return (cache = undefined);
}

function compile([index, offset, length, lineOffset]) {
  const text = read(source, offset, length).latin1Slice();
  const cachedData = notesOn(index);
  const script = new Script(text, { filename: '__NAME__-modules.cjs', lineOffset, cachedData });
  // Node was started with options that change what V8 compiles.
  if (script.cachedDataRejected) cache = undefined;
  return script.runInThisContext();
}

const loaded = new Map();

function load(id) {
  const known = loaded.get(id);
  if (known !== undefined) return known.exports;
  const place = MODULES[id];
  if (place === undefined) return require(id);
  const module = { exports: {} };
  loaded.set(id, module);
  compile(place)(module.exports, load, module, FILE, __dirname);
  return module.exports;
}

load('./__NAME__.cjs');
