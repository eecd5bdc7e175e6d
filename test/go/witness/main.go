// A witness (C2SP tlog-witness, add-checkpoint) for the tests of ledgerctl anchor.
// Whether one checkpoint extends another is judged by Go's sumdb/tlog, whether the
// log signed it by Go's sumdb/note: nothing of the ledger's own code is in it.
//
// usage: witness -name NAME -log VKEY -state FILE
//
// Prints two lines, its address and its key, and serves until it is killed.  The
// witness's key is made anew and its state begins with what FILE holds.  POST /lie
// with one of the words of lies makes its next answers wrong on purpose.
package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type head struct {
	Size int64
	Root tlog.Hash
}

type witness struct {
	sync.Mutex
	name     string
	public   ed25519.PublicKey
	private  ed25519.PrivateKey
	log      note.Verifier
	state    string
	heads    map[string]head // by origin
	lie      string
	requests int
	sizes    []int64 // the old sizes that were sent
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "witness:", err)
		os.Exit(1)
	}
}

func (w *witness) keyID() []byte {
	sum := sha256.Sum256(append([]byte(w.name+"\n\x04"), w.public...))
	return sum[:4]
}

func (w *witness) vkey() string {
	return fmt.Sprintf("%s+%x+%s", w.name, w.keyID(),
		base64.StdEncoding.EncodeToString(append([]byte{4}, w.public...)))
}

// The cosignature line of a checkpoint's text (C2SP tlog-cosignature).
func (w *witness) cosign(text string, when uint64) string {
	name := w.name
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", when, text)
	switch w.lie {
	case "other text":
		message += "more\n"
	case "other time":
		message = fmt.Sprintf("cosignature/v1\ntime %d\n%s", when+1, text)
	case "other name":
		name = "someone.example/else"
	}
	signature := append(w.keyID(), make([]byte, 8)...)
	binary.BigEndian.PutUint64(signature[4:], when)
	signature = append(signature, ed25519.Sign(w.private, []byte(message))...)
	return "— " + name + " " + base64.StdEncoding.EncodeToString(signature) + "\n"
}

// old size, proof and checkpoint of a request's body.
func parse(body string) (old int64, proof tlog.TreeProof, checkpoint string, err error) {
	parts := strings.SplitN(body, "\n\n", 2)
	if len(parts) != 2 {
		return 0, nil, "", fmt.Errorf("no empty line")
	}
	lines := strings.Split(parts[0], "\n")
	if !strings.HasPrefix(lines[0], "old ") {
		return 0, nil, "", fmt.Errorf("no old size")
	}
	size := strings.TrimPrefix(lines[0], "old ")
	if old, err = strconv.ParseInt(size, 10, 64); err != nil || old < 0 || strconv.FormatInt(old, 10) != size {
		return 0, nil, "", fmt.Errorf("bad old size")
	}
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, "", err
		}
		proof = append(proof, hash)
	}
	return old, proof, parts[1], nil
}

func parseText(text string) (origin string, h head, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 {
		return "", h, fmt.Errorf("not three lines")
	}
	if h.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return "", h, err
	}
	h.Root, err = tlog.ParseHash(lines[2])
	return lines[0], h, err
}

// Status and body, as the specification orders its checks.
func (w *witness) addCheckpoint(body string) (int, string) {
	old, proof, checkpoint, err := parse(body)
	if err != nil {
		return 400, err.Error()
	}
	w.sizes = append(w.sizes, old)
	opened, err := note.Open([]byte(checkpoint), note.VerifierList(w.log))
	if err != nil {
		return 403, err.Error()
	}
	origin, next, err := parseText(opened.Text)
	if err != nil || old > next.Size {
		return 400, "no checkpoint, or smaller than old"
	}
	last := w.heads[origin]
	if old != last.Size {
		return 409, fmt.Sprintf("%d\n", last.Size)
	}
	if old == 0 {
		if len(proof) != 0 {
			return 422, "a proof from nothing"
		}
	} else if old == next.Size {
		if len(proof) != 0 || last.Root != next.Root {
			return 422, "another root at that size"
		}
	} else if err := tlog.CheckTree(proof, next.Size, next.Root, last.Size, last.Root); err != nil {
		return 422, err.Error()
	}
	w.heads[origin] = next
	text, err := json.Marshal(w.heads)
	must(err)
	must(os.WriteFile(w.state+".new", text, 0644))
	must(os.Rename(w.state+".new", w.state))
	return 200, w.answer(opened.Text)
}

func (w *witness) answer(text string) string {
	now := uint64(time.Now().Unix())
	switch w.lie {
	case "garbage":
		return "thank you\n"
	case "nothing":
		return ""
	case "future":
		now += 86400
	case "no time":
		now = 0
	case "among others":
		w.lie = "other name"
		others := w.cosign(text, now)
		w.lie = "among others"
		return others + w.cosign(text, now)
	}
	return w.cosign(text, now)
}

var lies = "other text, other time, other name, garbage, nothing, future, no time, among others, status 500, stale size"

func (w *witness) serve(out http.ResponseWriter, in *http.Request) {
	w.Lock()
	defer w.Unlock()
	body, err := io.ReadAll(in.Body)
	must(err)
	switch in.URL.Path {
	case "/lie":
		w.lie = string(body)
		if w.lie != "" && !strings.Contains(lies, w.lie) {
			out.WriteHeader(400)
		}
	case "/forget":
		w.heads = map[string]head{}
	case "/seen":
		fmt.Fprintf(out, "%d %v", w.requests, w.sizes)
		w.requests, w.sizes = 0, nil
	case "/add-checkpoint":
		w.requests++
		if w.lie == "status 500" {
			out.WriteHeader(500)
			return
		}
		if w.lie == "stale size" {
			out.Header().Set("Content-Type", "text/x.tlog.size")
			out.WriteHeader(409)
			fmt.Fprintf(out, "%d\n", 1)
			return
		}
		status, answer := w.addCheckpoint(string(body))
		if status == 409 {
			out.Header().Set("Content-Type", "text/x.tlog.size")
		}
		out.WriteHeader(status)
		io.WriteString(out, answer)
	default:
		out.WriteHeader(404)
	}
}

func main() {
	name := flag.String("name", "", "the witness's key name")
	logKey := flag.String("log", "", "verifier key of the log")
	state := flag.String("state", "", "file that holds the heads")
	flag.Parse()

	var err error
	w := &witness{name: *name, state: *state, heads: map[string]head{}}
	w.public, w.private, err = ed25519.GenerateKey(rand.Reader)
	must(err)
	w.log, err = note.NewVerifier(*logKey)
	must(err)
	if text, err := os.ReadFile(*state); err == nil {
		must(json.Unmarshal(text, &w.heads))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Printf("http://%s\n%s\n", listener.Addr(), w.vkey())
	must(http.Serve(listener, http.HandlerFunc(w.serve)))
}
