// Certificates for tests, made with the openssl program.
//
//     const ca = makeCa('server');                            {cert, key}: PEM files
//     issue(ca, 'ledger', { san: 'DNS:localhost,IP:127.0.0.1', usage: 'serverAuth' })
//     issue(ca, 'scanner', { san: 'URI:spiffe://example.org/scanner', from: -10, days: 5 })   expired five days ago
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { work } from './gateway.mjs';

const openssl = (args) => execFileSync('openssl', args, { cwd: work, stdio: ['ignore', 'pipe', 'pipe'] });
const path = (name) => join(work, name);
let number = 0;

const makeKey = (name) => openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', path(`${name}.key`)]);

export function makeCa(label) {
	const name = `ca-${label}-${++number}`;
	makeKey(name);
	openssl(['req', '-x509', '-new', '-key', path(`${name}.key`), '-subj', `/CN=${label} CA`, '-days', '30', '-out', path(`${name}.pem`),
		'-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign']);
	return { name, cert: path(`${name}.pem`), key: path(`${name}.key`) };
}

const stamp = (days) => `${new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;

// from and days: when it begins to be valid, relative to now, and for how long.
export function issue(ca, label, { san, usage = 'clientAuth', from = -1, days = 30 } = {}) {
	const name = `${label}-${++number}`;
	makeKey(name);
	openssl(['req', '-new', '-key', path(`${name}.key`), '-subj', `/CN=${label}`, '-out', path(`${name}.csr`)]);
	writeFileSync(path(`${name}.cnf`), [
		'[ca]', 'default_ca = d', '[d]', `database = ${path(`${name}.index`)}`, `new_certs_dir = ${work}`, 'rand_serial = yes', 'default_md = sha256',
		'policy = p', 'unique_subject = no', '[p]', 'commonName = supplied', '[x]', 'basicConstraints = CA:FALSE',
		...(usage ? [`extendedKeyUsage = ${usage}`] : []), ...(san ? [`subjectAltName = ${san}`] : []), ''].join('\n'));
	writeFileSync(path(`${name}.index`), '');
	openssl(['ca', '-batch', '-notext', '-config', path(`${name}.cnf`), '-extensions', 'x', '-cert', ca.cert, '-keyfile', ca.key,
		'-in', path(`${name}.csr`), '-out', path(`${name}.pem`), '-startdate', stamp(from), '-enddate', stamp(from + days)]);
	return { cert: path(`${name}.pem`), key: path(`${name}.key`) };
}
