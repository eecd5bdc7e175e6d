// Keys, notes and envelopes of the core against Go's sumdb/note and
// crypto/ed25519, both ways: what one signs the other verifies, what one refuses
// the other refuses, but for the differences that lc_note.c names.  Prints TAP.
//
// usage: notes PATH-OF-notes_cli
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

var (
	tests  int
	failed bool
	toCore io.Writer
	core   *bufio.Reader
	dice   = rand.New(rand.NewSource(8032))
)

// What the core says to a refusal.
const (
	absent   = "not found"
	unsigned = "signature is not valid"
)

func ok(passed bool, name string, args ...interface{}) {
	tests++
	word := "ok"
	if !passed {
		word, failed = "not ok", true
	}
	fmt.Printf("%s %d - %s\n", word, tests, fmt.Sprintf(name, args...))
}

func must(err error) {
	if err != nil {
		fmt.Println("Bail out!", err)
		os.Exit(1)
	}
}

func hexed(s string) string { return hex.EncodeToString([]byte(s)) }

// ask sends a command; what comes back is results, or the phrase of an error.
func ask(words ...string) (results []string, phrase string) {
	_, err := fmt.Fprintln(toCore, strings.Join(words, "\t"))
	must(err)
	line, err := core.ReadString('\n')
	must(err)
	fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
	if fields[0] == "ok" {
		return fields[1:], ""
	}
	return nil, fields[1]
}

// askText is ask for a command that answers with texts only; "" where it refuses.
func askText(words ...string) []string {
	results, phrase := ask(words...)
	if phrase != "" {
		return []string{"", ""}
	}
	for i, r := range results {
		bytes, err := hex.DecodeString(r)
		must(err)
		results[i] = string(bytes)
	}
	return results
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	dice.Read(b)
	return b
}

var letters = []rune("abcxyz.-/_0189ABZé日😀")

func randomName() string {
	var name strings.Builder
	for i := 1 + dice.Intn(20); i > 0; i-- {
		name.WriteRune(letters[dice.Intn(len(letters))])
	}
	return name.String()
}

func keyID(name string, keyType byte, public []byte) []byte {
	sum := sha256.Sum256([]byte(name + "\n" + string([]byte{keyType}) + string(public)))
	return sum[:4]
}

// A key made by Go.
type key struct {
	private, public string
	signer          note.Signer
	verifier        note.Verifier
	seed            ed25519.PrivateKey
}

func newKey() key {
	var k key
	var err error
	k.private, k.public, err = note.GenerateKey(dice, randomName())
	must(err)
	k.signer, err = note.NewSigner(k.private)
	must(err)
	k.verifier, err = note.NewVerifier(k.public)
	must(err)
	raw, err := base64.StdEncoding.DecodeString(k.private[strings.LastIndex(k.private[:len(k.private)-44], "+")+1:])
	must(err)
	k.seed = ed25519.NewKeyFromSeed(raw[1:])
	return k
}

