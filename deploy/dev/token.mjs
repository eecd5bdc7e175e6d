// The throw-away authority of `make up`: one key in .run/authority, and tokens signed with it.
// Whoever can read that directory can be anybody, which is right for trying out only.
//
// usage: token.mjs init DIR                     make the key and its JWKS, if they are not there
//        token.mjs mint DIR [TENANT [SCOPES [SUBJECT [HOURS]]]]     print a token
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const issuer = 'https://authority.localhost';
export const audience = 'ledger';
const everything = ['ledger.events.read', 'ledger.events.write', 'ledger.export.read', 'ledger.audit',
	'ledger.attachments.read', 'ledger.attachments.write'].join(' ');

const [command, dir, tenant = 'acme', scopes, subject = 'demo', hours = '12'] = process.argv.slice(2);
const keyFile = join(dir ?? '.', 'key.pem');
const jwksFile = join(dir ?? '.', 'jwks.json');
const kid = 'demo-1';

// Whole or not at all, so that a gateway never reads half of it.
function write(path, text, mode) {
	writeFileSync(`${path}.new`, text, { mode });
	renameSync(`${path}.new`, path);
}

function init() {
	mkdirSync(dir, { recursive: true, mode: 0o700 });
	if (!existsSync(keyFile))
		write(keyFile, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
	const key = createPublicKey(readFileSync(keyFile)).export({ format: 'jwk' });
	const jwks = `${JSON.stringify({ keys: [{ ...key, kid, alg: 'ES256', use: 'sig' }] })}\n`;
	if (!existsSync(jwksFile) || readFileSync(jwksFile, 'utf8') !== jwks) write(jwksFile, jwks, 0o644);
}

function mint() {
	const now = Math.floor(Date.now() / 1000);
	const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
	const claims = { iss: issuer, aud: audience, sub: subject, tenant, scope: scopes || everything, iat: now, exp: now + Number(hours) * 3600 };
	const text = `${part({ alg: 'ES256', typ: 'JWT', kid })}.${part(claims)}`;
	const key = createPrivateKey(readFileSync(keyFile));
	return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

if (command === 'init' && dir) init();
else if (command === 'mint' && dir && existsSync(keyFile)) console.log(mint());
else {
	console.error(command === 'mint' ? 'token.mjs: there is no authority yet: make up creates one' : 'usage: token.mjs init DIR | mint DIR [TENANT [SCOPES [SUBJECT [HOURS]]]]');
	process.exitCode = 1;
}
