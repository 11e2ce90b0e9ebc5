import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../src/run/failure.ts';
import { fillGoTemplate } from '../../../src/verbs/go-template-fill.ts';
import { walkTemplate } from '../../../src/verbs/template.ts';

const VALUE = {
  Name: 'web',
  State: { Running: true, Pid: 7 },
  Mounts: [
    { Source: '/a', Destination: '/b' },
    { Source: '/c', Destination: '/d' },
  ],
  Config: { Labels: { 'io.x/y': 'one', app: 'web' }, Env: ['A=1', 'B=2'] },
  Empty: [],
  Ports: { '80/tcp': [{ HostPort: '8080' }], '81/tcp': null },
};

/** What Go's text/template makes of it (podman 5.4 shows lists and objects so). */
const FILLED: readonly (readonly [template: string, result: string])[] = [
  ['{{.Name}} {{.State.Pid}}', 'web 7'],
  ['{{range .Mounts}}{{.Source}}:{{.Destination}} {{end}}', '/a:/b /c:/d '],
  ['{{range .Empty}}x{{else}}none{{end}}', 'none'],
  ['{{range $i, $m := .Mounts}}{{$i}}={{$m.Source}};{{end}}', '0=/a;1=/c;'],
  ['{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}', 'app=web io.x/y=one '],
  ['{{if .State.Running}}up{{else}}down{{end}}', 'up'],
  ['{{if .State.Health}}{{.State.Health.Status}}{{else if .Name}}none{{end}}', 'none'],
  ['{{with .State}}{{.Pid}} of {{$.Name}}{{end}}', '7 of web'],
  ['{{index .Config.Labels "io.x/y"}}', 'one'],
  ['{{index .Config.Labels "absent"}}', ''],
  ['{{.Config.Label "app"}}', 'web'],
  ['{{(index (index .Ports "80/tcp") 0).HostPort}}', '8080'],
  ['{{range $p, $conf := .Ports}}{{if $conf}}{{$p}} -> {{(index $conf 0).HostPort}}{{end}}{{end}}', '80/tcp -> 8080'],
  ['{{len .Mounts}} {{len .Name}} {{len .Config.Labels}}', '2 3 2'],
  ['{{join .Config.Env ","}} {{join .Config.Env "\\n" | lower}}', 'A=1,B=2 a=1\nb=2'],
  ['{{.Name | upper}} {{upper .Name | printf "%s-%d" "x"}}', 'WEB x-WEB'],
  ['{{printf "%-5s|%q" .Name .Name}}', 'web  |"web"'],
  ['{{range .Config.Env}}{{println .}}{{end}}', 'A=1\nB=2\n'],
  ['{{json .Config.Env}}', '["A=1","B=2"]'],
  [
    '{{.Config.Env}} {{.Config.Labels}} {{.Empty}} {{.Mounts}}',
    '[A=1 B=2] map[app:web io.x/y:one] [] [map[Destination:/b Source:/a] map[Destination:/d Source:/c]]',
  ],
  ['{{print .Config.Env .State.Pid .State.Pid .Name "x"}}', '[A=1 B=2] 7 7webx'],
  ['{{printf "%v %s" .Config.Env .Config.Labels}}', '[A=1 B=2] map[app:web io.x/y:one]'],
  [
    '{{eq .Name "web"}} {{ne .State.Pid 7}} {{and .Name .Empty}} {{or .Empty .Name}} {{not .Empty}}',
    'true false [] web true',
  ],
  ['{{if and (eq .Name "web") (gt .State.Pid 5)}}both{{end}}', 'both'],
  ['{{- /* nothing */ -}} {{$x := .Name}}{{$x}}', 'web'],
  ['a {{- .Name -}} b\\tc', 'awebb\tc'],
  ['{{.Name}}{{"\\t"}}{{`}}`}}', 'web\t}}'],
];

test('a template of the peer is filled as Go fills it', () => {
  for (const [template, result] of FILLED) assert.equal(fillGoTemplate(template, VALUE), result, template);
});

test('fields have the names of the peer in templates, and those of JSON', () => {
  const network = { name: 'n', dns_enabled: true, ipv6_enabled: false, subnets: [{ gateway: '10.0.0.1' }] };
  const template = '{{.Name}} {{.DNSEnabled}} {{.dns_enabled}} {{.IPv6Enabled}}{{range .Subnets}} {{.Gateway}}{{end}}';
  assert.equal(fillGoTemplate(template, network), 'n true true false 10.0.0.1');
  const plain = '{{.Name}} {{.DNSEnabled}} {{json .IPv6Enabled}} {{.Subnets}}';
  const never = (): never => assert.fail('not for the other half');
  const host = {} as Parameters<typeof walkTemplate>[0];
  assert.equal(walkTemplate(host, plain, network, never), 'n true false [map[gateway:10.0.0.1]]');
});

test('what is no template is refused by name', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['{{.Nope}}', /\{\{\.Nope\}\}: no such field/],
    ['{{.State.Nope.Deep}}', /no such field/],
    ['{{range .Mounts}}', /has no \{\{end\}\}/],
    ['{{end}}', /without a beginning/],
    ['{{bogus .Name}}', /no such function; there are json, index/],
    ['{{$y}}', /no such variable/],
    ['{{index .Mounts 5}}', /has 2 entries/],
    ['{{range .Name}}x{{end}}', /neither a list nor an object/],
    ['{{.Name .Name}}', /is no function/],
    ['{{if}}x{{end}}', /something is missing/],
    ['{{(.Name}}', /a \) is missing/],
    ['{{if .Name', /an action has no end/],
  ];
  for (const [template, message] of wrong)
    assert.throws(
      () => fillGoTemplate(template, VALUE),
      (error: unknown) => error instanceof Failure && message.test(error.message),
      template,
    );
});

test('controls of a value become text, also within print (T28)', () => {
  assert.equal(fillGoTemplate('{{print .A}}{{upper .A}}', { A: '\x1b[2J' }), '\\x1b[2J\\x1b[2J');
});