func testKeys() {
	read, made := true, true
	for i := 0; i < 200; i++ {
		k := newKey()
		got := askText("private", hexed(k.private))
		read = read && got[0] == k.private && got[1] == k.public
		read = read && askText("public", hexed(k.public))[0] == k.public

		name, seed := randomName(), randomBytes(32)
		got = askText("key", hexed(name), "1", hex.EncodeToString(seed))
		signer, err := note.NewSigner(got[0])
		made = made && err == nil && signer.Name() == name
		verifier, err := note.NewVerifier(got[1])
		made = made && err == nil && verifier.Name() == name
		same, err := note.NewEd25519VerifierKey(name, ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
		made = made && err == nil && same == got[1]
	}
	ok(read, "200 keys that Go made are read, and written as they were")
	ok(made, "200 keys that the core made are read by Go")
}

// Every character of the basic plane and some above it, in the middle of a name.
func testNames() {
	wrong := ""
	for r := rune(0); r < 0x10400 && len(wrong) < 100; r++ {
		if r >= 0xD800 && r < 0xE000 {
			continue
		}
		_, phrase := ask("name", hexed("a"+string(r)+"b"))
		if want := !unicode.IsSpace(r) && r != '+' && r >= 0x20; (phrase == "") != want {
			wrong += fmt.Sprintf(" U+%04X", r)
		}
	}
	ok(wrong == "", "a name has no space in Unicode's sense, in either%s", wrong)
}

func randomText() string {
	var text strings.Builder
	for i := dice.Intn(4); i >= 0; i-- {
		text.WriteString("x")
		text.WriteString(randomName() + "\n")
		if dice.Intn(4) == 0 {
			text.WriteString("\n")
		}
	}
	return strings.ToValidUTF8(text.String(), "?")
}

// open is what Go says of a note, in the words of the core.
func open(msg string, k key) string {
	_, err := note.Open([]byte(msg), note.VerifierList(k.verifier))
	switch err.(type) {
	case nil:
		return ""
	case *note.UnverifiedNoteError:
		return absent
	case *note.InvalidSignatureError:
		return unsigned
	}
	return "malformed"
}

func testNotes() {
	goSigned, coreSigned := true, true
	for i := 0; i < 300; i++ {
		text, k, other := randomText(), newKey(), newKey()
		signers := []note.Signer{k.signer, other.signer, newKey().signer}
		dice.Shuffle(len(signers), func(i, j int) { signers[i], signers[j] = signers[j], signers[i] })
		msg, err := note.Sign(&note.Note{Text: text}, signers...)
		must(err)
		results, phrase := ask("verify", hexed(k.public), hexed(string(msg)))
		goSigned = goSigned && phrase == "" && results[0] == "0"
		_, phrase = ask("verify", hexed(newKey().public), hexed(string(msg)))
		goSigned = goSigned && phrase == absent

		line := askText("sign", hexed(k.private), hexed(text), "0")[0]
		opened, err := note.Open([]byte(text+"\n"+askText("sign", hexed(other.private), hexed(text), "0")[0]+line),
			note.VerifierList(k.verifier))
		coreSigned = coreSigned && err == nil && opened.Text == text && len(opened.Sigs) == 1 &&
			len(opened.UnverifiedSigs) == 1
		coreSigned = coreSigned && open("x"+text+"\n"+line, k) == unsigned
	}
	ok(goSigned, "300 notes that Go signed hold, by their keys and no others")
	ok(coreSigned, "300 notes that the core signed are opened by Go")
}

// expected is what the core must say: as Go, but strictly in the two ways that
// lc_note.c names.  With a key that signed nothing Go reads a note to its end; with
// one that did it stops at a signature that does not hold.
func expected(msg string, k key, stranger key) string {
	if open(msg, stranger) == "malformed" {
		return "malformed"
	}
	answer := open(msg, k)
	text, signatures := msg[:strings.LastIndex(msg, "\n\n")+1], msg[strings.LastIndex(msg, "\n\n")+2:]
	for _, line := range strings.Split(strings.TrimSuffix(signatures, "\n"), "\n") {
		parts := strings.SplitN(line, " ", 3)
		raw, err := base64.StdEncoding.Strict().DecodeString(parts[2])
		if err != nil {
			return "malformed"
		}
		if parts[1] == k.verifier.Name() && binary.BigEndian.Uint32(raw) == k.verifier.KeyHash() &&
			!k.verifier.Verify([]byte(text), raw[4:]) {
			answer = unsigned
		}
	}
	return answer
}

// mutate changes a note in a place or two.
func mutate(msg []byte) []byte {
	pieces := []string{"\n", "\n\n", "— ", " ", "+", "=", "A", "\u00a0", "\xff", "\t", "é", "AAAA"}
	m := append([]byte{}, msg...)
	for i := dice.Intn(2); i >= 0; i-- {
		at := dice.Intn(len(m))
		piece := []byte(pieces[dice.Intn(len(pieces))])
		switch dice.Intn(4) {
		case 0:
			m[at] ^= 1 << dice.Intn(8)
		case 1:
			m = append(m[:at:at], m[at+1:]...)
		case 2:
			m = append(m[:at:at], append(piece, m[at:]...)...)
		case 3:
			lines := bytes.SplitAfter(m, []byte("\n"))
			line := lines[dice.Intn(len(lines))]
			m = append(m, line...)
		}
		if len(m) == 0 {
			return msg
		}
	}
	return m
}

func testMutations() {
	counts := map[string]int{}
	wrong := 0
	stranger := newKey()
	for i := 0; i < 20000; i++ {
		k := newKey()
		msg, err := note.Sign(&note.Note{Text: randomText()}, k.signer, newKey().signer)
		must(err)
		changed := string(mutate(msg))
		_, got := ask("verify", hexed(k.public), hexed(changed))
		if got != "" && got != absent && got != unsigned {
			got = "malformed"
		}
		want := expected(changed, k, stranger)
		counts[want]++
		if got != want {
			if wrong++; wrong < 5 {
				fmt.Printf("# %q: the core says %q, Go %q\n", changed, got, want)
			}
		}
	}
	ok(wrong == 0, "20000 changed notes are judged alike")
	fmt.Printf("# of these: %v\n", counts)
	ok(counts[""] > 50 && counts[absent] > 50 && counts[unsigned] > 50 && counts["malformed"] > 50,
		"and each verdict came up")
}

func checkpoint() string {
	return fmt.Sprintf("%s\n%d\n%s\n", randomName(), dice.Int63(), base64.StdEncoding.EncodeToString(randomBytes(32)))
}

// Cosignatures as C2SP tlog-cosignature says, with nothing but crypto/ed25519.
func testCosignatures() {
	same, verified, strict := true, true, true
	for i := 0; i < 100; i++ {
		name, seed, text, time := randomName(), ed25519.NewKeyFromSeed(randomBytes(32)), checkpoint(), uint64(dice.Int63())
		public := seed.Public().(ed25519.PublicKey)
		keys := askText("key", hexed(name), "4", hex.EncodeToString(seed.Seed()))
		id := keyID(name, 4, public)
		same = same && keys[1] == fmt.Sprintf("%s+%x+%s", name, id, base64.StdEncoding.EncodeToString(append([]byte{4}, public...)))

		var stamp [8]byte
		binary.BigEndian.PutUint64(stamp[:], time)
		signature := ed25519.Sign(seed, []byte(fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, text)))
		line := fmt.Sprintf("— %s %s\n", name, base64.StdEncoding.EncodeToString(append(append(id, stamp[:]...), signature...)))
		same = same && askText("sign", hexed(keys[0]), hexed(text), fmt.Sprint(time))[0] == line
		results, phrase := ask("verify", hexed(keys[1]), hexed(text+"\n"+line))
		verified = verified && phrase == "" && results[0] == fmt.Sprint(time)
		_, phrase = ask("verify", hexed(keys[1]), hexed(text+"more\n\n"+line))
		strict = strict && phrase == unsigned
	}
	ok(same, "100 cosignatures are as Go makes them")
	ok(verified, "and hold, with their time")
	ok(strict, "but not for another checkpoint")
}

