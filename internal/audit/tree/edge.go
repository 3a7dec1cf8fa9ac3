package tree

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Height is how many levels of the tree a tile holds: 256 hashes when it is full
// (C2SP tlog-tiles).
const Height = 8

const (
	perTile  = 1 << Height
	tileSize = perTile * tlog.HashSize
	levels   = 63/Height + 1 // more than a tree can have
)

// Tile is a piece of the tree: up to 256 hashes of every eighth level, counted
// from the leaves. Only the last tile of a level has fewer.
type Tile struct {
	Level int
	N     int64
	Data  []byte
}

// Edge is the right edge of the tree: its size and of each level the tile that
// is not full. It is all that adding leaves needs. Its zero value is the empty
// tree.
type Edge struct {
	size  int64
	tiles [levels][]byte
}

// LoadEdge reads the edge of a tree of a size from its tiles.
func LoadEdge(size int64, tile func(level int, n int64) ([]byte, error)) (*Edge, error) {
	e := &Edge{size: size}
	for level := range levels {
		hashes := size >> (level * Height)
		width := int(hashes&(perTile-1)) * tlog.HashSize
		if width == 0 {
			continue
		}
		data, err := tile(level, hashes>>Height)
		if err != nil {
			return nil, err
		}
		if len(data) < width {
			return nil, fmt.Errorf("tile %d of level %d has %d bytes, not the %d of a tree of size %d", hashes>>Height, level, len(data), width, size)
		}
		e.tiles[level] = append(make([]byte, 0, tileSize), data[:width]...)
	}
	return e, nil
}

// Size is how many leaves the tree has.
func (e *Edge) Size() int64 { return e.size }

// Add adds a leaf and hands over the tiles that it fills.
func (e *Edge) Add(leaf tlog.Hash, full func(Tile)) {
	h := leaf
	for level := range levels {
		n := e.size >> ((level + 1) * Height)
		e.tiles[level] = append(e.tiles[level], h[:]...)
		if len(e.tiles[level]) < tileSize {
			break
		}
		full(Tile{level, n, e.tiles[level]})
		h = tileRoot(e.tiles[level])
		e.tiles[level] = nil
	}
	e.size++
}

// Partial are the tiles that are not full; they change with the next leaf.
func (e *Edge) Partial() (all []Tile) {
	for level, data := range e.tiles {
		if len(data) > 0 {
			all = append(all, Tile{level, e.size >> ((level + 1) * Height), data})
		}
	}
	return all
}

// Root is the hash of the whole tree.
func (e *Edge) Root() tlog.Hash {
	root, err := tlog.TreeHash(e.size, reader(func(level int, n int64) ([]byte, error) {
		if n != e.size>>((level+1)*Height) {
			return nil, fmt.Errorf("the root needs tile %d of level %d, which is not on the edge", n, level)
		}
		return e.tiles[level], nil
	}))
	if err != nil {
		panic("tree: " + err.Error()) // the edge holds all that a root is made of
	}
	return root
}

// tileRoot is the hash over a full tile.
func tileRoot(data []byte) tlog.Hash {
	var hashes [perTile]tlog.Hash
	for i := range hashes {
		copy(hashes[i][:], data[i*tlog.HashSize:])
	}
	for n := perTile; n > 1; n /= 2 {
		for i := range n / 2 {
			hashes[i] = tlog.NodeHash(hashes[2*i], hashes[2*i+1])
		}
	}
	return hashes[0]
}

// reader reads hashes of the tree out of tiles.
func reader(tile func(level int, n int64) ([]byte, error)) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			t := tlog.TileForIndex(Height, index)
			data, err := tile(t.L, t.N)
			if err != nil {
				return nil, err
			}
			if t.W = len(data) / tlog.HashSize; t.W == 0 || t.W > perTile {
				return nil, fmt.Errorf("tile %d of level %d has %d bytes", t.N, t.L, len(data))
			}
			if hashes[i], err = tlog.HashFromTile(t, data[:t.W*tlog.HashSize], index); err != nil {
				return nil, err
			}
		}
		return hashes, nil
	})
}

// Prove makes the proof that leaf n is in the tree of a size.
func Prove(size, n int64, tile func(level int, n int64) ([]byte, error)) (tlog.RecordProof, error) {
	return tlog.ProveRecord(size, n, reader(cached(tile)))
}

// RootAt is the root that the tree had at a size, read from its tiles.
func RootAt(size int64, tile func(level int, n int64) ([]byte, error)) (tlog.Hash, error) {
	return tlog.TreeHash(size, reader(cached(tile)))
}

// cached asks for each tile once.
func cached(tile func(level int, n int64) ([]byte, error)) func(int, int64) ([]byte, error) {
	type place struct {
		level int
		n     int64
	}
	known := map[place][]byte{}
	return func(level int, n int64) ([]byte, error) {
		at := place{level, n}
		if data, ok := known[at]; ok {
			return data, nil
		}
		data, err := tile(level, n)
		if err == nil {
			known[at] = data
		}
		return data, err
	}
}
