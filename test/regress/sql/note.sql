-- Signed notes, checkpoints, keys, DSSE envelopes.  The first note is the example of Go's sumdb/note;
-- what else is signed here was signed with node's crypto, by keys whose seeds are 32 bytes 1, 2 and 3.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
\set log 'example.com/log+9be5d3c6+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c'
\set other 'example.com/log+b07fbc77+AYE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU'
\set witness 'witness.example/w1+d9ed62c5+BO1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR'
SELECT ledger_verify_note(E'If you think cryptography is the answer to your problem,\nthen you don''t know what your problem is.\n\n'
	'— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
	'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW') AS example;
CREATE TEMP TABLE note AS SELECT text, line, cosignature, text || E'\n' || line || cosignature AS note FROM (VALUES (
	E'example.com/log/acme/d74b4033-02a8-8d1c-9412-4da18e4033d7\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
	E'— example.com/log m+XTxirAu74U/OmgsnDSJ9+vfuzYGajKDpRSfHLc2tF3mGeHQwV5uzEuisjGg5zYjrWJjgFigE/cxnPXPiXsl8DbKws=\n',
	E'— witness.example/w1 2e1ixQAAAABpJIEAZ3zvmhT1reHrjiJZf4rsVPXOTjOVy4y8c2dusWjlLYuik3fxobXDg9CuQMJtbUHGhHsqZiU9B7kHniqXayJWCw==\n')) AS v (text, line, cosignature);
SELECT ledger_verify_note(note, :'log') AS log, ledger_verify_note(note, :'witness') AS witness, ledger_verify_note(note, :'other') AS other FROM note;
SELECT ledger_note_keys(note) FROM note;
SELECT ledger_note_text(note) = text AS text, ledger_key_id(:'log') AS log, ledger_key_id(:'witness') AS witness FROM note;
-- A note must be exactly one, and one wrong line of a key is one too many.
SELECT what, ledger_verify_note(n, :'log') AS signed, ledger_note_text(n) IS NULL AS no_note, (SELECT count(*) FROM ledger_note_keys(n)) AS lines FROM note, LATERAL (VALUES
	('empty', ''), ('text only', text), ('no line', text || E'\n'), ('no blank line', text || line), ('lines swapped', text || E'\n' || cosignature || line),
	('line twice', text || E'\n' || line || line), ('no final newline', rtrim(note, E'\n')), ('trailing blank line', note || E'\n'), ('white space', note || ' '),
	('other text', replace(note, E'\n0\n', E'\n1\n')), ('other text, right line too', replace(note, E'\n0\n', E'\n1\n') ||
		E'— example.com/log m+XTxsp1/+UpoV6QDq7c6sNpYGe564Kyp256h1m9HPLTrpyUxwZwFF8HzNtQO4NrDERrinTvHoDCz1neBaaPd5MHOw8=\n'),
	('other key of that name first', text || E'\n— example.com/log sH+8d/JHAlfFUa64PZYRNR124K4idDp2wHaCl9gl5cEDYmNL4Xtr/SGMPS7f2lG2sm40oBf3JCFY5HeWkDuYIfjsXwA=\n' || line),
	('unknown line', note || E'— somebody AAAAAAA=\n'), ('hyphen', replace(note, '—', '-')), ('carriage returns', replace(note, E'\n', E'\r\n')),
	('bad base64', replace(note, 'DbKws=', 'DbKwt=')), ('short signature', text || E'\n— example.com/log m+XTxg==\n'), ('only an id', text || E'\n— example.com/log m+XT\n'),
	('101 lines', text || E'\n' || repeat(line, 101)), ('too long', repeat('x', 1000001) || note)) AS v (what, n);
