// The core's tree against Go's golang.org/x/mod/sumdb/tlog: roots, proofs both
// ways, and verdicts on wrong proofs.  Prints TAP.
//
// usage: trees PATH-OF-trees_cli
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	everySize  = 300 // trees up to here are compared whole
	largestLog = 20  // and around 2^k ± 1 up to this k in samples
)

// Go's log: leaf i is the entry of eight bytes that is i, big-endian.
type goLog struct {
	size   int64
	stored []tlog.Hash
	leaves []tlog.Hash
	roots  map[int64]tlog.Hash
}

func (l *goLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		if at >= int64(len(l.stored)) {
			return nil, fmt.Errorf("hash %d is not stored", at)
		}
		hashes[i] = l.stored[at]
	}
	return hashes, nil
}

func (l *goLog) grow(size int64) {
	for ; l.size < size; l.size++ {
		var entry [8]byte
		binary.BigEndian.PutUint64(entry[:], uint64(l.size))
		fresh, err := tlog.StoredHashes(l.size, entry[:], l)
		must(err)
		l.stored = append(l.stored, fresh...)
		l.leaves = append(l.leaves, tlog.RecordHash(entry[:]))
	}
}

func (l *goLog) root(size int64) tlog.Hash {
	root, known := l.roots[size]
	if !known {
		var err error
		root, err = tlog.TreeHash(size, l)
		must(err)
		l.roots[size] = root
	}
	return root
}

func must(err error) {
	if err != nil {
		fmt.Println("Bail out!", err)
		os.Exit(1)
	}
}

// The core behind its line protocol.  Questions are sent ahead; each answer is
// looked at in its turn.
type core struct {
	in      *bufio.Writer
	pending chan func(string)
}

func start(path string) *core {
	command := exec.Command(path)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	must(err)
	out, err := command.StdoutPipe()
	must(err)
	must(command.Start())
	c := &core{bufio.NewWriter(in), make(chan func(string), 1<<20)}
	go c.read(bufio.NewReader(out))
	return c
}

func (c *core) read(out *bufio.Reader) {
	for take := range c.pending {
		line, err := out.ReadString('\n')
		if err == io.EOF {
			err = fmt.Errorf("trees_cli ended early")
		}
		must(err)
		take(strings.TrimSuffix(line, "\n"))
	}
}

func (c *core) ask(take func(string), format string, args ...interface{}) {
	c.pending <- take
	_, err := fmt.Fprintf(c.in, format+"\n", args...)
	must(err)
}

// Sends what is left and waits until every answer was looked at.
func (c *core) settle() {
	all := make(chan bool)
	c.pending <- func(string) { all <- true }
	_, err := fmt.Fprintln(c.in, "grow 0")
	must(err)
	must(c.in.Flush())
	<-all
}

// One test of many comparisons, whose first few differences are shown.
type tally struct {
	name  string
	total int
	notes []string
}

var tests, failures int

func (t *tally) check(good bool, format string, args ...interface{}) {
	t.total++
	if !good {
		t.notes = append(t.notes, fmt.Sprintf(format, args...))
	}
}

func (t *tally) report(least int) {
	tests++
	verdict := "ok"
	if len(t.notes) > 0 || t.total < least {
		verdict = "not ok"
		failures++
	}
	fmt.Printf("%s %d - %s (%d)\n", verdict, tests, t.name, t.total)
	if t.total < least {
		fmt.Printf("#   at least %d should have been compared\n", least)
	}
	for i, note := range t.notes {
		if i == 3 {
			fmt.Printf("#   and %d more\n", len(t.notes)-i)
			break
		}
		fmt.Printf("#   %s\n", note)
	}
}

func text(hashes []tlog.Hash) string {
	words := make([]string, len(hashes))
	for i := range hashes {
		words[i] = hex.EncodeToString(hashes[i][:])
	}
	return strings.Join(words, " ")
}

// The hashes of an answer; nil if it holds something else.
func hashes(answer string) []tlog.Hash {
	list := []tlog.Hash{}
	for _, word := range strings.Fields(answer) {
		var hash tlog.Hash
		raw, err := hex.DecodeString(word)
		if err != nil || len(raw) != len(hash) {
			return nil
		}
		copy(hash[:], raw)
		list = append(list, hash)
	}
	return list
}

type comparison struct {
	log                                           *goLog
	core                                          *core
	roots, inclusion, consistency, forGo, forCore tally
}

func (c *comparison) compareRoot(size int64) {
	c.log.grow(size)
	want := text([]tlog.Hash{c.log.root(size)})
	c.core.ask(func(answer string) {}, "grow %d", size)
	c.core.ask(func(answer string) {
		c.roots.check(answer == want, "size %d: frontier %s, Go %s", size, answer, want)
	}, "root")
	c.core.ask(func(answer string) {
		c.roots.check(answer == want, "size %d: nodes %s, Go %s", size, answer, want)
	}, "range 0 %d", size)
}

// Go verifies the core's proof, which must be Go's own; the core verifies Go's.
func (c *comparison) compareInclusion(index, size int64) {
	proof, err := tlog.ProveRecord(size, index, c.log)
	must(err)
	want, root, leaf := text(proof), c.log.root(size), c.log.leaves[index]
	c.core.ask(func(answer string) {
		c.inclusion.check(answer == want, "leaf %d of %d: %s, Go %s", index, size, answer, want)
		err := tlog.CheckRecord(hashes(answer), size, root, index, leaf)
		c.forGo.check(err == nil, "leaf %d of %d: %v", index, size, err)
	}, "inclusion %d %d", index, size)
	c.core.ask(func(answer string) {
		c.forCore.check(answer == "true", "leaf %d of %d: %s", index, size, answer)
	}, "includes %s %d %d %s %s", text([]tlog.Hash{leaf}), index, size, text([]tlog.Hash{root}), want)
}

