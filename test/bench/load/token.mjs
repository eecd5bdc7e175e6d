// An authority's keys and a token for the benchmarks: DIR/jwks.json and DIR/token.
// usage: token.mjs DIR
import { writeFileSync } from 'node:fs';
import { Authority } from '../../gateway/lib/authority.mjs';

const [dir] = process.argv.slice(2);
const authority = new Authority({ algorithms: ['ES256'] });
writeFileSync(`${dir}/jwks.json`, JSON.stringify(authority.jwks()));
writeFileSync(`${dir}/token`, authority.token({ tenant: 'bench', lifetime: 86400 }));
