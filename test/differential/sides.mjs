// The two sides that are compared with JavaScript: the core behind its line
// protocol, and a database behind psql.
import { spawnSync } from 'node:child_process';

function run(program, args, input) {
	const result = spawnSync(program, args, { input, maxBuffer: 2 ** 30 });
	if (result.error) throw result.error;
	if (result.status !== 0) throw new Error(`${program} ended with ${result.status ?? result.signal}: ${result.stderr}`);
	return result.stdout.toString();
}

const rows = (text) => text === '' ? [] : text.replace(/\n$/, '').split('\n').map((line) => line.split('\t'));

// A text field of a command: hex, or "-" for none.
export const field = (text) => text === null || text === undefined ? '-' : Buffer.from(text).toString('hex');

// Commands (arrays of fields) to answers: { ok, fields }.
export function core(commands) {
	const input = commands.map((command) => command.join('\t') + '\n').join('');
	const answers = rows(run(process.env.CORE_CLI, [], input));
	if (answers.length !== commands.length) throw new Error(`${commands.length} commands, ${answers.length} answers`);
	return answers.map(([verdict, ...fields]) => ({ ok: verdict === 'ok', fields }));
}

// The one JSON value of each row that a query answers, after a script has run.
// It comes as hex: psql's output leaves out U+10FFFE and U+10FFFF.
export function sql(query, script = '') {
	const input = `${script}\nSELECT encode(convert_to(answer.value::text, 'UTF8'), 'hex') FROM (${query}) AS answer (value);\n`;
	const output = run('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', process.env.DSN, '-f', '-'], input);
	return rows(output).map(([hex]) => JSON.parse(Buffer.from(hex, 'hex').toString()));
}

// A temporary table of texts, numbered from 0, given as bytes.
export function given(table, texts) {
	const lines = texts.map((text, i) => `${i}\t\\\\x${Buffer.from(text).toString('hex')}\n`);
	return `CREATE TEMP TABLE ${table} (i int PRIMARY KEY, doc bytea);\nCOPY ${table} FROM STDIN;\n${lines.join('')}\\.\n`;
}