func (c *comparison) compareConsistency(older, newer int64) {
	proof, err := tlog.ProveTree(newer, older, c.log)
	must(err)
	want, root1, root2 := text(proof), c.log.root(older), c.log.root(newer)
	c.core.ask(func(answer string) {
		c.consistency.check(answer == want, "%d to %d: %s, Go %s", older, newer, answer, want)
		err := tlog.CheckTree(hashes(answer), newer, root2, older, root1)
		c.forGo.check(err == nil, "%d to %d: %v", older, newer, err)
	}, "consistency %d %d", older, newer)
	c.core.ask(func(answer string) {
		c.forCore.check(answer == "true", "%d to %d: %s", older, newer, answer)
	}, "extends %d %s %d %s %s", older, text([]tlog.Hash{root1}), newer, text([]tlog.Hash{root2}), want)
}

// Around each power of two: the ends, both sides of the split, and places drawn.
func samples(dice *rand.Rand, size int64) []int64 {
	half := int64(1)
	for 2*half < size {
		half *= 2
	}
	places := []int64{0, 1, half - 1, half, half + 1, size / 3, size - 2, size - 1}
	for i := 0; i < 12; i++ {
		places = append(places, dice.Int63n(size))
	}
	within := places[:0]
	for _, place := range places {
		if place >= 0 && place < size {
			within = append(within, place)
		}
	}
	return within
}

func (c *comparison) run(dice *rand.Rand) {
	// Older versions of tlog know no root of no leaves.
	for size := int64(1); size <= everySize; size++ {
		c.compareRoot(size)
		for at := int64(0); at < size; at++ {
			c.compareInclusion(at, size)
			c.compareConsistency(at+1, size)
		}
	}
	for k := 9; k <= largestLog; k++ {
		for size := int64(1)<<k - 1; size <= int64(1)<<k+1; size++ {
			c.compareRoot(size)
			for _, at := range samples(dice, size) {
				c.compareInclusion(at, size)
				c.compareConsistency(at+1, size)
			}
		}
	}
	c.core.settle()
}

// Proofs with something changed: both give the same verdict, whatever it is.
func (c *comparison) judge(dice *rand.Rand, verdicts *tally) (accepted int) {
	for i := 0; i < 40000; i++ {
		size := 1 + dice.Int63n(40)
		at := dice.Int63n(size)
		var proof []tlog.Hash
		var err error
		consistency := i%2 == 0
		first, root := c.log.leaves[at], c.log.root(size)
		if consistency {
			at++
			first = c.log.root(at)
			proof, err = tlog.ProveTree(size, at, c.log)
		} else {
			proof, err = tlog.ProveRecord(size, at, c.log)
		}
		must(err)
		proof = append([]tlog.Hash{}, proof...)
		switch dice.Intn(8) {
		case 0:
			at += dice.Int63n(7) - 3
		case 1:
			size += dice.Int63n(7) - 3
		case 2:
			first[dice.Intn(32)] ^= 1 << dice.Intn(8)
		case 3:
			root[dice.Intn(32)] ^= 1 << dice.Intn(8)
		case 4:
			if len(proof) > 0 {
				proof[dice.Intn(len(proof))][dice.Intn(32)] ^= 1 << dice.Intn(8)
			}
		case 5:
			proof = append(proof, first)
		case 6:
			if len(proof) > 0 {
				proof = proof[:len(proof)-1]
			}
		}
		if at < 0 || size < 0 {
			continue
		}
		if consistency {
			err = tlog.CheckTree(proof, size, root, at, first)
		} else {
			err = tlog.CheckRecord(proof, size, root, at, first)
		}
		if err == nil {
			accepted++
		}
		want := fmt.Sprint(err == nil)
		line := fmt.Sprintf("includes %s %d %d %s %s", text([]tlog.Hash{first}), at, size, text([]tlog.Hash{root}), text(proof))
		if consistency {
			line = fmt.Sprintf("extends %d %s %d %s %s", at, text([]tlog.Hash{first}), size, text([]tlog.Hash{root}), text(proof))
		}
		c.core.ask(func(answer string) {
			verdicts.check(answer == want, "%s: %s, Go %s", line, answer, want)
		}, "%s", line)
	}
	c.core.settle()
	return accepted
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: trees PATH-OF-trees_cli")
		os.Exit(2)
	}
	dice := rand.New(rand.NewSource(6962))
	c := &comparison{log: &goLog{roots: map[int64]tlog.Hash{}}, core: start(os.Args[1])}
	c.roots.name = "roots of 1 to 300 leaves and around 2^9 to 2^20 are Go's"
	c.inclusion.name = "proofs of inclusion are Go's"
	c.consistency.name = "proofs of consistency are Go's"
	c.forGo.name = "Go verifies the core's proofs"
	c.forCore.name = "the core verifies Go's proofs"
	c.run(dice)
	c.roots.report(672)
	c.inclusion.report(45150)
	c.consistency.report(45150)
	c.forGo.report(90300)
	c.forCore.report(90300)

	verdicts := tally{name: "both judge changed proofs alike"}
	accepted := c.judge(dice, &verdicts)
	verdicts.report(38000)
	balance := tally{name: "some of which still hold, and most do not"}
	balance.check(accepted > 4000 && accepted < 16000, "%d hold", accepted)
	balance.report(1)
	fmt.Printf("1..%d\n", tests)
	if failures > 0 {
		os.Exit(1)
	}
}
