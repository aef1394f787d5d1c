import { describe, expect, test } from 'vitest';
import { compileTemplate, headingTemplate, NIL_LIST, NIL_MAP } from '../../../src/cli/template.js';

const DATA = {
  ID: 'abc',
  Names: ['a', 'b'],
  Config: { Cmd: ['sh', '-c'], Labels: { k: 'v' } },
  Size: 7,
  Empty: null,
  Nil: NIL_LIST,
  NilMap: NIL_MAP,
};

describe('compileTemplate', () => {
  test('a label of a row', () => {
    const row = { Label: { k: 'v' } };
    expect(compileTemplate('<{{.Label "k"}}{{.Label "none"}}>')(row)).toBe('<v>');
    expect(headingTemplate('{{.Label "k"}}')({ Label: '' })).toBe('k');
  });

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
    ['a {{- /* said */ -}} b', 'ab'],
    ['a {{- .ID -}} b', 'aabcb'],
    ['{{-1}}', '-1'],
    ['{{if .ID}}y{{else}}n{{end}}{{if .Empty}}y{{else}}n{{end}}', 'yn'],
    ['{{if eq .Size 1}}1{{else if eq .Size 2 7}}7{{else}}other{{end}}', '7'],
    ['{{range .Names}}<{{.}}>{{end}}', '<a><b>'],
    ['{{range $i, $name := .Names}}{{if $i}}, {{end}}{{$i}}={{$name}}{{end}}', '0=a, 1=b'],
    ['{{range $key, $value := .Config.Labels}}{{$key}}={{$value}}\\n{{end}}', 'k=v\n'],
    ['{{range .Config.None}}x{{else}}none{{end}}', 'none'],
    ['{{range .Names}}{{break}}{{end}}{{range .Names}}{{if eq . "a"}}{{continue}}{{end}}{{.}}{{end}}', 'b'],
    ['{{range .Names}}{{$.ID}}{{end}}', 'abcabc'],
    ['{{with .Config}}{{.Cmd}}{{end}}{{with .Empty}}x{{else}}-{{end}}', '[sh -c]-'],
    ['{{$x := .ID}}{{if true}}{{$x = "changed"}}{{end}}{{$x}}', 'changed'],
    ['{{.ID | upper | printf "%s-%d" "a" | len}}', String('a-%!d(string=ABC)'.length)],
    ['{{(index .Config.Cmd 0) | title}}', 'Sh'],
    ['{{(.Config).Labels.k}}', 'v'],
    ['{{index (split "a:b:c" ":") 1}}', 'b'],
    ['{{slice .ID 0 2}}{{slice .Names 1}}', 'ab[b]'],
    ['{{truncate .ID 2}}|{{pad .ID 1 2}}|{{truncate .ID 9}}', 'ab| abc  |abc'],
    ['{{title "hello my world"}}', 'Hello My World'],
    [
      '{{printf "%-5s|%5s|%05d|%x|%q|%v|%.2f|%t|%%" .ID .ID .Size 255 "q" .Names 1.5 true}}',
      'abc  |  abc|00007|ff|"q"|[a b]|1.50|true|%',
    ],
    ['{{printf "%s"}}{{printf "x" 1}}', '%!s(MISSING)x%!(EXTRA number=1)'],
    ['{{and .ID .Size}} {{or .Empty .ID}} {{not .ID}} {{and .Empty .Nope}}', '7 abc false <no value>'],
    ['{{eq .ID "abc"}}{{ne .Size 7}}{{lt 1 2}}{{ge 2 2}}{{gt "b" "a"}}{{le 3 2}}', 'truefalsetruetruetruefalse'],
    ['{{print .ID 1 2}} {{print 1 2}} {{println 1 "a"}}', 'abc1 2 1 2 1 a\n'],
    ['{{html "<a>"}}{{urlquery "a b&c"}}{{js "\\""}}', '&lt;a&gt;a+b%26c\\\"'],
    ['{{`raw \\n`}}', 'raw \\n'],
    ["{{'a'}}", '97'],
    ['{{.Nil}} {{json .Nil}} {{len .Nil}} {{.NilMap}} {{json .NilMap}}', '[] null 0 map[] null'],
    ['{{index .Config.Cmd "1"}}', '-c'],
    ['{{.Config.Labels.constructor}}', '<no value>'],
  ])('renders %s', (template, text) => {
    expect(compileTemplate(template)(DATA)).toBe(text);
  });

  test.each([
    ['{{.Nope}}', "there is no field 'Nope' (there is ID, Names, Config, Size, Empty, Nil, NilMap)"],
    ['{{range .Names}}', "'range' has no '{{end}}'"],
    ['{{if .ID}}{{else}}', "'if' has no '{{end}}'"],
    ['{{end}}', "nothing for this 'end' to end"],
    ['{{else}}', "nothing for this 'else' to end"],
    ['{{if}}{{end}}', 'a value is missing'],
    ['{{.ID | }}', 'a value is missing'],
    ['{{(.ID}}', "a '(' is not closed"],
    ['{{.ID)}}', "')' is not expected here"],
    ['{{.ID .Size}}', 'only a function takes arguments'],
    ['{{.ID | .Size}}', "what follows a '|' must be a function"],
    ['{{break}}', "'break' is outside of a range"],
    ['{{$x}}', "there is no variable '$x'"],
    ['{{if .ID}}{{$x := 1}}{{end}}{{$x}}', "there is no variable '$x'"],
    ['{{"a}}', 'is not understood'],
    ['{{"\\q"}}', 'is not a string'],
    ['{{index .Names 5}}', 'there is no 5 in a list of 2'],
    ['{{slice .ID 2 9}}', "'slice' from 2 to 9: the length is 3"],
    ['{{eq .ID .Size}}', 'cannot be compared'],
    ['{{upper .Names}}', "'upper' needs a text, not [a b]"],
    ['{{join .ID ","}}', "'join' needs a list, not abc"],
    ['{{len .Size}}', 'it has no length'],
    ['{{split .ID}}', "'split' needs 2 values, not 1"],
    ['{{range .ID}}{{end}}', "'range' over abc"],
    ['{{$.Nope}}', "there is no field 'Nope'"],
    ['{{ID}}', "'ID' is not a function known here"],
    ['{{json}}', "'json' needs 1 value, not 0"],
    ['{{json ID}}', "'ID' is not a function known here"],
    ['{{.ID', "a '{{' is not closed"],
    ['{{constructor .ID}}', "'constructor' is not a function known here"],
  ])('refuses %s', (template, why) => {
    expect(() => compileTemplate(template)(DATA)).toThrow(why);
  });
});