-- A cosignature is over the time too.
SELECT ledger_verify_note(replace(note, 'AAAABpJIEA', 'AAAABpJIEB'), :'witness') AS other_time FROM note;
-- Keys are judged aloud.
SELECT ledger_verify_note('', 'weak+8b94416d+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
:code
SELECT ledger_key_id('x+0c555158+AoqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c');
:code
CREATE FUNCTION pg_temp.refused(key text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN ledger_key_id(key);
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT what, pg_temp.refused(key) FROM (VALUES ('empty', ''), ('name only', 'example.com/log'), ('other id', replace(:'log', '9be5d3c6', '9be5d3c7')), ('capital id', replace(:'log', '9be5d3c6', '9BE5D3C6')),
	('other name', 'x' || :'log'), ('space', ' ' || :'log'), ('newline', :'log' || E'\n'), ('truncated', left(:'log', -4)), ('private', 'PRIVATE+KEY+' || :'log'), ('plus in name', 'a+' || :'log')) AS v (what, key);

-- Checkpoints, signed and not.
SELECT ledger_checkpoint_text('example.com/log/acme/d74b4033-02a8-8d1c-9412-4da18e4033d7', 0, sha256('')) = text AS text FROM note;
SELECT ledger_checkpoint_text('o', 9223372036854775807, sha256('\x00'));
SELECT c.* FROM note, unnest(ARRAY[note, text, ledger_checkpoint_text('o', 9223372036854775807, sha256(''))]) AS u (t), ledger_parse_checkpoint(t) AS c;
SELECT what, c IS NULL AS malformed FROM note, LATERAL (VALUES ('empty', ''), ('one line', E'o\n'), ('no root', E'o\n1\n'), ('no final newline', rtrim(text, E'\n')), ('leading zero', replace(text, E'\n0\n', E'\n00\n')),
	('negative', replace(text, E'\n0\n', E'\n-1\n')), ('beyond 2^63', replace(text, E'\n0\n', E'\n9223372036854775808\n')), ('beyond 2^64', replace(text, E'\n0\n', E'\n18446744073709551616\n')),
	('short root', E'o\n1\nAAAA\n'), ('no origin', E'\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'), ('a broken line', text || E'\n- example.com/log AAAA\n'),
	('a blank line', text || E'\n'), ('a note of something else', E'text\n\n' || line)) AS v (what, t), ledger_parse_checkpoint(t) AS c;
SELECT ledger_checkpoint_text('', 0, sha256(''));
:code
SELECT ledger_checkpoint_text(E'a\nb', 0, sha256(''));
SELECT ledger_checkpoint_text(E'a\tb', 0, sha256(''));
SELECT ledger_checkpoint_text('o', -1, sha256(''));
SELECT ledger_checkpoint_text('o', 0, '\x00');
-- Bundles.
SELECT ledger_proof_text(7, ARRAY[sha256(''), sha256('\x00')], E'checkpoint\n');
SELECT ledger_proof_text(0, '{}', E'checkpoint\n');
SELECT ledger_proof_text(-1, '{}', '');
:code
SELECT ledger_proof_text(0, '{NULL}', '');

-- Envelopes.
\set sig 'SDORrBbuJSF6O6sObaYzYo8jTaXLhf2FbfzB3tM8ESpk1zlTYDomBisZX3tTWjcDK613EuRJoF9C8oNqi/n/Ag=='
CREATE FUNCTION pg_temp.envelope(payload text, sig text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('payload', encode(convert_to(payload, 'UTF8'), 'base64'), 'payloadType', 'application/vnd.stella-ledger-anchor+json',
		'signatures', jsonb_build_array(jsonb_build_object('keyid', 'example.com/log+9be5d3c6', 'sig', sig))) $$;
SELECT ledger_verify_dsse(pg_temp.envelope('{"treeSize":3}', :'sig'), :'log') AS log, ledger_verify_dsse(pg_temp.envelope('{"treeSize":3}', :'sig'), :'other') AS other;
SELECT ledger_verify_dsse(e, :'log') AS second, ledger_verify_dsse(e, :'other') AS first, ledger_verify_dsse(e #- '{signatures,1,keyid}', :'log') AS unnamed,
	ledger_verify_dsse(jsonb_set(e, '{signatures,1,keyid}', '"someone"'), :'log') AS misnamed FROM (SELECT jsonb_set(pg_temp.envelope('{"treeSize":3}', :'sig'), '{signatures,0}',
		'{"keyid": "example.com/log+b07fbc77", "sig": "S+y9W1Wh7YAS4386e0npLI5PTcQPDfGSfscrIsPSpdUATEcICqOMRfUNWui/zEyF8Lcl5MBovpsXWuTgFpHzCw=="}')
	|| '{}' AS f) AS s, LATERAL (SELECT jsonb_insert(f, '{signatures,1}', pg_temp.envelope('', :'sig') #> '{signatures,0}')) AS t (e);
SELECT what, ledger_verify_dsse(e, :'log') AS payload FROM pg_temp.envelope('{"treeSize":3}', :'sig') AS good, LATERAL (VALUES
	('other payload', pg_temp.envelope('{"treeSize":4}', :'sig')), ('other type', jsonb_set(good, '{payloadType}', '"other"')), ('no signature', jsonb_set(good, '{signatures}', '[]')),
	('no signatures', good - 'signatures'), ('no type', good - 'payloadType'), ('no payload', good - 'payload'), ('an array', jsonb_build_array(good)), ('a string', '"x"'), ('a number', '1'), ('null', 'null'),
	('bad base64', jsonb_set(good, '{payload}', '"*"')), ('a payload that is an object', jsonb_set(good, '{payload}', '{}')), ('a huge number beside', good || '{"n": 1e400}'),
	('short signature', pg_temp.envelope('{"treeSize":3}', 'AAAA'))) AS v (what, e);
-- Well signed, but is it JSON?
SELECT payload, ledger_verify_dsse(pg_temp.envelope(payload, sig), :'log') FROM (VALUES
	('no json', 'Lus/0yugiKq4CO2AwzaLC6xW9FIQVXbL71ZCzNtZsiEI9tJnYgOxPIMEt3ylhxOEU5p4wyzW0R5uR5zKU7aZAg=='), ('', '9ncEZtUf/Kq6W0offvdbucvWZDtqL6njDnSYTM7hrr0WcV7xBNyKa0m9Ok9pFp+K3FzrhcRL7JVS1CW9VErYBg=='),
	('{"a":1,"a":2}', 'mJnd7+ZzyTNq3K6gvPL30dulBC6UkE0eIdH6oQPimu6RwYx75wID6EhTTMI0+hKFDYzSBa4hSAaupo1IYcVECw=='),
	(E'"\\u0000"', 'jTO1DpMEEMFTTzZA++R++SvTJDWPisOcqTH/s+TKLGaIjsA7TlkP+vhQHhQzIEgrrtEte/26zwusueI3iVi+Ag=='),
	('{"n":1e400}', 'RVefr8fbbwEBRIXiF3R4I+pkTY1IWgfCsqw2ESxwXdyRyo1DdTOcN2bBhXZEBa2pIFvLmcGct18EkdW6TCmdAQ=='),
	('[1,2.50,"é"]', 'EJJ3Q9TSSThK8+SKALHiRbAOQSJyIfagUk2r+QEIOb3ShmMh/a/a8PWE6sC2fsk7ZHdqMVit2UWcXvJ3717oBA=='),
	('{"a":1}x', '3He5QLprFVgb8D/TFC16WwPXET8Vja3SLx36EjIoBOTTv2oN+as43st/HVj0Hha4CyhBEp/DDiwH3vBlgQL2Ag==')) AS v (payload, sig);
SELECT ledger_verify_dsse('{}', 'no key');
:code
SELECT ledger_verify_dsse(NULL, :'log') IS NULL AS strict, ledger_verify_note(NULL, 'no key') IS NULL AS strict_too;
