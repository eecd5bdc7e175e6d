// A directory of tiles judged by Go's sumdb/note and sumdb/tlog: the checkpoint is
// signed by the key, and every hash of every tile is what the signed root vouches for.
//
// usage: tiles DIR KEY		status 0 if all is well, 1 and what is wrong if not
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// directory reads tiles where C2SP tlog-tiles has them: without the height that
// Go's own layout has in the path.
type directory string

func (d directory) Height() int { return height }

func (d directory) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		path := strings.Replace(t.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(d), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// readCheckpoint opens the note and reads its three lines.
func readCheckpoint(dir, vkey string) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	check(err)
	opened, err := note.Open(text, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 {
		check(fmt.Errorf("the checkpoint has %d lines", len(lines)))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	tree := tlog.Tree{N: size}
	if copy(tree.Hash[:], root) != len(tree.Hash) {
		check(fmt.Errorf("the root has %d bytes", len(root)))
	}
	return tree
}

// readLevel compares the hashes of a level's tiles with what the reader, which
// checks each against the root, says they are.
func readLevel(dir string, tree tlog.Tree, level int) {
	count := tree.N >> (height * level)
	reader := tlog.TileHashReader(tree, directory(dir))
	for first := int64(0); first < count; first += 1 << height {
		tile := tlog.Tile{H: height, L: level, N: first >> height, W: 1 << height}
		if count-first < 1<<height {
			tile.W = int(count - first)
		}
		var indexes []int64
		for i := 0; i < tile.W; i++ {
			indexes = append(indexes, tlog.StoredHashIndex(level*height, first+int64(i)))
		}
		hashes, err := reader.ReadHashes(indexes)
		check(err)
		stored, err := directory(dir).ReadTiles([]tlog.Tile{tile})
		check(err)
		var want []byte
		for _, hash := range hashes {
			want = append(want, hash[:]...)
		}
		if !bytes.Equal(stored[0], want) {
			check(fmt.Errorf("%s holds other hashes", tile.Path()))
		}
		if tile.W == 1<<height {
			checkParent(reader, tile, hashes)
		}
	}
}

// checkParent compares a full tile with its hash in the tile above.  The reader of
// Debian's release should, but passes over the first of them when several subtrees
// of the tree's right edge lie in one tile.
func checkParent(reader tlog.HashReader, tile tlog.Tile, hashes []tlog.Hash) {
	for len(hashes) > 1 {
		for i := 0; i < len(hashes)/2; i++ {
			hashes[i] = tlog.NodeHash(hashes[2*i], hashes[2*i+1])
		}
		hashes = hashes[:len(hashes)/2]
	}
	above, err := reader.ReadHashes([]int64{tlog.StoredHashIndex((tile.L+1)*height, tile.N)})
	check(err)
	if above[0] != hashes[0] {
		check(fmt.Errorf("%s is not what the tile above says", tile.Path()))
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Println("usage: tiles DIR KEY")
		os.Exit(2)
	}
	tree := readCheckpoint(os.Args[1], os.Args[2])
	if tree.N == 0 && tree.Hash != sha256.Sum256(nil) {
		check(fmt.Errorf("the root of no leaves is another"))
	}
	for level := 0; tree.N>>(height*level) > 0; level++ {
		readLevel(os.Args[1], tree, level)
	}
}
