// An authority that signs tokens: keys of every kind that the gateway takes, their JWKS,
// and tokens right and wrong.  Only node's own crypto.
//
//     const authority = new Authority();          // one a file is enough: an RSA key takes its time
//     authority.token({ tenant: 'acme' })         // good, ES256, every scope, five minutes
//     authority.token({ alg: 'RS256', scopes: ['ledger.events.read'], claims: { exp: 0 }, header: { typ: 'x' } })
//     authority.jwks()                            // {keys: […]}
//     authority.sign(header, claims)              // exactly these, with the key of header.kid
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

export const issuer = 'https://authority.test';
export const audience = 'ledger';
export const scopes = ['ledger.events.read', 'ledger.events.write', 'ledger.events.actor', 'ledger.export.read',
	'ledger.audit', 'ledger.attachments.read', 'ledger.attachments.write', 'ledger.attachments.egress'];

const kinds = {
	RS256: { pair: ['rsa', { modulusLength: 2048 }], kid: 'rsa-1', options: {} },
	PS256: { pair: ['rsa', { modulusLength: 2048 }], kid: 'rsa-pss-1', options: { padding: 6, saltLength: 32 } },
	ES256: { pair: ['ec', { namedCurve: 'P-256' }], kid: 'ec-1', options: { dsaEncoding: 'ieee-p1363' } },
	EdDSA: { pair: ['ed25519', undefined], kid: 'ed-1', options: {} },
};

export const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export class Authority {
	// prefix goes before the key ids: two authorities with the same ids and other keys are a test.
	constructor({ algorithms = Object.keys(kinds), prefix = '' } = {}) {
		this.keys = new Map();
		for (const alg of algorithms) {
			const { pair, kid } = kinds[alg];
			this.keys.set(prefix + kid, { alg, kid: prefix + kid, ...generateKeyPairSync(...pair) });
		}
	}

	kid(alg) {
		return [...this.keys.values()].find((key) => key.alg === alg).kid;
	}

	jwk(kid) {
		const { alg, publicKey } = this.keys.get(kid);
		return { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
	}

	jwks() {
		return { keys: [...this.keys.keys()].map((kid) => this.jwk(kid)) };
	}

	// The signature of any text, as the algorithm of a JWS.
	signature(kid, text) {
		const { alg, privateKey } = this.keys.get(kid);
		return sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(text), { key: privateKey, ...kinds[alg].options }).toString('base64url');
	}

	sign(header, claims) {
		const input = `${encode(header)}.${encode(claims)}`;
		return `${input}.${this.signature(header.kid, input)}`;
	}

	// HS256 over any secret: what an attacker makes of a public key.
	static hmac(header, claims, secret) {
		const input = `${encode(header)}.${encode(claims)}`;
		return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
	}

	claims({ tenant = 'acme', scopes: list = scopes, subject = 'tester', lifetime = 300, claims = {} } = {}) {
		const now = Math.floor(Date.now() / 1000);
		return { iss: issuer, aud: audience, sub: subject, tenant, scope: list.join(' '), iat: now, nbf: now, exp: now + lifetime, ...claims };
	}

	// claims and header are laid over what a good token has; a member that is undefined is left out.
	token({ alg = 'ES256', kid = this.kid(alg), header = {}, ...rest } = {}) {
		return this.sign({ alg, typ: 'JWT', kid, ...header }, this.claims(rest));
	}
}