func testCheckpoints() {
	same := true
	for i := 0; i < 200; i++ {
		text := checkpoint()
		lines := strings.Split(text, "\n")
		root, err := base64.StdEncoding.DecodeString(lines[2])
		must(err)
		same = same && askText("format", hexed(lines[0]), lines[1], hex.EncodeToString(root))[0] == text
		same = same && askText("checkpoint", hexed(text))[0] == text
	}
	ok(same, "200 checkpoints are read and written as Go writes them")
}

type signature struct {
	KeyID string `json:"keyid,omitempty"`
	Sig   string `json:"sig"`
}

type envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     string      `json:"payload"`
	Signatures  []signature `json:"signatures"`
}

// Envelopes with crypto/ed25519 and encoding/json.
func testEnvelopes() {
	coreSigned, goSigned := true, true
	for i := 0; i < 200; i++ {
		k, payloadType, payload := newKey(), randomName(), randomBytes(dice.Intn(300))
		pae := []byte(fmt.Sprintf("DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload))
		id := fmt.Sprintf("%s+%08x", k.verifier.Name(), k.verifier.KeyHash())

		var e envelope
		text := askText("envelope", hexed(k.private), hexed(payloadType), hex.EncodeToString(payload))[0]
		must(json.Unmarshal([]byte(text), &e))
		got, err := base64.StdEncoding.DecodeString(e.Payload)
		must(err)
		sig, err := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
		must(err)
		coreSigned = coreSigned && e.PayloadType == payloadType && bytes.Equal(got, payload) &&
			len(e.Signatures) == 1 && e.Signatures[0].KeyID == id && k.verifier.Verify(pae, sig)

		encoding := []*base64.Encoding{base64.StdEncoding, base64.URLEncoding}[dice.Intn(2)]
		e = envelope{payloadType, encoding.EncodeToString(payload), []signature{
			{"someone else", encoding.EncodeToString(randomBytes(70))},
			{[]string{"", id}[dice.Intn(2)], encoding.EncodeToString(ed25519.Sign(k.seed, pae))}}}
		written, err := json.MarshalIndent(e, "", "\t")
		must(err)
		results := askText("open", hexed(k.public), hexed(string(written)))
		goSigned = goSigned && results[0] == payloadType && results[1] == string(payload)
		_, phrase := ask("open", hexed(newKey().public), hexed(string(written)))
		goSigned = goSigned && (phrase == absent || phrase == unsigned)
	}
	ok(coreSigned, "200 envelopes that the core signed hold in Go")
	ok(goSigned, "200 envelopes that Go signed hold in the core, by their keys and no others")
}

func main() {
	cli := exec.Command(os.Args[1])
	cli.Stderr = os.Stdout
	in, err := cli.StdinPipe()
	must(err)
	out, err := cli.StdoutPipe()
	must(err)
	toCore, core = in, bufio.NewReader(out)
	must(cli.Start())

	testKeys()
	testNames()
	testNotes()
	testMutations()
	testCosignatures()
	testCheckpoints()
	testEnvelopes()

	must(in.Close())
	ok(cli.Wait() == nil, "the core has nothing left that it took")
	fmt.Printf("1..%d\n", tests)
	if failed {
		os.Exit(1)
	}
}
