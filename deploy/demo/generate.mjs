#!/usr/bin/env node
// Prints the demo's events, one JSON object a line, in the order of time.
//
// usage: generate.mjs CATALOGUE.json
//
// The catalogue is CISA's list of known exploited vulnerabilities, or a file of
// the same shape such as findings.json.  The same file gives the same lines.
import { readFileSync } from 'node:fs';
import { Dice } from './dice.mjs';
import { lifeOf } from './life.mjs';

const REQUIRED = ['cveID', 'vendorProject', 'product', 'vulnerabilityName', 'dateAdded', 'shortDescription', 'dueDate'];

function fail(message) {
  console.error(`generate.mjs: ${message}`);
  process.exit(1);
}

function readCatalogue(path) {
  let catalogue;
  try {
    catalogue = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    fail(`cannot read ${path}: ${error.message}`);
  }
  if (!Array.isArray(catalogue.vulnerabilities) || catalogue.vulnerabilities.length === 0) {
    fail(`${path} is no catalogue: it has no member "vulnerabilities"`);
  }
  catalogue.vulnerabilities.forEach((entry, index) => {
    for (const name of REQUIRED) {
      if (typeof entry[name] !== 'string') fail(`${path}: entry ${index + 1} has no text "${name}"`);
    }
    if (!/^\d{4}-\d\d-\d\d$/.test(entry.dateAdded)) fail(`${path}: entry ${index + 1}: dateAdded is no date`);
  });
  return catalogue;
}

// Nothing happens after the catalogue's own day: it is the demo's present, and
// the ledger refuses events from the future.
function horizonOf(catalogue) {
  const newest = catalogue.vulnerabilities.map((entry) => entry.dateAdded).sort().at(-1);
  const released = Date.parse(catalogue.dateReleased);
  return Number.isNaN(released) ? Date.parse(`${newest}T00:00:00Z`) : released;
}

// Some products stand in one company, some in both.
function tenantsOf(entry) {
  const dice = new Dice(`tenants ${entry.cveID}`);
  return dice.pick([['acme'], ['acme'], ['globex'], ['acme', 'globex']]);
}

const path = process.argv[2];
if (path === undefined) fail('usage: generate.mjs CATALOGUE.json');
const catalogue = readCatalogue(path);
const horizon = horizonOf(catalogue);
const events = catalogue.vulnerabilities.flatMap((entry) =>
  tenantsOf(entry).flatMap((tenant) => lifeOf(entry, tenant, horizon)));

const key = (event) => event.occurredAt + event.eventId;
events.sort((a, b) => (key(a) < key(b) ? -1 : 1));
process.stdout.write(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
