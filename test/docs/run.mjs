// Runs the commands of documentation pages, in order, and compares what they print
// with what the page shows.  Prints TAP.
//
// usage: run.mjs CHECKOUT PAGE...      pages relative to CHECKOUT, where commands run
//
// What a page says by its fenced blocks:
//   ```sh            run by bash; must end with status 0, or N if the line says exit=N
//   ```sql           run by psql as the throw-away cluster's superuser, as `make psql`
//   ```sql role=R    the same as `make psql ROLE=R`
//   ```text          right after one of these: what it prints.  Without it the output
//                    is not compared, but must hold no ERROR, FATAL, PANIC or WARNING.
// Other blocks are not run, and indented code is refused, so that nothing that looks
// like a command goes untested.
//
// In a shown output … stands for what differs from run to run: within a line for any
// characters, alone on a line for any lines.  Runs of blanks and of dashes count as
// one, because psql's columns are as wide as what varies.
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

const [checkout, ...pages] = process.argv.slice(2);

// What `make check` tells its children is not for a `make` that a page calls.
const env = { ...process.env, PAGER: '', LC_ALL: 'C.UTF-8' };
for (const name of ['MAKEFLAGS', 'MFLAGS', 'MAKELEVEL', 'MAKEOVERRIDES', 'PGOPTIONS']) delete env[name];

export function blocks(text) {
  const found = [];
  let open = null;
  let previous = '';
  text.split('\n').forEach((line, index) => {
    const fence = /^```(.*)$/.exec(line);
    if (open && fence) {
      found.push(open);
      open = null;
    } else if (open) {
      open.lines.push(line);
    } else if (fence) {
      const [kind, ...options] = fence[1].trim().split(/\s+/);
      open = { kind, line: index + 1, lines: [],
        options: Object.fromEntries(options.map((option) => option.split('='))) };
    } else if (/^( {4}|\t)/.test(line) && previous === '') {
      found.push({ kind: 'indented', line: index + 1, lines: [line], options: {} });
    }
    previous = line;
  });
  if (open) found.push({ ...open, kind: 'unclosed' });
  return found;
}

function shell(script, args, input) {
  const result = spawnSync('bash', ['-c', script, 'bash', ...args],
    { cwd: checkout, env, input, encoding: 'utf8', timeout: 300_000, maxBuffer: 1 << 26 });
  return { output: result.stdout ?? '', status: result.status ?? `signal ${result.signal}` };
}

function run(block) {
  const source = block.lines.join('\n') + '\n';
  if (block.kind === 'sh') return shell(`exec 2>&1\nset -euo pipefail\n${source}`, [], '');
  return shell('dsn=$(make -s dsn ROLE="$1") && exec psql -X -d "$dsn" 2>&1', [block.options.role ?? ''], source);
}

const normal = (line) => line.replace(/[ \t]+/g, ' ').replace(/-{2,}/g, '--').trimEnd();
const lines = (text) => text.replace(/\n+$/, '').split('\n').map(normal);
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const lineMatches = (shown, printed) =>
  new RegExp(`^${shown.split('…').map(escaped).join('.*')}$`, 'u').test(printed);

// Does the shown output describe the printed one?  A line of … alone takes any number.
export function matches(shown, printed) {
  if (shown.length === 0) return printed.length === 0;
  if (shown[0].trim() === '…')
    return matches(shown.slice(1), printed) || (printed.length > 0 && matches(shown, printed.slice(1)));
  return printed.length > 0 && lineMatches(shown[0], printed[0]) && matches(shown.slice(1), printed.slice(1));
}

// What is wrong with a block, or null.
function judge(block, shown) {
  if (block.kind === 'indented') return ['indented code is not run: use a fenced block'];
  if (block.kind === 'unclosed') return ['the block is never closed'];
  const { output, status } = run(block);
  const wanted = block.kind === 'sh' ? Number(block.options.exit ?? 0) : 0;
  const printed = ['--- printed', ...output.replace(/\n+$/, '').split('\n')];
  if (status !== wanted) return [`ended with status ${status}, not ${wanted}`, ...printed];
  if (shown) {
    if (matches(lines(shown.lines.join('\n')), lines(output))) return null;
    return ['the output is not the shown one', '--- shown', ...shown.lines, ...printed];
  }
  return /^(ERROR|FATAL|PANIC|WARNING): /m.test(output) ? ['an error that the page does not show', ...printed] : null;
}

let failed = 0;
for (const page of pages) {
  const found = blocks(readFileSync(`${checkout}/${page}`, 'utf8'));
  let ran = 0;
  found.forEach((block, index) => {
    if (!['sh', 'sql', 'indented', 'unclosed'].includes(block.kind)) return;
    const next = found[index + 1];
    const problem = judge(block, next?.kind === 'text' ? next : null);
    const name = `${page}:${block.line} ${block.lines.find((line) => line.trim()) ?? ''}`.replaceAll('#', '\\#');
    console.log(`${problem ? 'not ok' : 'ok'} - ${name}`);
    problem?.forEach((line) => console.log(`# ${line}`));
    failed += problem ? 1 : 0;
    ran += 1;
  });
  if (ran === 0) {
    console.log(`not ok - ${page} has commands`);
    failed += 1;
  }
}
process.exit(failed ? 1 : 0);
