import { describe, expect, test } from 'vitest';
import { compileTemplate } from '../../../src/cli/template.js';

const DATA = { ID: 'abc', Names: ['a', 'b'], Config: { Cmd: ['sh', '-c'], Labels: { k: 'v' } }, Size: 7, Empty: null };

describe('compileTemplate', () => {
  test.each([
    ['{{.ID}}', 'abc'],
    ['{{ .ID }}: {{.Size}}', 'abc: 7'],
    ['{{.Config.Cmd}}', '[sh -c]'],
    ['{{.Config.Labels}}', 'map[k:v]'],
    ['{{.Config.Labels.none}}', '<no value>'],
    ['{{.Empty}}', '<no value>'],
    ['{{json .Config}}', '{"Cmd":["sh","-c"],"Labels":{"k":"v"}}'],
    ['{{json .}}', JSON.stringify(DATA)],
    ['{{upper .ID}} {{lower "ABC"}}', 'ABC abc'],
    ['{{len .Names}}{{len .ID}}{{len .Config}}', '232'],
    ['{{join .Names ", "}}', 'a, b'],
    ['{{index .Names 1}} {{index .Config.Labels "k"}}', 'b v'],
    ['{{println .ID}}', 'abc\n'],
    ['{{.ID}}\\t{{.Size}}\\n', 'abc\t7\n'],
    ['{{- .ID -}}', 'abc'],
    ['plain', 'plain'],
  ])('renders %s', (template, text) => {
    expect(compileTemplate(template)(DATA)).toBe(text);
  });

  test.each([
    ['{{.Nope}}', "there is no field 'Nope' (there is ID, Names, Config, Size, Empty)"],
    ['{{range .Names}}', "'range' is not a function known here"],
    ['{{ID}}', "'ID' is not a function known here"],
    ['{{json}}', "'json' needs a field"],
    ['{{json ID}}', "'ID' is not a field"],
    ['{{.ID', "a '{{' is not closed"],
    ['{{constructor .ID}}', "'constructor' is not a function known here"],
  ])('refuses %s', (template, why) => {
    expect(() => compileTemplate(template)(DATA)).toThrow(why);
  });
});
