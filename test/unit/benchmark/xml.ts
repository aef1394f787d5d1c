// XML as expat reads it, by way of Python: Node has no parser of its own.

import { execFileSync } from 'node:child_process';

export interface Element {
  /** Without its namespace. */
  readonly name: string;
  readonly namespace: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Before the first element in it. */
  readonly text: string;
  readonly children: readonly Element[];
}

const SCRIPT = `
import json, sys
from xml.etree import ElementTree
def element(it):
    namespace, name = it.tag[1:].split('}') if it.tag[0] == '{' else ('', it.tag)
    return {'name': name, 'namespace': namespace, 'attributes': it.attrib, 'text': it.text or '', 'children': [element(child) for child in it]}
json.dump(element(ElementTree.fromstring(sys.stdin.buffer.read())), sys.stdout)
`;

/** Throws if it is not well-formed. */
export function parseXml(text: string): Element {
  const options = { input: text, encoding: 'utf8', stdio: 'pipe' } as const;
  return JSON.parse(execFileSync('python3', ['-c', SCRIPT], options)) as Element;
}

/** Itself and everything in it, in the order of the text. */
export const all = (root: Element): Element[] => [root, ...root.children.flatMap(all)];
