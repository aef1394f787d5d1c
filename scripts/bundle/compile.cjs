'use strict';

// Writes down what V8 makes of the programs beside this file, for the version of Node that runs it, so that their starts do not compile
// them again. What is written is as good as the program itself: it lies beside it, and who can change one can change the other.
//
// Usage: node compile.cjs

const { readFileSync, readdirSync, renameSync, writeFileSync } = require('fs');
const { setFlagsFromString } = require('v8');
const { Script } = require('vm');

const ALIGNMENT = 8;

/** See scripts/bundle/loader.cjs. */
function sample(bytes) {
  let sum = 0;
  for (let at = 0; at + 4 <= bytes.length; at += 128) sum = (Math.imul(sum, 31) + bytes.readInt32LE(at)) | 0;
  return sum >>> 0;
}

/** All functions, not only those that have been called: which ones a command needs is known when it is too late. */
function compileAll(text, options) {
  setFlagsFromString('--no-lazy');
  const script = new Script(text, options);
  // V8 refuses notes made under other options than its own.
  setFlagsFromString('--lazy');
  return script.createCachedData();
}

function writeCache(name) {
  const text = readFileSync(`${__dirname}/${name}-modules.cjs`, 'latin1');
  const { build, modules } = JSON.parse(text.slice(3, text.indexOf('\n')));
  const places = Object.values(modules);
  const head = Buffer.alloc(Math.ceil((build.length + 12 * places.length) / ALIGNMENT) * ALIGNMENT);
  head.write(build, 'latin1');
  const parts = [head];
  let end = head.length;
  for (const [index, offset, length, lineOffset] of places) {
    // They name the file, and the line, of each function.
    const options = { filename: `${name}-modules.cjs`, lineOffset };
    const notes = compileAll(text.slice(offset, offset + length), options);
    const at = build.length + 12 * index;
    head.writeUInt32LE(end, at);
    head.writeUInt32LE(notes.length, at + 4);
    head.writeUInt32LE(sample(notes), at + 8);
    const padding = Buffer.alloc(-notes.length & (ALIGNMENT - 1));
    parts.push(notes, padding);
    end += notes.length + padding.length;
  }
  const file = `${__dirname}/${name}-${process.version}-${process.arch}.cache`;
  writeFileSync(`${file}.new`, Buffer.concat(parts));
  renameSync(`${file}.new`, file);
}

for (const file of readdirSync(__dirname)) {
  const [, name] = /^(.*)-modules\.cjs$/.exec(file) ?? [];
  if (name !== undefined) writeCache(name);
}
