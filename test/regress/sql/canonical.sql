-- ledger_canonical_json(): RFC 8785 through SQL.  The core's own tests go deeper;
-- here are the two ways in, their errors, and PostgreSQL's own types.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
-- Members by UTF-16 code units: U+1F600 before U+FB33, though its UTF-8 is greater.
SELECT ledger_canonical_json('{"\ufb33": 1, "\ud83d\ude00": 2, "z": 3, "Z": 4, "": 5, "aa": 6, "b": 7}'::jsonb);
SELECT ledger_canonical_json('{"b": [1, {"d": null, "c": true}], "a": {}, "e": [], "f": false}'::jsonb);
-- Numbers in ECMAScript's form, not PostgreSQL's.
SELECT n, ledger_canonical_json(n::jsonb) FROM (VALUES ('0'), ('-0'), ('1.0'), ('1.50'), ('1e2'), ('1E21'), ('1e20'), ('123456789012345680000'),
	('0.000001'), ('1e-7'), ('9007199254740991'), ('-9007199254740992'), ('5e-324'), ('1.7976931348623157e308'), ('0.1'), ('333333333.3333333')) AS v (n);
-- Strings: only what must be escaped is.
SELECT ledger_canonical_json('"\u0001\b\t\n\f\r\u001f \" \\ / \u007f \u0080 \u2028 ö \ud83d\udd13"'::jsonb);
-- Scalars stand alone; NULL gives NULL.
SELECT ledger_canonical_json('true'::jsonb), ledger_canonical_json('null'::jsonb), ledger_canonical_json('"x"'::json), ledger_canonical_json(NULL::jsonb) IS NULL AS strict;
-- json and jsonb agree.
SELECT ledger_canonical_json(d::json) = ledger_canonical_json(d::jsonb) AS agree FROM (VALUES ('{"b":1,  "a": [2.50, "\u00e9"]}'), ('[]'), ('[[[]]]')) AS v (d);
-- A number that a double would round, by its path.
SELECT ledger_canonical_json('{"a": {"b c": [1, 12345678901234567890]}}'::jsonb);
:code
SELECT ledger_canonical_json('[0.1000000000000000055]'::jsonb);
SELECT ledger_canonical_json('1e400'::jsonb);
SELECT ledger_canonical_json('[1e-400]'::jsonb);
SELECT ledger_canonical_json('9007199254740993'::jsonb);
-- Duplicate members: jsonb has kept the last, json still has both.
SELECT ledger_canonical_json('{"a": 1, "a": 2}'::jsonb);
SELECT ledger_canonical_json(E'{"a": 1,\n  "b": {"c": 1, "c": 2}}'::json);
:code
SELECT ledger_canonical_json('[1, 12345678901234567890]'::json);
SELECT ledger_canonical_json('{"a": "\ud800"}'::json);
:code
SELECT ledger_canonical_json('{"a": "\u0000"}'::jsonb);
-- Zeros behind the point: nine bytes that are written as 16 KB.
SELECT ledger_canonical_json('[0e-400, 1.0e-300]'::jsonb);
SELECT ledger_canonical_json('{"a": [0e-16383]}'::jsonb);
:code
SELECT ledger_canonical_json('[0e-16383]'::json);
SELECT ledger.ledger_append('acme', 'finding.created', 'F-zeros', 'p-zeros', 'a',
	('{"a": [' || repeat('0e-16383,', 70000) || '0]}')::jsonb);
:code
-- Deep, but not too deep.
SELECT length(ledger_canonical_json((repeat('[', 500) || repeat(']', 500))::jsonb));
SELECT ledger_canonical_json((repeat('[', 3000) || repeat(']', 3000))::jsonb);
:code
SELECT ledger_canonical_json((repeat('[', 3000) || repeat(']', 3000))::json);
:code
