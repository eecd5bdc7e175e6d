// render.go itself, on small charts: what Helm's documentation says of values and functions.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { refusal, render, withDirectory } from './lib/chart.mjs';

// Renders one manifest of a chart of these files; the chart's own name and values besides.
function small(template, { values = {}, over, files = {}, use = render } = {}) {
	return withDirectory((root) => {
		const all = { 'Chart.yaml': 'apiVersion: v2\nname: small\nversion: 0.1.0\nappVersion: "7"\n',
			'values.yaml': JSON.stringify(values), 'templates/one.yaml': template, ...files };
		for (const [name, text] of Object.entries(all)) {
			mkdirSync(dirname(join(root, name)), { recursive: true });
			writeFileSync(join(root, name), text);
		}
		return use({ root, ...(over === undefined ? {} : { values: over }) });
	});
}

test('values: maps are merged, lists replaced, null takes away', () => {
	const values = { a: { b: 1, c: 2 }, list: [1, 2], gone: { x: 1 } };
	assert.deepEqual(small('{{ toYaml .Values }}', { values, over: { a: { c: 3, d: 4 }, list: [9], gone: null } }),
		[{ a: { b: 1, c: 3, d: 4 }, list: [9] }]);
});

test('a number is a float, as in Helm: printed as it stands, a large one is not what was meant', () => {
	assert.deepEqual(small('v: {{ .Values.n | quote }}\nw: {{ int .Values.n }}', { values: { n: 10000000 } }), [{ v: '1e+07', w: 10000000 }]);
});

test('functions and objects of Helm', () => {
	const template = `a: {{ include "x" . }}
b: {{ tpl "{{ .Chart.AppVersion }}-{{ .Release.Name }}" . | quote }}
c: {{ .Files.Get "data.txt" | quote }}
d: {{ .Files.Get "none.txt" | quote }}
e: {{ lookup "v1" "Secret" "ns" "name" | len }}
f: {{ .Capabilities.APIVersions.Has "apps/v1" }}
g: {{ .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" }}
h: {{ .Values.none.deeper | default "none" }}
i: "{{ .Values.missing }}"
`;
	assert.deepEqual(small(template, { values: { none: {} }, files: { 'data.txt': 'text', 'templates/_x.tpl': '{{ define "x" }}{{ .Release.Namespace }}{{ end }}' } }),
		[{ a: 'default', b: '7-stellaops', c: 'text', d: '', e: 0, f: true, g: false, h: 'none', i: '' }]);
});

test('what Helm refuses is refused', () => {
	for (const [template, expected] of [
		['{{ required "say x" .Values.x }}', /say x/], ['{{ fail "no" }}', /no/], ['{{ nosuch }}', /function "nosuch" not defined/],
		['a: 1\na: 2', /already set in map/], ['{{ include "nothing" . }}', /no template "nothing"/], ['a: [', /did not find/],
		['{{ env "HOME" }}', /function "env" not defined/]])
		assert.match(small(template, { use: refusal }), expected);
});

test('documents are told apart, and empty ones are none', () => {
	assert.deepEqual(small('a: 1\n---\n# nothing\n---\nb: 2\n'), [{ a: 1 }, { b: 2 }]);
});
